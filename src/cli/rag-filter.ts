/**
 * Which documents count, as options of commands say it.
 *
 * @module cli/rag-filter
 */
import { Option } from 'commander';
import { systemClock } from '../base/index.ts';
import type { Filter, PropertyTest } from '../knowledge/index.ts';
import { parseDuration } from './duration.ts';
import { UsageError } from './failure.ts';
import type { Invocation } from './program.ts';

const several = (option: Option) =>
  option.argParser((text: string, before: string[] = []) => [...before, text]);

export const filterOptions = () => [
  several(new Option('--path <path>', 'only this document, or the folder it begins with (ending in /)')),
  several(
    new Option(
      '--glob <pattern>',
      'only paths of this form: * and ? within a name, ** for any folders; without / the name alone',
    ),
  ),
  several(new Option('--type <type>', 'only this kind of file, such as pdf or markdown')),
  several(new Option('--tag <tag>', 'only with this tag')),
  several(
    new Option(
      '--where <test>',
      'only where a property (of frontmatter, mail, document) fits: author=Ann, status!=done, stars>=4, due<2025-06, isbn (has it), !isbn (has not)',
    ),
  ),
  new Option('--since <date>', 'only files changed since then: 2024, 2024-05, 2024-05-17, or 30d ago'),
  new Option('--until <date>', 'only files changed until then, that day, month or year with it'),
];

/** Those that the index of a sealed knowledge base can tell by. */
export const placedFilterOptions = () =>
  filterOptions().filter(({ long }) => ['--path', '--glob', '--since', '--until'].includes(long ?? ''));

/** @throws UsageError; null when all documents count */
export function filterOf(options: Invocation['options'], now: number = systemClock.now()): Filter | null {
  const list = (name: string): readonly string[] | undefined =>
    options[name] as readonly string[] | undefined;
  const [paths, globs, types, tags, where] = ['path', 'glob', 'type', 'tag', 'where'].map(list);
  const filter: Filter = {
    ...(paths === undefined ? {} : { paths }),
    ...(globs === undefined ? {} : { globs }),
    ...(types === undefined ? {} : { types }),
    ...(tags === undefined ? {} : { tags }),
    ...(where === undefined ? {} : { where: where.map(propertyTest) }),
    ...(options.since === undefined ? {} : { modifiedFrom: momentOf('since', String(options.since), now) }),
    ...(options.until === undefined ? {} : { modifiedTo: momentOf('until', String(options.until), now) }),
  };
  return Object.keys(filter).length === 0 ? null : filter;
}

const TEST = /^\s*([^=!<>~]+?)\s*(!=|<=|>=|=|<|>)\s*(.*?)\s*$/su;
const BARE = /^\s*(!?)\s*([^=!<>~]+?)\s*$/u;

export function propertyTest(text: string): PropertyTest {
  const bare = BARE.exec(text);
  if (bare !== null) return { property: bare[2]!, is: bare[1] === '' ? 'set' : 'unset' };
  const [, property, is, value] = TEST.exec(text) ?? [];
  if (property === undefined || value === undefined || value === '' || /^[=<>]/.test(value))
    throw new UsageError(
      `--where takes a property and what it is to be, such as author=Ann, status!=done, stars>=4, due<2025-06, isbn or !isbn, not '${text.slice(0, 80)}'.`,
    );
  const unquoted = /^"(.*)"$/su.exec(value)?.[1] ?? value;
  return { property, is: is as PropertyTest['is'], value: unquoted };
}

const DATE = /^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$/;

/** In the time zone of this machine. The last ms of what is named for `until`, the first for `since`. */
export function momentOf(option: 'since' | 'until', text: string, now: number): number {
  const span = parseDuration(text);
  if (span !== null) return Math.max(0, now - span);
  const [, year, month, day] = DATE.exec(text) ?? [];
  if (year !== undefined) {
    const [y, m, d] = [Number(year), Number(month ?? 1) - 1, Number(day ?? 1)];
    const from = new Date(y, m, d);
    if (y >= 1970 && from.getMonth() === m && from.getDate() === d) {
      if (option === 'since') return from.getTime();
      const next =
        day !== undefined
          ? new Date(y, m, d + 1)
          : month !== undefined
            ? new Date(y, m + 1, 1)
            : new Date(y + 1, 0, 1);
      return next.getTime() - 1;
    }
  }
  throw new UsageError(
    `--${option} is a date from 1970 on (2024, 2024-05 or 2024-05-17) or a span of time back from now (30d), not '${text.slice(0, 40)}'.`,
  );
}

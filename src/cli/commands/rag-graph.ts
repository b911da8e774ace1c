/** `kith rag graph`: what a knowledge base names, and how that hangs together. @module cli/commands/rag-graph */
import { formatCount, formatPlural } from '../../base/index.ts';
import type {
  CommunitiesView,
  EntityDetail,
  EntityPage,
  GraphDesk,
  Neighbour,
  TimelineEntry,
  TimelinePage,
} from '../../server/index.ts';
import { UsageError } from '../failure.ts';
import { asTyped, paint, plain, print, printJson, say, table } from '../output.ts';
import type { Handler, Invocation } from '../program.ts';
import { withRag } from '../rag-desk.ts';
import type { GRAPH_VIEWS } from '../rag-graph-commands.ts';
import { score } from './rag-dream.ts';

type Options = Invocation['options'];
type View = Exclude<(typeof GRAPH_VIEWS)[number], 'score'>;

/** Asks, and says how the answer is shown. */
interface Asking<T> {
  ask(desk: GraphDesk, kb: string, names: readonly string[], options: Options): Promise<T>;
  show(told: T, kb: string, options: Options): void;
}

/** Characters of a sentence in a list, and how many things of each kind `show` shows. */
const SHOWN = 160;
const FEW = 10;
/** Relations and properties that `show` shows. */
const MOST_SAID = 50;

const asking = <T>(each: Asking<T>): Asking<unknown> => each as Asking<unknown>;
const given = (options: Options, ...names: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    names.flatMap((name) => (options[name] === undefined ? [] : [[name, String(options[name])] as const])),
  );
const short = (text: string, most = SHOWN): string =>
  plain(text.length > most ? `${text.slice(0, most - 1).toWellFormed()}…` : text);

function one(names: readonly string[], view: View): string {
  if (names.length === 1) return names[0]!;
  throw new UsageError(`Say which name: kith rag graph NAME ${view} "Ann Lee"`);
}

const VIEWS: Readonly<Record<View, Asking<unknown>>> = {
  entities: asking({
    ask: (desk, kb, _, options) =>
      desk.entities(kb, { ...given(options, 'prefix', 'type', 'after'), limit: Number(options.limit) }),
    show: showEntities,
  }),
  show: asking({ ask: (desk, kb, names) => desk.entity(kb, one(names, 'show')), show: showEntity }),
  neighbours: asking({
    ask: async (desk, kb, names, { limit }) =>
      (await desk.entity(kb, one(names, 'neighbours'))).neighbours.slice(0, Number(limit)),
    show: (neighbours) =>
      neighbours.length === 0 ? print('Nothing is named beside it.') : print(neighbourTable(neighbours)),
  }),
  timeline: asking({
    ask: (desk, kb, names, options) =>
      desk.timeline(kb, {
        ...given(options, 'from', 'to'),
        ...(names.length === 0 ? {} : { entity: one(names, 'timeline') }),
        ...{ offset: Number(options.offset ?? 0), limit: Number(options.limit) },
      }),
    show: showTimeline,
  }),
  communities: asking({
    ask: (desk, kb) => desk.communities(kb),
    show: (told, _kb, { limit }) => showCommunities(told, Number(limit)),
  }),
  proposals: asking({
    ask: (desk, kb) => desk.proposals(kb),
    show: (proposals, kb) => {
      if (proposals.length === 0) print('No two names look as if they stood for the same.');
      for (const { alias, entity, reason } of proposals)
        print(
          `kith rag graph ${kb} merge "${plain(alias)}" "${plain(entity)}"  ${paint('dim', plain(reason))}`,
        );
    },
  }),
  merges: asking({
    ask: (desk, kb) => desk.merges(kb),
    show: (merges) => {
      const holding = merges.filter(({ undone }) => undone === null);
      if (holding.length === 0) print('No names were made one.');
      else
        print(
          table(
            [
              ['ID', 'NAME', 'STANDS FOR', 'WHY'],
              ...holding.map(({ id, alias, entity, reason }) => [
                ...[String(id), plain(alias), plain(entity)],
                short(reason),
              ]),
            ],
            [0],
          ),
        );
    },
  }),
  merge: asking({
    ask: (desk, kb, names, { reason = 'their owner said so' }) => {
      const [alias, entity, ...more] = names;
      if (alias === undefined || entity === undefined || more.length > 0)
        throw new UsageError('Say which name stands for which: kith rag graph NAME merge "A. Lee" "Ann Lee"');
      return desk.merge(kb, { alias, entity, reason: String(reason) });
    },
    show: ({ id, alias, entity }, kb) => {
      print(`'${plain(alias)}' stands for '${plain(entity)}' now.`);
      say(asTyped(`To make them two again: kith rag graph ${kb} unmerge ${id}`));
    },
  }),
  unmerge: asking({
    ask: (desk, kb, names) => {
      const id = names.length === 1 ? Number(names[0]) : Number.NaN;
      if (!Number.isSafeInteger(id) || id < 1)
        throw new UsageError('Say which merge, by its number: kith rag graph NAME merges lists them');
      return desk.unmerge(kb, id);
    },
    show: ({ alias, entity }) => print(`'${plain(alias)}' and '${plain(entity)}' are two names again.`),
  }),
};

export const graph: Handler = async (invocation) => {
  const { args, options } = invocation;
  if (args[1] === 'score') return score(invocation);
  const kb = String(args[0]);
  const { ask, show } = VIEWS[(args[1] ?? 'entities') as View];
  const names = (args[2] ?? []) as readonly string[];
  const told = await withRag(options, ({ desk }) => ask(desk.graph, kb, names, options));
  if (options.json) printJson(told);
  else show(told, kb, options);
};

function showEntities({ entities, of }: EntityPage): void {
  if (entities.length === 0) {
    print('No names.');
    return;
  }
  print(
    table(
      [
        ['NAME', 'TYPE', 'PASSAGES', 'DOCUMENTS', 'ALSO'],
        ...entities.map(({ name, type, mentions, documents, aliases }) => [
          ...[short(name, 60), type ?? '-', formatCount(mentions), formatCount(documents)],
          short(aliases.join(', '), 60),
        ]),
      ],
      [2, 3],
    ),
  );
  if (of > entities.length)
    say(
      `${formatCount(entities.length)} of ${formatCount(of)}; go on with --after "${plain(entities.at(-1)!.key)}"`,
    );
}

function showEntity(entity: EntityDetail): void {
  const { name, type, said, aliases, mentions, documents, summary, relations, places } = entity;
  print(`${paint('bold', plain(name))}${type === null ? '' : `, ${type}`}`);
  const dim = (text: string): void => print(paint('dim', text));
  if (said !== null) dim(`type by ${said.by === 'owner' ? 'its owner' : `a ${said.by}`}: ${plain(said.why)}`);
  if (aliases.length > 0) print(`also ${plain(aliases.join(', '))}`);
  if (summary !== null) print(`\n${plain(summary.text)}`);
  print(`\n${formatPlural(mentions, 'passage')} in ${formatPlural(documents, 'document')}`);
  for (const { property, object, value, sentence } of relations.slice(0, MOST_SAID)) {
    print(`${property}: ${plain(object?.name ?? value ?? '')}`);
    if (sentence !== null) dim(`  ${short(sentence)}`);
  }
  if (relations.length > MOST_SAID) dim(`and ${formatCount(relations.length - MOST_SAID)} more (--json)`);
  for (const { path, chunks } of places.slice(0, FEW)) {
    print(`\n${plain(path)}`);
    for (const { sentence, place } of chunks.slice(0, 2)) {
      const where =
        place.page !== undefined
          ? `page ${place.page}`
          : place.line !== undefined
            ? `line ${place.line}`
            : '';
      dim(`  ${where === '' ? '' : `${where}: `}${short(sentence)}`);
    }
  }
  if (entity.neighbours.length > 0) print(`\n${neighbourTable(entity.neighbours.slice(0, FEW))}`);
  if (entity.timeline.length > 0) {
    print();
    for (const entry of entity.timeline.slice(0, FEW)) printDate(entry);
  }
}

function neighbourTable(neighbours: readonly Neighbour[]): string {
  return table(
    [
      ['BESIDE IT', 'TYPE', 'PASSAGES', 'TIE'],
      ...neighbours.map(({ name, type, shared, weight }) => [
        ...[short(name, 60), type ?? '-', formatCount(shared), weight.toFixed(2)],
      ]),
    ],
    [2, 3],
  );
}

function showTimeline({ entries, of }: TimelinePage): void {
  if (entries.length === 0) print('No dates.');
  for (const entry of entries) printDate(entry);
  if (of > entries.length)
    say(`${formatCount(entries.length)} of ${formatCount(of)}; more with --offset and --limit`);
}

function printDate({ from, to, precision, sentence, path }: TimelineEntry): void {
  const length = { day: 10, month: 7, year: 4, years: 4 }[precision];
  const when = precision === 'years' ? `${from.slice(0, 4)}–${to.slice(0, 4)}` : from.slice(0, length);
  print(`${paint('bold', when.padEnd(10))}  ${short(sentence)}  ${paint('dim', plain(path))}`);
}

function showCommunities({ communities, modularity, of }: CommunitiesView, limit: number): void {
  if (communities.length === 0) {
    print('No names that stand together.');
    return;
  }
  const rows = communities.slice(0, limit).map(({ id, size, members }) => [
    ...[String(id), formatCount(size)],
    short(
      members
        .slice(0, 6)
        .map(({ name }) => name)
        .join(', '),
      100,
    ),
  ]);
  print(table([['ID', 'NAMES', 'AMONG THEM'], ...rows], [0, 1]));
  say(
    `${formatPlural(communities.length, 'community', 'communities')} of ${formatPlural(of, 'name')}, modularity ${modularity.toFixed(2)}`,
  );
}

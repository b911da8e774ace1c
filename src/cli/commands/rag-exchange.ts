/** `kith rag export` and `kith rag import`. @module cli/commands/rag-exchange */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { formatBytes, formatCount, formatPlural } from '../../base/index.ts';
import type { ExportReport, ImportReport } from '../../knowledge/index.ts';
import type { JobView } from '../../server/index.ts';
import { exitCode, UsageError } from '../failure.ts';
import { onInterrupt } from '../interrupt.ts';
import { asTyped, paint, plain, print, printJson, say } from '../output.ts';
import type { Handler } from '../program.ts';
import { type RagDesk, withRag } from '../rag-desk.ts';
import { codeOf, follow, tell } from './rag-jobs.ts';

/** Lines of what was done that are shown; `--json` has more. */
const SHOWN = 20;

export const exportKb: Handler = async ({ args, options }) => {
  const name = String(args[0]);
  const target = resolve(String(args[1]));
  if (options.obsidian !== true) {
    if (!/\.sqlite$/iu.test(target))
      throw new UsageError(
        `Say what to write: notes with --obsidian, or a whole copy into a file that ends in .sqlite: kith rag export ${name} ${name}.sqlite`,
      );
    for (const option of ['least', 'all', 'sources'])
      if (options[option] !== undefined) throw new UsageError(`--${option} goes with --obsidian.`);
    const job = await ended(options, ({ exchange }) =>
      exchange.backup(name, { file: target, replace: options.force === true }),
    );
    const { copy } = job.progress;
    if (copy === undefined) return tellUnfinished(job, options.json === true);
    if (options.json) printJson(copy);
    else print(`${plain(copy.file)}: a copy of ${name}, ${formatBytes(copy.bytes)}`);
    return;
  }
  if (options.force !== undefined) throw new UsageError('--force goes with a copy in a file.');
  if (options.all === true && options.least !== undefined)
    throw new UsageError('--all and --least contradict each other.');
  const least = options.all === true ? 1 : options.least;
  const order = {
    folder: target,
    ...(least === undefined ? {} : { least: Number(least) }),
    ...(options.sources === undefined ? {} : { sources: options.sources as 'notes' | 'files' }),
  };
  const job = await ended(options, ({ exchange }) => exchange.exportNotes(name, order));
  const { notes: report } = job.progress;
  if (report === undefined) return tellUnfinished(job, options.json === true);
  if (options.json) printJson(report);
  else tellExport(report);
  return report.leftCount > 0 ? exitCode.degraded : exitCode.ok;
};

/** The job, followed to its end. */
const ended = (
  options: Readonly<Record<string, unknown>>,
  begin: (desk: RagDesk['desk']) => Promise<JobView>,
): Promise<JobView> => withRag(options, async (rag) => follow(rag, await begin(rag.desk)));

function tellUnfinished(job: JobView, json: boolean): number {
  if (json) printJson(job);
  else tell(job);
  return codeOf([job]);
}

function tellExport(report: ExportReport): void {
  const { folder, entities, sources, written, unchanged, removed, left, leftCount } = report;
  print(
    `${plain(folder)}: ${formatPlural(entities, 'name')} and ${formatPlural(sources, 'document')} in notes; ` +
      `${formatCount(written)} written, ${formatCount(unchanged)} unchanged, ${formatCount(removed)} removed`,
  );
  tellLeft(left, leftCount);
}

function tellLeft(left: ExportReport['left'], count: number): void {
  for (const { file, why } of left.slice(0, SHOWN))
    say(`${paint('yellow', 'left:', process.stderr)} ${plain(file)}: ${asTyped(plain(why))}`);
  if (count > SHOWN) say(`and ${formatCount(count - SHOWN)} more (--json)`);
}

export const importKb: Handler = async ({ args, options }) => {
  const name = String(args[0]);
  const source = resolve(String(args[1]));
  const facts = await stat(source).catch(() => null);
  if (facts === null ? /\.sqlite$/iu.test(source) : !facts.isDirectory()) {
    if (options.dryRun !== undefined) throw new UsageError('--dry-run goes with a folder of notes.');
    const folder = options.folder === undefined ? {} : { folder: resolve(String(options.folder)) };
    const made = await withRag(options, ({ desk }) =>
      desk.exchange.restore(name, { file: source, ...folder }),
    );
    if (options.json) printJson(made);
    else
      print(
        `Knowledge base ${made.name} in ${plain(made.path)}, with ${formatPlural(made.contents?.documents ?? 0, 'document')}`,
      );
    return;
  }
  if (options.folder !== undefined) throw new UsageError('--folder goes with a copy in a file.');
  using interrupt = onInterrupt();
  const report = await withRag(options, ({ desk }) =>
    desk.exchange.importNotes(name, { folder: source, dryRun: options.dryRun === true }, interrupt.signal),
  );
  if (options.json) printJson(report);
  else tellImport(report, options.dryRun === true);
  return report.left.length > 0 ? exitCode.degraded : exitCode.ok;
};

function tellImport(report: ImportReport, isDry: boolean): void {
  const { folder, notes, changed, changes, changeCount, conflicts, left, hasList, isWhole } = report;
  if (changeCount === 0) print(`${plain(folder)}: nothing new in ${formatPlural(notes, 'note')}`);
  else
    print(
      `${plain(folder)}: ${formatPlural(changeCount, 'change')} in ${formatPlural(changed, 'note')} ${isDry ? 'would be taken in' : 'taken in'}`,
    );
  for (const { file, what } of changes.slice(0, SHOWN)) print(`${plain(file)}: ${plain(what)}`);
  if (changeCount > SHOWN) say(`and ${formatCount(changeCount - SHOWN)} more (--json)`);
  for (const { file, what, instead } of conflicts.slice(0, SHOWN))
    say(
      `${paint('yellow', 'conflict:', process.stderr)} ${plain(file)}: ${plain(what)} (the knowledge base said: ${plain(instead ?? 'nothing')})`,
    );
  if (conflicts.length > SHOWN) say(`and ${formatCount(conflicts.length - SHOWN)} more (--json)`);
  tellLeft(left, left.length);
  if (!isWhole)
    say('An export to this folder has not come to its end. Say it again: it goes on with what is missing.');
  if (!hasList)
    say(
      'The list of what was exported is gone from this folder: what is missing in notes was not taken away.',
    );
}

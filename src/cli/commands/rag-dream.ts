/** `kith rag dream`: what is known of names, completed. @module cli/commands/rag-dream */
import { formatCount, formatDuration, formatPercent, formatPlural } from '../../base/index.ts';
import type { DreamEntry, DreamView, ExtractionView, JobView, ScoreView } from '../../server/index.ts';
import { UsageError } from '../failure.ts';
import { journalLine } from '../journal-line.ts';
import { wrapped } from '../lines.ts';
import { asTyped, paint, plain, print, printJson, say, table } from '../output.ts';
import type { Handler, Invocation } from '../program.ts';
import { withRag } from '../rag-desk.ts';
import { codeOf, follow } from './rag-jobs.ts';

const SHOWN = 160;
const RUNS = 20;

const nameOf = ({ args }: Invocation): string => String(args[0]);
const short = (text: string, most = SHOWN): string =>
  plain(text.length > most ? `${text.slice(0, most - 1).toWellFormed()}…` : text);
const percent = (share: number): string => formatPercent(share);

function runOf({ args }: Invocation): number {
  const text = String(args[1]);
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new UsageError(
    `'${text.slice(0, 40)}' is no dream: say its number, as \`kith rag dream status\` lists it.`,
  );
}

export const run: Handler = async (invocation) => {
  const { options } = invocation;
  const kb = nameOf(invocation);
  const ended = await withRag(options, async (rag) => {
    const begun = await rag.desk.dream.run(kb, {
      ms: Number(options.budget),
      calls: Number(options.calls),
      mergeAt: options.merges === false ? 2 : Number(options.mergeAt),
      ...(options.model === undefined
        ? {}
        : { model: options.model === 'none' ? null : String(options.model) }),
    });
    const job = await follow(rag, begun.job);
    const runs = await rag.desk.dream.runs(kb, RUNS);
    return { job, run: runs.find(({ id }) => id === begun.run.id) ?? begun.run };
  });
  if (options.json) printJson(ended);
  else showRun(kb, ended.run, ended.job);
  return codeOf([ended.job]);
};

function showRun(
  kb: string,
  { id, found, before, after, spentMs, stopped, note }: DreamView,
  job: JobView,
): void {
  if (job.error !== null)
    say(`${paint('red', 'error:', process.stderr)} ${asTyped(plain(job.error.message))}`);
  if (after === null) {
    say(asTyped(`It is not over. How far it is: kith rag dream status ${kb}`));
    return;
  }
  print(
    `Dream ${id}: ${foundText(found)}, in ${formatDuration(spentMs)}; complete to ${percent(after.score)}, before ${percent(before.score)}`,
  );
  if (found.calls > 0)
    print(
      `The model read ${formatPlural(found.calls, 'passage')}: ${formatPlural(found.kept, 'value')} taken over, ${formatCount(found.refused)} refused`,
    );
  if (stopped === 'budget') say('Its time was up: another goes on.');
  if (stopped === 'busy') say('Others wanted the machine: another goes on.');
  if (note !== null) say(`${paint('yellow', 'the model failed:', process.stderr)} ${plain(note)}`);
  say(asTyped(`What it did: kith rag dream journal ${kb} ${id}. Undo it: kith rag dream undo ${kb} ${id}`));
}

function foundText({ types, summaries, relations, merges, weights }: DreamView['found']): string {
  return [
    formatPlural(types, 'type'),
    formatPlural(summaries, 'summary', 'summaries'),
    formatPlural(relations, 'relation'),
    ...(merges > 0 ? [formatPlural(merges, 'merge')] : []),
    ...(weights > 0
      ? [`${formatPlural(weights, 'word')} that ${weights === 1 ? 'is' : 'are'} probably no name`]
      : []),
  ].join(', ');
}

export const status: Handler = async (invocation) => {
  const { options } = invocation;
  const kb = nameOf(invocation);
  const told = await withRag(options, async ({ desk }) => ({
    score: await desk.dream.score(kb, 5),
    runs: await desk.dream.runs(kb, RUNS),
    extraction: await desk.dream.extraction(kb),
  }));
  if (options.json) {
    printJson(told);
    return;
  }
  printScore(told.score);
  printExtraction(told.extraction);
  if (told.runs.length === 0) {
    print(asTyped(`No dreams yet: kith rag dream run ${kb}`));
    return;
  }
  print(
    table(
      [
        ['DREAM', 'SINCE (UTC)', 'STATE', 'TOOK', 'SAID', 'MERGES', 'READ', 'BEFORE', 'AFTER'],
        ...told.runs.map(({ id, began, state, spentMs, found, before, after }) => [
          ...[String(id), new Date(began).toISOString().slice(0, 16).replace('T', ' '), state],
          ...[formatDuration(spentMs), formatCount(found.types + found.summaries + found.relations)],
          ...[formatCount(found.merges), formatCount(found.calls)],
          ...[percent(before.score), after === null ? '-' : percent(after.score)],
        ]),
      ],
      [0, 3, 4, 5, 6, 7, 8],
    ),
  );
};

const PHASES: Readonly<Record<ExtractionView['phase'], string>> = {
  ...{
    off: 'only while a node runs',
    no_model: 'knowledge.writer names no model',
    unfit: 'the model is too weak',
  },
  ...{
    waiting: 'waits until the node has nothing else to do',
    reading: 'reads',
    spent: 'has used up the tokens of today',
  },
  ...{ nothing_left: 'has read all passages', failed: 'failed, and tries again' },
  undone: 'ended, since what this model read was undone',
};

function printExtraction(view: ExtractionView): void {
  if (view.mode === 'off') return;
  const { phase, note, run, tokens, budget, calls, kept, refused, left } = view;
  print(
    `While idle: ${PHASES[phase]}; today ${formatPlural(calls, 'passage')} read, ${formatPlural(kept, 'value')} taken over, ${formatCount(refused)} refused, ${formatCount(tokens)} of ${formatCount(budget)} tokens${run === null ? '' : ` (dream ${run})`}; ${formatPlural(left, 'name lacks', 'names lack')} something`,
  );
  if (note !== null) say(plain(note));
}

export const journal: Handler = async (invocation) => {
  const { options } = invocation;
  const page = { after: Number(options.after ?? 0), limit: Number(options.limit) };
  const told = await withRag(options, ({ desk }) =>
    desk.dream.journal(nameOf(invocation), runOf(invocation), page),
  );
  if (options.json) {
    printJson(told);
    return;
  }
  if (told.run.state === 'undone') say('It was undone: nothing of it holds.');
  if (told.entries.length === 0) print('It said nothing.');
  for (const entry of told.entries) printEntry(entry);
  if (told.next !== null) say(`More with --after ${told.next}`);
};

function printEntry(entry: DreamEntry): void {
  print(wrapped(journalLine(entry), process.stdout.isTTY ? process.stdout.columns : undefined));
}

export const undo: Handler = async (invocation) => {
  const { options } = invocation;
  const undone = await withRag(options, ({ desk }) => desk.dream.undo(nameOf(invocation), runOf(invocation)));
  if (options.json) printJson(undone);
  else print(`Dream ${undone.id} is undone: everything is shown as it was before it.`);
};

/** `kith rag graph NAME score`. */
export const score: Handler = async (invocation) => {
  const { options } = invocation;
  const told = await withRag(options, ({ desk }) =>
    desk.dream.score(nameOf(invocation), Number(options.limit)),
  );
  if (options.json) {
    printJson(told);
    return;
  }
  printScore(told);
  if (told.lacking.length > 0)
    print(
      table(
        [
          ['NAME', 'PASSAGES', 'TYPE', 'SUMMARY', 'RELATIONS', 'COMPLETE'],
          ...told.lacking.map((each) => [
            ...[short(each.key, 60), formatCount(each.mentions), each.type === 1 ? 'yes' : '-'],
            ...[each.summary === 1 ? 'yes' : '-', percent(each.relations), percent(each.score)],
          ]),
        ],
        [1, 4, 5],
      ),
    );
};

function printScore({ score: whole, type, summary, relations, entities, names }: ScoreView): void {
  print(
    `Complete to ${percent(whole)}: types ${percent(type)}, summaries ${percent(summary)}, relations ${percent(relations)} ` +
      `(of ${formatCount(entities)} names that matter, of ${formatCount(names)})`,
  );
}

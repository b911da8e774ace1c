/** Answers from a knowledge base on a terminal: as they come, then their sources. @module cli/commands/rag-answer */
import { formatDuration, formatPlural, KithError } from '../../base/index.ts';
import {
  type AnswerEventView,
  type AnswerQuery,
  type AnswerView,
  answerView,
  type SourceView,
} from '../../server/index.ts';
import { exitCode } from '../failure.ts';
import { onInterrupt } from '../interrupt.ts';
import { asTyped, paint, plain, print, printJson, say } from '../output.ts';
import type { Handler, Invocation } from '../program.ts';
import { type RagDesk, withRag } from '../rag-desk.ts';
import { filterOf } from '../rag-filter.ts';
import { stepsOf, tellSteps } from '../rag-steps.ts';

/** As the route takes them. */
const MOST_SOURCES = 20;

/** What the options of a command say of an answer. */
export function wishesOf({
  options,
}: Pick<Invocation, 'options'>): Omit<AnswerQuery, 'question' | 'history'> {
  const filter = filterOf(options);
  return {
    mode: options.mode as AnswerQuery['mode'],
    ...(options.fresh === true ? { fresh: true } : {}),
    ...(filter === null ? {} : { filter }),
    ...(options.k === undefined ? {} : { k: Math.min(MOST_SOURCES, Number(options.k)) }),
    ...writerOf(options),
    ...stepsOf(options),
  };
}

/** Null: no model. */
export const writerOf = ({ writer }: Invocation['options']): Pick<AnswerQuery, 'writer'> =>
  writer === undefined ? {} : { writer: writer === 'none' ? null : String(writer) };

/** `kith rag query NAME ... --answer`: exit code 1 when the documents do not answer. */
export const answerOnce: Handler = async (invocation) => {
  const { args, options } = invocation;
  const question = ((args[1] ?? []) as readonly string[]).join(' ');
  using interrupt = onInterrupt();
  const { signal } = interrupt;
  const asked = { ...wishesOf(invocation), question, history: [] };
  const told = await withRag(options, (rag) =>
    ask(rag, String(args[0]), asked, signal, options.json === true),
  );
  if (options.json) printJson(told);
  else tellBeside(told);
  return told.outcome === 'refused' ? exitCode.failure : exitCode.ok;
};

/**
 * Asks, and prints the text as it comes unless `quiet`.
 *
 * @throws KithError `aborted` when the signal fires
 */
export async function ask(
  { desk }: Pick<RagDesk, 'desk'>,
  kb: string,
  query: AnswerQuery,
  signal: AbortSignal,
  quiet: boolean,
): Promise<AnswerView> {
  const began = performance.now();
  const events: AnswerEventView[] = [];
  let begun = false;
  try {
    for await (const event of await desk.answers.answer(kb, query, signal)) {
      events.push(event);
      if (event.type !== 'text' || quiet) continue;
      process.stdout.write(plain(begun ? event.text : event.text.trimStart()));
      begun = true;
    }
  } catch (error) {
    // Each part that is under way says it in its own words.
    throw signal.aborted ? new KithError('aborted', 'Stopped.', { cause: error }) : error;
  } finally {
    if (begun) print();
  }
  return answerView(events, performance.now() - began);
}

/** Sources, who wrote, and what was left out. */
export function tellBeside(told: AnswerView): void {
  const { outcome, citations, sources, writers, warnings, figures, route, cached } = told;
  const cited = new Set(citations.map(({ n }) => n));
  const named = sources.filter(({ n }) => cited.has(n));
  if (named.length > 0) print();
  for (const source of named) print(sourceLine(source, told));
  const wrote = writers.find(({ task }) => task === 'answer');
  if (wrote === undefined) {
    if (outcome === 'extracted') say('Sentences of your documents; no model wrote this.');
  } else {
    const asked = `${plain(wrote.model)}, ${placeOf(wrote)}`;
    if (outcome === 'written') say(`Written by ${asked}, and checked against the sources.`);
    else if (outcome === 'extracted')
      say(`Sentences of your documents: what was written by ${asked}, is not in the sources.`);
    else say(`Asked: ${asked}.`);
  }
  if (cached !== undefined)
    say(
      `Answered ${formatDuration(cached.ageMs)} ago${cached.similarity === 1 ? '' : ' to a question much like it'}; --fresh has it made anew.`,
    );
  if (figures.leftOut > 0 && outcome === 'written')
    say(`${formatPlural(figures.leftOut, 'sentence')} left out that no source supports.`);
  for (const { code, message } of warnings)
    if (OF_INTEREST.has(code)) say(`${paint('yellow', 'note:', process.stderr)} ${asTyped(plain(message))}`);
  if (route !== null) say(`Way: ${route.taken}, since ${plain(route.why)}`);
  tellSteps(told.steps);
}

/** The others say of single sentences what the figures say of all; `--json` has them. */
const OF_INTEREST: ReadonlySet<string> = new Set([
  ...['writer_failed', 'answer_cut', 'rewrite_skipped', 'search_degraded', 'source_cut'],
]);

/** `[1] contracts/lease.md, page 3: Lease › Rent`, by the place of the sentence that was cited first. */
export function sourceLine({ n, path, title, where, place }: SourceView, { citations }: AnswerView): string {
  const at = citations.find((each) => each.n === n)?.place ?? place;
  const places = [
    ...(at.part === undefined ? [] : [at.part]),
    ...(at.sheet === undefined ? [] : [`sheet ${at.sheet}`]),
    ...(at.page === undefined ? [] : [`page ${at.page}`]),
    ...(at.line === undefined ? [] : [`line ${at.line}`]),
  ];
  const behind = places.length > 0 ? places.join(', ') : where;
  return `[${n}] ${paint('bold', plain(path))}${behind === '' ? '' : `, ${plain(behind)}`}${paint('dim', `: ${plain(title.replace(/\s+/gu, ' '))}`)}`;
}

type Wrote = AnswerView['writers'][number];

const PLACES = {
  this_machine: 'on this machine',
  owned: 'on another machine of yours',
  peer: 'by a peer',
  provider: 'by a provider',
} as const;

function placeOf({ backend, where, link, privacy, replaced, others }: Wrote): string {
  const sent = others.length === 0 ? [] : [`sent in vain to ${others.map(plain).join(', ')}`];
  if (where === null || where === 'this_machine')
    return [where === null ? `of ${plain(backend)}` : PLACES[where], ...sent].join(', ');
  const words = replaced?.reduce((sum, { count }) => sum + count, 0) ?? 0;
  return [
    `${PLACES[where]} (${plain(backend)})`,
    ...(link === null
      ? []
      : [
          `over ${link === 'encrypted' ? 'an encrypted link' : link === 'open' ? 'an open link' : 'your own network'}`,
        ]),
    ...(privacy === null ? [] : [`privacy ${privacy}`]),
    ...(words === 0 ? [] : [`${formatPlural(words, 'place')} with personal data replaced`]),
    ...sent,
  ].join(', ');
}

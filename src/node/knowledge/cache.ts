/**
 * Answers of knowledge bases that are given again: which are kept, and that they say so.
 *
 * @module node/knowledge/cache
 */
import { messageOf, throwIfAborted } from '../../base/index.ts';
import { type AnswerEvent, KEPT_MS, type Looked, lookFor, namedIn } from '../../knowledge/index.ts';
import type { AnswerQuery, CacheDesk } from '../../server/index.ts';
import type { AreaParts } from './areas.ts';
import type { OpenKb } from './kbs.ts';
import { stepsOf } from './searching.ts';

/** With these an answer is less than it could be, and the next one may be better. */
const PASSING: ReadonlySet<string> = new Set([
  ...['answer_cut', 'writer_failed', 'search_degraded', 'rewrite_skipped'],
]);

/**
 * The events of an answer: of one that is kept, else as they are made, and then kept if all that it says was verified.
 *
 * @param writer what the model that writes is called; null: none does
 */
export async function* answerAgain(
  { config, clock, log }: Pick<AreaParts, 'config' | 'clock' | 'log'>,
  { store, embedder, graph }: Pick<OpenKb, 'store' | 'embedder' | 'graph'>,
  query: AnswerQuery,
  writer: string | null,
  signal: AbortSignal,
  make: () => AsyncIterable<AnswerEvent>,
): AsyncGenerator<AnswerEvent> {
  const mode = config.knowledge.cache;
  if (mode === 'off') {
    yield* make();
    return;
  }
  const {
    question,
    fresh = false,
    language,
    history,
    mode: by,
    filter = null,
    k = null,
    maxTokens = null,
  } = query;
  const { expand, rerank } = stepsOf({ config }, query);
  const steps = expand.length === 0 && rerank === 'none' ? {} : { expand, rerank };
  let looked: Looked | null = null;
  try {
    looked = await lookFor(
      {
        ...{ store, embedder, clock },
        namesIn: async (text) => namedIn(await graph.current(), text).map(({ form }) => form),
      },
      {
        text: question,
        options: JSON.parse(
          JSON.stringify({ history, by, filter, k, maxTokens, writer, language, ...steps }),
        ) as unknown,
        similar: mode === 'similar',
      },
      signal,
    );
  } catch (error) {
    throwIfAborted(signal);
    log.warn('A question could not be compared with earlier ones.', { err: messageOf(error) });
  }
  const found = fresh ? null : (looked?.found ?? null);
  const again = found === null ? null : eventsIn(found.value);
  if (found !== null && again !== null) {
    const cached = { ageMs: found.ageMs, similarity: found.similarity };
    for (const event of again) yield event.type === 'finish' ? { ...event, cached } : event;
    return;
  }
  const events: AnswerEvent[] = [];
  for await (const event of make()) {
    events.push(event);
    yield event;
  }
  if (looked === null || !isVerified(events)) return;
  try {
    await looked.keep(JSON.stringify(events), signal);
  } catch (error) {
    // Whoever asked has the answer already.
    log.debug('An answer was not kept.', { err: messageOf(error) });
  }
}

/** Whether nothing is missing in it, and a source says every sentence of it that can be checked. */
function isVerified(events: readonly AnswerEvent[]): boolean {
  const finish = events.at(-1);
  return (
    finish?.type === 'finish' &&
    finish.outcome !== 'refused' &&
    finish.figures.verified > 0 &&
    events.every(
      (event) =>
        !(event.type === 'warning' && PASSING.has(event.code)) &&
        // Next time there may be more of it.
        !(event.type === 'sources' && event.steps.some(({ code }) => code === 'late' || code === 'failed')) &&
        !(event.type === 'sentence' && event.given && event.status === 'unsupported'),
    )
  );
}

/** Null when it is not an answer: the file may have been written elsewhere. */
function eventsIn(value: string): AnswerEvent[] | null {
  try {
    const events = JSON.parse(value) as AnswerEvent[];
    const isAnswer =
      Array.isArray(events) &&
      events.at(-1)?.type === 'finish' &&
      events.some(({ type }) => type === 'sources') &&
      events.every(({ type }) => typeof type === 'string');
    return isAnswer ? events : null;
  } catch {
    return null;
  }
}

export function cacheDesk({
  withKb,
  config,
  clock,
}: Pick<AreaParts, 'withKb' | 'config' | 'clock'>): CacheDesk {
  return {
    stats: (name) =>
      withKb(name, ({ store }) => ({
        mode: config.knowledge.cache,
        ...store.kept.figures(clock.now(), KEPT_MS),
      })),
    clear: (name) => withKb(name, ({ store }) => store.kept.clear()),
  };
}

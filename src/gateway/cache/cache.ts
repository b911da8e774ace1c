/**
 * The answer cache: looks a question up, joins one that is under way, or asks and keeps the answer.
 *
 * @module gateway/cache/cache
 */
import { type Clock, isKithError, type Logger, totalOf } from '../../base/index.ts';
import type { ChatEvent, ChatRequest } from '../types.ts';
import { questionText } from './anchors.ts';
import { DEFAULT_THRESHOLDS, type Intent } from './intent.ts';
import { answerKey, isCacheable, topicKey } from './key.ts';
import { createRecorder, isRepeatable, markedReceipt, replay } from './record.ts';
import { createSemanticIndex, mayBeSimilar, type Question, type SemanticIndex } from './semantic.ts';
import { createFlights } from './single-flight.ts';
import type {
  Answer,
  AnswerKey,
  AnswerScope,
  AnswerStore,
  CachedReceipt,
  CacheStats,
  CacheStatus,
  ClearFilter,
  Embedder,
  StoredAnswer,
} from './types.ts';
import { FRESH_MS, volatilityOf } from './volatility.ts';

export interface AnswerCacheOptions {
  readonly store: AnswerStore;
  readonly clock: Clock;
  readonly log: Logger;
  /** Characters of an answer that are kept, and kept for waiters who lag behind. @default 1,000,000 */
  readonly maxAnswerChars?: number;
  /** Answers to questions that mean the same, for callers who allow it. @default none */
  readonly similar?: {
    readonly embedder: Embedder;
    readonly dimension: number;
    /** @default 10,000 */
    readonly maxEntries?: number;
    readonly thresholds?: Readonly<Record<Intent, number>>;
  } | null;
}

/** The newest answer to a question, however old. */
export interface LastGood {
  /** ms since the answer was made. */
  readonly ageMs: number;
  /** Its events, the receipt marked as stale, or as a hit while the answer is fresh. */
  readonly events: readonly ChatEvent[];
}

export interface AnswerCache extends AsyncDisposable {
  /** Null when answers to the request may not be kept. */
  key(request: ChatRequest, scope: AnswerScope): AnswerKey | null;
  /**
   * Events of the answer. `ask` is called, with a signal of its own, when nothing is kept and nobody else asks the
   * same; each caller iterates at its own pace, and the asking ends early when all have left. Failures are not kept
   * and go to all.
   */
  answer(
    request: ChatRequest,
    scope: AnswerScope,
    ask: (signal: AbortSignal) => AsyncIterable<ChatEvent>,
  ): AsyncIterable<ChatEvent>;
  /** For when nothing better can be had. Null when there is none. */
  lastGood(key: AnswerKey): Promise<LastGood | null>;
  /** How many answers were removed. Throws when the store cannot be reached. */
  clear(filter?: ClearFilter): Promise<number>;
  stats(): Promise<CacheStats>;
  /** Resolves when what is being kept has been kept. */
  settled(): Promise<void>;
}

export function createAnswerCache(options: AnswerCacheOptions): AnswerCache {
  const { store, clock, log } = options;
  const maxChars = options.maxAnswerChars ?? 1_000_000;
  const similar = options.similar ?? null;
  const thresholds = similar?.thresholds ?? DEFAULT_THRESHOLDS;
  const index: SemanticIndex | null =
    similar === null
      ? null
      : createSemanticIndex({
          dimension: similar.dimension,
          maxEntries: similar.maxEntries ?? 10_000,
          thresholds,
        });
  const counts = {
    hits: 0,
    similar: 0,
    shared: 0,
    misses: 0,
    expired: 0,
    stale: 0,
    bypassed: 0,
    stored: 0,
    failed: 0,
    savedTokens: 0,
  };
  const flights = createFlights<ChatEvent>({ sizeOf: sizeOfEvent, maxKept: maxChars });
  const writes = new Set<Promise<void>>();
  /** Raised by each clearing: what was asked before it is not kept after it. */
  let generation = 0;

  const serve = (stored: StoredAnswer, status: CacheStatus, similarity?: number): Generator<ChatEvent> => {
    const { answer } = stored;
    const savedTokens = totalOf([answer.promptTokens, answer.completionTokens]);
    counts.savedTokens += savedTokens ?? 0;
    const ageMs = Math.max(0, clock.now() - stored.storedAt);
    const near = similarity === undefined ? {} : { similarity: Math.min(1, similarity) };
    return replay(answer, { status, ageMs, savedTokens, ...near });
  };

  /** What the receipt of a waiter says who joined the call of another. */
  const seen = (event: ChatEvent, joined: boolean): ChatEvent => {
    if (!joined) return event;
    if (event.type === 'start') counts.shared++;
    if (event.type !== 'usage' || 'cache' in event.receipt) return event;
    const savedTokens = totalOf([event.promptTokens, event.completionTokens]);
    counts.savedTokens += savedTokens ?? 0;
    return { ...event, receipt: markedReceipt(event.receipt, { status: 'shared', ageMs: 0, savedTokens }) };
  };

  const questionOf = async (
    request: ChatRequest,
    scope: AnswerScope,
    signal: AbortSignal,
  ): Promise<Question | null> => {
    if (similar === null || scope.similar !== true) return null;
    const text = request.messages.at(-1)?.content ?? '';
    const topic = topicKey(request, scope);
    if (topic === null || !mayBeSimilar(text, thresholds)) return null;
    try {
      const [vector] = await similar.embedder.embed([questionText(text)], signal);
      return vector === undefined ? null : { topic: `${similar.embedder.model} ${topic.id}`, text, vector };
    } catch (error) {
      if (!signal.aborted) log.warn('A question could not be compared with earlier ones.', { err: error });
      return null;
    }
  };

  const keep = async (key: AnswerKey, request: ChatRequest, answer: Answer, question: Question | null) => {
    const began = generation;
    const storedAt = clock.now();
    const freshUntil = storedAt + FRESH_MS[volatilityOf(request, storedAt)];
    const bytes = await store.put(key, { answer, storedAt, freshUntil });
    if (bytes === 0) return;
    // Cleared while it was being written: it may be either side of the clearing, and must not outlive it.
    if (began !== generation) return store.remove(key);
    counts.stored++;
    if (question !== null) index?.add(question, key);
  };

  async function* asked(
    key: AnswerKey,
    request: ChatRequest,
    scope: AnswerScope,
    ask: (signal: AbortSignal) => AsyncIterable<ChatEvent>,
    signal: AbortSignal,
    hold: (until: Promise<unknown>) => void,
  ): AsyncGenerator<ChatEvent> {
    const began = generation;
    const stored = await store.get(key);
    if (stored !== null && clock.now() < stored.freshUntil) {
      counts.hits++;
      return yield* serve(stored, 'hit');
    }
    const question = await questionOf(request, scope, signal);
    const match = question === null ? null : index!.find(question);
    if (match !== null && match.key.id !== key.id) {
      const found = await store.get(match.key);
      if (found !== null && clock.now() < found.freshUntil) {
        counts.similar++;
        return yield* serve(found, 'similar', match.similarity);
      }
      if (found === null) index!.remove(match.key);
    }
    counts.misses++;
    if (stored !== null) counts.expired++;
    const recorder = createRecorder(maxChars);
    try {
      for await (const event of ask(signal)) {
        recorder.add(event);
        const answer = event.type === 'usage' ? recorder.answer() : null;
        if (answer !== null && isRepeatable(answer, request) && began === generation) {
          const write = keep(key, request, answer, question).catch((error: unknown) => {
            log.warn('An answer could not be kept.', { err: error });
          });
          writes.add(write);
          hold(write.finally(() => writes.delete(write)));
        }
        yield event;
      }
    } catch (error) {
      if (!signal.aborted && !(isKithError(error) && error.code === 'aborted')) counts.failed++;
      throw error;
    }
  }

  const keyOf = (request: ChatRequest, scope: AnswerScope) =>
    isCacheable(request, scope) ? answerKey(request, scope) : null;
  const settled = async () => {
    while (writes.size > 0) await Promise.all(writes);
  };

  return {
    key: keyOf,
    answer(request, scope, ask) {
      const key = keyOf(request, scope);
      if (key === null) {
        counts.bypassed++;
        return ask(request.signal);
      }
      // Requests with other time limits do not share a call, or one would fail by the limit of another; nor do those
      // that may get a similar answer and those that may not.
      const flight = `${generation} ${key.id} ${request.timeoutMs ?? ''} ${scope.similar === true}`;
      return flights.run(
        flight,
        request.signal,
        (signal, hold) => asked(key, request, scope, ask, signal, hold),
        seen,
      );
    },
    async lastGood(key) {
      const stored = await store.get(key);
      if (stored === null) return null;
      const fresh = clock.now() < stored.freshUntil;
      counts[fresh ? 'hits' : 'stale']++;
      const events = [...serve(stored, fresh ? 'hit' : 'stale')];
      return { ageMs: Math.max(0, clock.now() - stored.storedAt), events };
    },
    async clear(filter = {}) {
      generation++;
      index?.clear(filter.olderThanMs === undefined ? filter.model : undefined);
      return store.clear(filter);
    },
    async stats() {
      return { ...counts, ...(await store.size()), inFlight: flights.size };
    },
    settled,
    async [Symbol.asyncDispose]() {
      await settled();
      await store.close();
    },
  };
}

/** What the receipt says of the cache, or null for an answer that did not come from it. */
export function cacheNoteOf(receipt: object): CachedReceipt['cache'] | null {
  return 'cache' in receipt ? (receipt as CachedReceipt).cache : null;
}

/** Characters, and a little for what an event takes beside them. */
function sizeOfEvent(event: ChatEvent): number {
  return 64 + (event.type === 'text' || event.type === 'tool_arguments' ? event.text.length : 0);
}

/**
 * Whose texts an encoder takes next. Requests take turns pass by pass, so that one text does not wait behind a thousand, and the limits
 * of generation hold here too: how many may wait, how long until the first pass, how long in all.
 *
 * @module engine/process/embed-queue
 */
import { type Clock, LimitError, throwIfAborted } from '../../base/index.ts';
import type { EngineOptions } from '../types.ts';

/** What the queue needs of an embedder. Of a reranker the vectors have one number. */
export interface PassEmbedder<Row = Int32Array> {
  readonly dimension: number;
  /** What its requests are, for people. @default 'embedding' */
  readonly what?: string;
  /** Groups of rows that make one pass each. */
  plan(rows: readonly Row[]): readonly { readonly indices: readonly number[] }[];
  embed(rows: readonly Row[]): Promise<{ readonly vectors: Float32Array }>;
}

export interface EmbedQueue<Row = Int32Array> {
  /** Row-major, rows.length × dimension. @throws LimitError, AbortedError, and what the embedder throws */
  embed(rows: readonly Row[], signal: AbortSignal): Promise<Float32Array>;
  /** Requests that wait for their first pass, and those under way. */
  readonly waiting: number;
  readonly active: number;
  /** Resolves when nothing is left. */
  drain(): Promise<void>;
}

interface Entry<Row> {
  readonly rows: readonly Row[];
  readonly passes: (readonly number[])[];
  readonly vectors: Float32Array;
  readonly signal: AbortSignal;
  readonly submittedAt: number;
  startedAt: number | null;
  resolve(vectors: Float32Array): void;
  reject(error: unknown): void;
}

type Limits = Pick<EngineOptions, 'maxActive' | 'maxQueue' | 'maxWaitMs' | 'maxRunMs'>;

export function createEmbedQueue<Row = Int32Array>(
  embedder: PassEmbedder<Row>,
  limits: Limits,
  clock: Pick<Clock, 'monotonic'>,
): EmbedQueue<Row> {
  /** In the order of their turns. */
  const entries: Entry<Row>[] = [];
  let loop: Promise<void> | null = null;
  /** Seconds one request took lately, smoothed: the hint of when to come again. */
  let secondsEach = 1;
  const { dimension, what: kind = 'embedding' } = embedder;
  const retryAfter = () => Math.max(1, Math.ceil(secondsEach * entries.length));

  function check(entry: Entry<Row>): void {
    throwIfAborted(entry.signal);
    const now = clock.monotonic();
    const [name, since] =
      entry.startedAt === null
        ? (['maxWaitMs', entry.submittedAt] as const)
        : (['maxRunMs', entry.startedAt] as const);
    if (now - since < limits[name]) return;
    const what = name === 'maxWaitMs' ? 'waited for its turn' : 'ran';
    throw new LimitError(
      `engine.${name}`,
      limits[name],
      `The ${kind} request ${what} ${Math.round(now - since)} ms; \`engine.${name}\` is ${limits[name]}. Send fewer texts at once, or try again later.`,
      { status: 503, retryAfter: retryAfter() },
    );
  }

  async function turn(entry: Entry<Row>): Promise<boolean> {
    check(entry);
    entry.startedAt ??= clock.monotonic();
    const indices = entry.passes.shift()!;
    const { vectors } = await embedder.embed(indices.map((index) => entry.rows[index]!));
    for (const [i, index] of indices.entries()) {
      entry.vectors.set(vectors.subarray(i * dimension, (i + 1) * dimension), index * dimension);
    }
    return entry.passes.length === 0;
  }

  async function run(): Promise<void> {
    for (let entry = entries.shift(); entry !== undefined; entry = entries.shift()) {
      current = entry;
      try {
        if (await turn(entry)) {
          secondsEach = 0.8 * secondsEach + (0.2 * (clock.monotonic() - entry.startedAt!)) / 1000;
          entry.resolve(entry.vectors);
        } else entries.push(entry);
      } catch (error) {
        entry.reject(error);
      } finally {
        current = null;
      }
    }
  }
  let current: Entry<Row> | null = null;

  return {
    async embed(rows, signal) {
      throwIfAborted(signal);
      const waiting = entries.filter(({ startedAt }) => startedAt === null).length;
      if (waiting >= limits.maxQueue + limits.maxActive) {
        throw new LimitError(
          'engine.maxQueue',
          limits.maxQueue,
          `${waiting} ${kind} requests wait already (\`engine.maxQueue\` is ${limits.maxQueue}, beside ${limits.maxActive} under way). Try again later, or send several texts in one request.`,
          { retryAfter: retryAfter() },
        );
      }
      return new Promise<Float32Array>((resolve, reject) => {
        entries.push({
          rows,
          passes: embedder.plan(rows).map(({ indices }) => indices),
          vectors: new Float32Array(rows.length * dimension),
          signal,
          submittedAt: clock.monotonic(),
          startedAt: null,
          resolve,
          reject,
        });
        loop ??= run().finally(() => {
          loop = null;
        });
      });
    },
    get waiting() {
      return entries.filter(({ startedAt }) => startedAt === null).length;
    },
    get active() {
      return entries.filter(({ startedAt }) => startedAt !== null).length + (current === null ? 0 : 1);
    },
    async drain() {
      await loop;
    },
  };
}

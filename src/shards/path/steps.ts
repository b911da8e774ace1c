/**
 * Steps of a path that wait for their rows.
 *
 * @module shards/path/steps
 */
import { AbortedError } from '../../base/index.ts';
import { type CarriedPart, wantedRows } from '../../engine/index.ts';
import { SHARD_BOUNDS } from '../wire/messages.ts';

export interface Waiting {
  readonly n: number;
  readonly parts: readonly CarriedPart[];
  readonly hidden: Float32Array;
  /** Rows that come back. */
  readonly count: number;
  /** Monotonic ms at which it was asked for. */
  readonly begun: number;
  /** Monotonic ms since which nothing was heard of the path. */
  since: number;
  /** On its way through the shards. While one is replaced, steps wait. */
  sent: boolean;
  resolve(rows: Float32Array): void;
  reject(error: unknown): void;
}

export class Steps {
  readonly #waiting = new Map<number, Waiting>();
  readonly #now: () => number;
  #last = 0;
  /** Told of each step that ends. */
  #onChange: ((ends: boolean) => void) | null = null;

  /** @param now monotonic ms */
  constructor(now: () => number) {
    this.#now = now;
  }

  get oldest(): Waiting | null {
    return this.#waiting.values().next().value ?? null;
  }

  /** Number of the first step whose rows are waited for, or will be. */
  get first(): number {
    return this.oldest?.n ?? this.#last + 1;
  }

  /** Rows of the steps that wait, as they were sent. */
  get rowsWaiting(): number {
    let rows = 0;
    for (const { parts } of this.#waiting.values()) for (const { count } of parts) rows += count;
    return rows;
  }

  get(n: number): Waiting | null {
    return this.#waiting.get(n) ?? null;
  }

  /** The first that was not sent. */
  unsent(): Waiting | null {
    return this.#waiting.values().find(({ sent }) => !sent) ?? null;
  }

  add(
    parts: readonly CarriedPart[],
    hidden: Float32Array,
    signal: AbortSignal,
  ): { readonly step: Waiting; readonly rows: Promise<Float32Array> } {
    const { promise, resolve, reject } = Promise.withResolvers<Float32Array>();
    const n = ++this.#last;
    const onAbort = () => {
      this.#leave(n);
      reject(new AbortedError(undefined, { cause: signal.reason }));
    };
    const settled = () => {
      signal.removeEventListener('abort', onAbort);
      this.#leave(n);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    const now = this.#now();
    const step: Waiting = {
      n,
      parts,
      hidden,
      count: parts.reduce((sum, part) => sum + wantedRows(part), 0),
      begun: now,
      since: now,
      sent: false,
      resolve(rows) {
        settled();
        resolve(rows);
      },
      reject(error) {
        settled();
        reject(error);
      },
    };
    this.#waiting.set(n, step);
    return { step, rows: promise };
  }

  /** Something came of the path: whoever computes is alive, so the others' time begins anew. */
  heard(): void {
    const now = this.#now();
    for (const step of this.#waiting.values()) step.since = now;
  }

  rejectAll(error: unknown): void {
    for (const step of [...this.#waiting.values()]) step.reject(error);
  }

  /**
   * Resolves true when no step is under way; false when `ms` have passed, or `wake` was called. Those that were not sent do
   * not count.
   */
  async idle(ms: number): Promise<boolean> {
    const timer = Promise.withResolvers<false>();
    const late = setTimeout(() => timer.resolve(false), ms);
    try {
      while ([...this.#waiting.values()].some(({ sent }) => sent)) {
        const next = new Promise<boolean>((resolve) => {
          this.#onChange = resolve;
        });
        if (!(await Promise.race([next, timer.promise]))) return false;
      }
      return true;
    } finally {
      clearTimeout(late);
      this.#onChange = null;
    }
  }

  /** What is under way may never come. */
  wake(): void {
    this.#onChange?.(false);
  }

  #leave(n: number): void {
    this.#waiting.delete(n);
    this.#onChange?.(true);
  }
}

/** Part of a pass that goes out as one step. */
export interface Piece {
  readonly parts: readonly CarriedPart[];
  readonly hidden: Float32Array;
}

/** Cuts what is to be carried into steps of at most `most` rows, in order. Of a part that is cut the last row is wanted of the last. */
export function cutPieces(
  parts: readonly CarriedPart[],
  hidden: Float32Array,
  width: number,
  most: number,
): Piece[] {
  if (hidden.length <= most * width && parts.length <= SHARD_BOUNDS.parts) return [{ parts, hidden }];
  const pieces: Piece[] = [];
  let current: CarriedPart[] = [];
  let room = most;
  let from = 0;
  let at = 0;
  const close = () => {
    pieces.push({ parts: current, hidden: hidden.slice(from * width, at * width) });
    current = [];
    room = most;
    from = at;
  };
  for (const { start, count, after, cells, outputs } of parts)
    for (let done = 0; done < count; ) {
      const rows = Math.min(room, count - done);
      const ends = done + rows === count;
      current.push({
        start: start + done,
        count: rows,
        after: done === 0 ? after : cells[done - 1]!,
        cells: cells.subarray(done, done + rows),
        outputs: outputs === 'last' && !ends ? 'none' : outputs,
      });
      done += rows;
      room -= rows;
      at += rows;
      if (room === 0 || current.length === SHARD_BOUNDS.parts) close();
    }
  if (current.length > 0) close();
  return pieces;
}

/** The rows of pieces, in order. */
export function joinRows(rows: readonly Float32Array[]): Float32Array {
  if (rows.length === 1) return rows[0]!;
  const joined = new Float32Array(rows.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const one of rows) {
    joined.set(one, at);
    at += one.length;
  }
  return joined;
}

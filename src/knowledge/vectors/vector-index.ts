/**
 * The vectors of one knowledge base in memory, and exact search over them: every row is compared with the question, in the
 * order of memory. Nothing to train, nothing to tune, nothing to be damaged; it is made from the store and may be lost.
 *
 * @module knowledge/vectors/vector-index
 */
import { availableParallelism } from 'node:os';
import { InputError, oneAtATime } from '../../base/index.ts';
import type { Scored, SlabRow } from '../store/index.ts';
import { Best } from './best.ts';
import { ALIVE, ALLOWED, LANES, MAX_DIMENSION } from './layout.ts';
import { quantizeQuery } from './quantize.ts';
import { type ScanKind, type Scanner, scannerFor } from './scan.ts';
import { Slab } from './slab.ts';
import { createScanThreads, type ScanThreads } from './threads.ts';
import { walk } from './walk.ts';

export interface VectorIndexOptions {
  readonly dimension: number;
  /** Rows that memory is taken for at once. @default 0 */
  readonly rows?: number;
  /** Bytes of one slab; more rows start another. @default 3 GiB, which is also the most */
  readonly slabBytes?: number;
  /** How to scan. @default the fastest there is */
  readonly kind?: ScanKind;
  /** Worker threads for large ones. @default cores - 1, at most 6 */
  readonly threads?: number;
  /** Rows from which on threads search, so that the node answers others meanwhile. @default 250000 at 384 dimensions */
  readonly threadsFrom?: number;
}

export interface NearestOptions {
  /** How many rows, at most 4096. */
  readonly limit: number;
  /** Only these rows; null for all. */
  readonly rows?: Uint32Array | null;
}

export interface VectorIndex extends AsyncDisposable {
  readonly dimension: number;
  /** Rows there are. */
  readonly size: number;
  /** Memory taken. */
  readonly bytes: number;
  readonly kind: ScanKind;
  has(row: number): boolean;
  /** Adds a row or puts another vector in its place. Rows that come in ascending order are found in it when scores tie. */
  put(row: SlabRow): void;
  /** Does nothing for a row that is not there. */
  remove(row: number): void;
  /**
   * The rows with the largest dot products, by 8-bit vectors: best first, then smaller rows. Scores are within about 0.01 of
   * exact ones for unit vectors. @throws InputError `vectors_invalid`; KithError `vectors_failed`
   */
  nearest(query: Float32Array, options: NearestOptions): Promise<readonly Scored[]>;
}

const MOST_LIMIT = 4096;
/** Components that one walk of 2 ms compares here: longer ones go to threads. */
const THREADS_FROM = 250_000 * 384;
/** Gaps are closed when they are this share of the rows. */
const GAPS = 0.25;
const LEAST_GAPS = 1024;

interface Part {
  readonly slab: Slab;
  readonly scanner: Scanner;
  /** Store's rows by the slab's. */
  readonly rows: number[];
}
interface Spot {
  readonly part: number;
  at: number;
}

/** @throws InputError `vectors_invalid` for a dimension that no embedder has. */
export function createVectorIndex(options: VectorIndexOptions): VectorIndex {
  const { dimension } = options;
  if (!Number.isInteger(dimension) || dimension < 1 || dimension > MAX_DIMENSION)
    throw new InputError(
      'vectors_invalid',
      `Vectors of ${dimension} components cannot be searched: 1 to ${MAX_DIMENSION} are possible.`,
    );
  const count = Math.min(options.threads ?? Math.min(6, availableParallelism() - 1), LANES - 1);
  const threadsFrom = options.threadsFrom ?? THREADS_FROM / dimension;
  const parts: Part[] = [];
  const spots = new Map<number, Spot>();
  let threads: ScanThreads | null = null;
  /** Walks of threads, one search after the other: they share filters and control bytes. */
  const inTurn = oneAtATime();
  let underWay = 0;

  function grow(rows: number): Part {
    const slab = new Slab({
      ...{ dimension, rows },
      ...(options.slabBytes === undefined ? {} : { maxBytes: options.slabBytes }),
    });
    const scanner =
      options.kind === undefined ? scannerFor(slab.memory) : scannerFor(slab.memory, options.kind);
    if (scanner === null)
      throw new InputError('vectors_invalid', `This runtime has no ${options.kind} instructions.`);
    const part: Part = { slab, scanner, rows: [] };
    parts.push(part);
    return part;
  }

  function tidy(): void {
    if (underWay > 0) return;
    for (const { slab, rows } of parts) {
      const gaps = slab.rows - slab.alive;
      if (gaps < LEAST_GAPS || gaps < GAPS * slab.rows) continue;
      slab.compact((from, to) => {
        const row = rows[from]!;
        rows[to] = row;
        spots.get(row)!.at = to;
      });
      rows.length = slab.rows;
    }
  }

  /** Sets the filter; false when nothing is left by it. */
  function allow(wanted: Uint32Array): boolean {
    const lists = parts.map((): number[] => []);
    let some = false;
    for (const row of wanted) {
      const spot = spots.get(row);
      if (spot === undefined) continue;
      lists[spot.part]!.push(spot.at);
      some = true;
    }
    parts.forEach(({ slab }, index) => {
      slab.allow(lists[index]!);
    });
    return some;
  }

  interface Question {
    readonly query: Int8Array;
    readonly limit: number;
    readonly rows: Uint32Array | null;
  }

  function walkHere(question: Question): Best {
    const best = new Best(question.limit);
    if (question.rows !== null && !allow(question.rows)) return best;
    const mask = question.rows === null ? ALIVE : ALLOWED;
    for (const { slab, scanner, rows } of parts) {
      const found = walk(slab.memory, scanner, {
        ...{ lane: 0, stride: slab.stride, from: 0, to: slab.blocks, mask },
        ...{ query: question.query, limit: question.limit },
      });
      const [numbers, scores] = [found.numbers(), found.scores()];
      for (let i = 0; i < numbers.length; i++) best.take(rows[numbers[i]!]!, scores[i]!);
    }
    return best;
  }

  async function walkInThreads(question: Question): Promise<Best> {
    const best = new Best(question.limit);
    if (question.rows !== null && !allow(question.rows)) return best;
    const mask = question.rows === null ? ALIVE : ALLOWED;
    threads ??= createScanThreads(count, parts[0]!.scanner.kind);
    const pool = threads;
    for (const [index, { slab, rows }] of parts.entries()) {
      const { blocks, stride } = slab;
      const walks = Array.from({ length: count }, (_, thread) => {
        const from = Math.floor((blocks * thread) / count);
        const to = Math.floor((blocks * (thread + 1)) / count);
        const { query, limit } = question;
        return pool.walk(thread, index, slab.memory, {
          lane: thread + 1,
          stride,
          from,
          to,
          mask,
          query,
          limit,
        });
      });
      // All must be at rest before the next search, even when one failed.
      const replies = await Promise.allSettled(walks);
      for (const reply of replies) {
        if (reply.status === 'rejected') throw reply.reason;
        const { numbers, scores } = reply.value;
        for (let i = 0; i < numbers.length; i++) {
          // Struck while the threads walked.
          if (slab.isAlive(numbers[i]!)) best.take(rows[numbers[i]!]!, scores[i]!);
        }
      }
    }
    return best;
  }

  if ((options.rows ?? 0) > 0) grow(options.rows!);
  const first = scannerFor(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }));

  return {
    dimension,
    get size() {
      return spots.size;
    },
    get bytes() {
      return parts.reduce((sum, { slab }) => sum + slab.bytes, 0);
    },
    get kind() {
      return parts[0]?.scanner.kind ?? options.kind ?? first.kind;
    },
    has: (row) => spots.has(row),
    put({ row, i8, scale }) {
      if (i8.length !== dimension)
        throw new InputError(
          'vectors_invalid',
          `The vector of row ${row} has ${i8.length} components, and ${dimension} are needed.`,
        );
      const spot = spots.get(row);
      if (spot !== undefined) {
        parts[spot.part]!.slab.replace(spot.at, { i8, scale });
        return;
      }
      let place = parts.findIndex(({ slab }) => !slab.isFull);
      if (place < 0) {
        place = parts.length;
        grow(0);
      }
      const part = parts[place]!;
      const at = part.slab.append({ i8, scale });
      part.rows[at] = row;
      spots.set(row, { part: place, at });
    },
    remove(row) {
      const spot = spots.get(row);
      if (spot === undefined) return;
      spots.delete(row);
      parts[spot.part]!.slab.strike(spot.at);
      tidy();
    },
    async nearest(vector, { limit, rows = null }) {
      if (vector.length !== dimension)
        throw new InputError(
          'vectors_invalid',
          `The question's vector has ${vector.length} components, and those of the knowledge base ${dimension}: ask with the embedder that made them.`,
        );
      const { i8: query, scale } = quantizeQuery(vector);
      const most = Math.min(MOST_LIMIT, Math.floor(limit), rows?.length ?? spots.size);
      if (!(most > 0)) return [];
      const question: Question = { query, limit: most, rows };
      let best: Best;
      if (underWay === 0 && (count < 1 || spots.size < threadsFrom)) best = walkHere(question);
      else {
        underWay++;
        try {
          best = await inTurn(() => walkInThreads(question));
        } finally {
          underWay--;
          tidy();
        }
      }
      const [found, scores] = [best.numbers(), best.scores()];
      return Array.from(found, (row, i): Scored => ({ row, score: scores[i]! * scale }));
    },
    async [Symbol.asyncDispose]() {
      await inTurn(() => {});
      await threads?.[Symbol.asyncDispose]();
    },
  };
}

/**
 * `Runner` of a whole model whose middle blocks somebody else computes: this machine holds the embedding with the first
 * blocks and the head with the last ones, and `carry` takes hidden states through those between.
 *
 * A long pass goes out in pieces of `pieceRows`, all of them under way at once, so that every machine of the path computes
 * while the next one does. Pieces leave in the order of their positions and are handed to `carry` in that order.
 *
 * @module engine/runner/path-runner
 */
import { isKithError, KithError } from '../../base/index.ts';
import type { Growth } from '../kv/index.ts';
import { type ForwardPart, type ForwardResult, type Runner, type RunnerInfo, wantedRows } from './types.ts';

/** Consecutive positions of one sequence on their way through the blocks that are computed elsewhere. */
export interface CarriedPart extends Growth {
  /** Rows that are wanted back. */
  readonly outputs: ForwardPart['outputs'];
}

/**
 * Takes hidden states (rows × embedding, row-major, owned by the callee) through the blocks between and gives the wanted
 * rows back, in the same form. Calls come one after another without waiting for answers: they are to be computed in
 * the order of the calls. Rejects with what went wrong, soon after `signal` fires.
 */
export type Carry = (
  parts: readonly CarriedPart[],
  hidden: Float32Array,
  signal: AbortSignal,
) => Promise<Float32Array>;

export interface PathRunnerOptions {
  /** Embedding and blocks [0, a); may have no block. */
  readonly lower: Runner;
  /** Blocks [b, n) and the head; may have no block. */
  readonly upper: Runner;
  readonly carry: Carry;
  /** KV cells that the path has. */
  readonly kvCells: number;
  /** Rows of a piece at most. */
  readonly pieceRows: number;
  /** Rows of a pass at most. */
  readonly maxRows: number;
}

export function createPathRunner(options: PathRunnerOptions): Runner {
  const { lower, upper, carry, pieceRows } = options;
  const { embedding } = lower.info;
  const upperHasBlocks = upper.info.to > upper.info.from;
  const underWay = new Set<AbortController>();
  const info: RunnerInfo = {
    ...lower.info,
    to: upper.info.to,
    heads: true,
    kvCells: options.kvCells,
    maxRows: options.maxRows,
    weightBytes: lower.info.weightBytes + upper.info.weightBytes,
    kvBytes: lower.info.kvBytes + upper.info.kvBytes,
  };

  function carriedPart({ cells, start, count, outputs }: ForwardPart): CarriedPart {
    return {
      start,
      count,
      after: start === 0 ? -1 : cells[start - 1]!,
      cells: cells.slice(start, start + count),
      outputs: upperHasBlocks && outputs !== 'each' ? 'all' : outputs,
    };
  }

  /** Logits of the rows of a piece that are wanted. */
  async function finish(
    piece: readonly ForwardPart[],
    rows: Float32Array,
    transient: boolean,
  ): Promise<ForwardResult | null> {
    const counts = piece.map((part) => (upperHasBlocks ? part.count : wantedRows(part)));
    const expected = counts.reduce((sum, count) => sum + count, 0) * embedding;
    if (rows.length !== expected)
      throw new KithError(
        'hop_invalid',
        `The path gave ${rows.length} values back where ${expected} were asked for.`,
        { status: 502 },
      );
    let at = 0;
    const parts = piece.flatMap((part, index): ForwardPart[] => {
      const count = counts[index]!;
      if (count === 0) return [];
      const hidden = rows.subarray(at, at + count * embedding);
      at += hidden.length;
      return [
        upperHasBlocks
          ? { ...part, tokens: null, hidden }
          : { ...part, count, tokens: null, hidden, outputs: part.outputs === 'each' ? 'each' : 'all' },
      ];
    });
    return parts.length === 0 ? null : upper.forward(parts, { transient });
  }

  async function forward(
    parts: readonly ForwardPart[],
    { transient = false }: { readonly transient?: boolean } = {},
  ): Promise<ForwardResult> {
    const abort = new AbortController();
    underWay.add(abort);
    const pieces = piecesOf(parts, pieceRows);
    const alone = pieces.filter((piece) => piece.some((part) => part.outputs !== 'none')).length === 1;
    const results: Promise<ForwardResult | null>[] = [];
    try {
      let before: Promise<unknown> = Promise.resolve();
      for (const piece of pieces) {
        abort.signal.throwIfAborted();
        const { rows } = await lower.forward(
          piece.map((part) => ({
            ...part,
            hidden: null,
            outputs: part.outputs === 'each' ? 'each' : 'all',
          })),
        );
        const carried = carry(piece.map(carriedPart), rows, abort.signal);
        // The blocks above read the cells that the piece before has written.
        const result = Promise.all([carried, before]).then(([back]) =>
          finish(piece, back, transient && alone),
        );
        // A failure is met below, in the order of the pieces; and nobody needs the later ones then.
        result.catch((error: unknown) => abort.abort(error));
        results.push(result);
        before = result;
      }
      return joined(await Promise.all(results), info.vocab);
    } catch (error) {
      abort.abort(error);
      await Promise.allSettled(results);
      const cause: unknown = abort.signal.reason;
      if (isKithError(cause)) throw cause;
      throw error;
    } finally {
      underWay.delete(abort);
    }
  }

  return {
    info,
    kvRows: null,
    forward,
    interrupt() {
      const reason = new KithError('forward_interrupted', 'The pass was interrupted.', { status: 499 });
      for (const abort of underWay) abort.abort(reason);
      lower.interrupt?.();
      upper.interrupt?.();
    },
    async [Symbol.asyncDispose]() {
      await lower[Symbol.asyncDispose]();
      await upper[Symbol.asyncDispose]();
    },
  };
}

/** Cuts a pass into pieces of at most `most` rows, in order. A part that is cut wants its last row of its last piece only. */
export function piecesOf(parts: readonly ForwardPart[], most: number): ForwardPart[][] {
  const pieces: ForwardPart[][] = [];
  let current: ForwardPart[] = [];
  let room = most;
  for (const part of parts) {
    for (let done = 0; done < part.count; ) {
      const count = Math.min(room, part.count - done);
      const isLast = done + count === part.count;
      current.push({
        cells: part.cells,
        start: part.start + done,
        count,
        tokens: part.tokens?.subarray(done, done + count) ?? null,
        hidden: null,
        outputs: part.outputs === 'last' && !isLast ? 'none' : part.outputs,
      });
      done += count;
      room -= count;
      if (room > 0) continue;
      pieces.push(current);
      current = [];
      room = most;
    }
  }
  if (current.length > 0) pieces.push(current);
  return pieces;
}

function joined(results: readonly (ForwardResult | null)[], width: number): ForwardResult {
  const some = results.filter((result) => result !== null);
  if (some.length === 1) return some[0]!;
  const count = some.reduce((sum, result) => sum + result.count, 0);
  const rows = new Float32Array(count * width);
  let at = 0;
  for (const result of some) {
    rows.set(result.rows, at);
    at += result.rows.length;
  }
  return { rows, count, width };
}

/**
 * The contract between whoever decides what to compute (scheduler, shard session) and the runner that computes
 * it. One forward pass takes rows of any number of sequences.
 *
 * @module engine/runner/types
 */
import type { BlockSpan } from '../types.ts';
import type { KvRows } from './kv-rows.ts';

/** A run of consecutive positions of one sequence. */
export interface ForwardPart {
  /** KV cells in position order: `cells[p]` holds position p. Valid for 0 .. start + count - 1. */
  readonly cells: Int32Array;
  /** Position of the first row. Everything before it is already in the KV cache. */
  readonly start: number;
  /** Rows, at least 1. */
  readonly count: number;
  /** Token ids, length = count, when the range embeds; otherwise null. */
  readonly tokens: Int32Array | null;
  /** Hidden states, count × embedding, row-major, when the range does not embed; otherwise null. */
  readonly hidden: Float32Array | null;
  /**
   * Rows whose output is wanted: logits where the range holds the head, hidden states elsewhere. `each` is `all` with the
   * bits that a pass of each row alone gives; a pass with such a part has `SINGLE_ROWS` rows at most, all of that kind.
   */
  readonly outputs: 'none' | 'last' | 'all' | 'each';
}

/** Rows of a part that are wanted. */
export const wantedRows = ({ outputs, count }: Pick<ForwardPart, 'outputs' | 'count'>): number =>
  outputs === 'all' || outputs === 'each' ? count : outputs === 'last' ? 1 : 0;

export interface ForwardResult {
  /** Row-major, `count` × `width`: the wanted rows of each part, in the order of the parts. Owned by the caller unless `transient` was asked for. */
  readonly rows: Float32Array;
  readonly count: number;
  /** n_vocab (head) or n_embd (no head). */
  readonly width: number;
}

export interface RunnerInfo {
  readonly architecture: string;
  readonly from: number;
  readonly to: number;
  readonly embeds: boolean;
  readonly heads: boolean;
  /** Blocks in the whole model. */
  readonly blocks: number;
  readonly embedding: number;
  readonly vocab: number;
  /** Trained context in tokens. */
  readonly contextTrained: number;
  /** KV cells available; every `cells` entry is below it. */
  readonly kvCells: number;
  /** Rows one forward pass may have. */
  readonly maxRows: number;
  readonly device: string;
  readonly weightBytes: number;
  readonly kvBytes: number;
}

export interface ForwardOptions {
  /**
   * The caller reads `rows` before its next call and keeps nothing: they may then lie in memory that the runner uses
   * again. A decode step saves an allocation of the size of the vocabulary.
   */
  readonly transient?: boolean;
  /** Some of the runner's blocks only. For runners without embedding and head. @default all */
  readonly span?: BlockSpan;
}

/** Runs blocks [from, to) of one model. One forward pass at a time: calls are queued in order. */
export interface Runner extends AsyncDisposable {
  readonly info: RunnerInfo;
  /** What stands in its KV cells; null without blocks, and where they are not all here. Not to be used after disposal. */
  readonly kvRows?: KvRows | null;
  /**
   * Throws KithError `forward_invalid` for any bad shape, position or cell, before native code sees it.
   */
  forward(parts: readonly ForwardPart[], options?: ForwardOptions): Promise<ForwardResult>;
  /**
   * Ends the pass under way at its next operation, if there is one and the device can: its `forward` rejects with
   * KithError `forward_interrupted`, and the KV of its rows is not to be read. Otherwise does nothing.
   */
  interrupt?(): void;
}

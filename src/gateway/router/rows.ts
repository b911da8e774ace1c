/**
 * Rows of the router's database: numbers as blobs and back.
 *
 * @module gateway/router/rows
 */
import { KithError, type SqlValue } from '../../base/index.ts';
import type { Evaluation } from './evaluate.ts';
import { BUCKETS, SHAPE_COUNT } from './features.ts';
import type { Label, Range, Weights } from './store.ts';
import type { Features } from './types.ts';

interface WeightsRow {
  readonly without: string;
  readonly embedder: string | null;
  readonly text: Uint8Array;
  readonly vector: Uint8Array | null;
  readonly windows: Uint8Array;
}
export interface VersionRow extends WeightsRow {
  readonly number: number;
  readonly at: number;
  readonly through: number;
  readonly evaluation: string;
}
export interface LiveRow extends WeightsRow {
  readonly version: number | null;
  readonly applied: number;
}
export interface LabelRow {
  readonly seq: number;
  readonly held: number;
  readonly local: number | null;
  readonly frontier: number | null;
  readonly chance: number | null;
  readonly terms: Uint8Array;
  readonly weights: Uint8Array;
  readonly shape: Uint8Array;
  readonly vector: Uint8Array | null;
  readonly embedder: string | null;
}

export function weightValues({ without, embedder, ensemble }: Weights): SqlValue[] {
  const { text, vector, windows } = ensemble;
  // Each window with its length before it.
  const packed = Float64Array.from(windows.flatMap((window) => [window.length, ...window]));
  return [
    JSON.stringify(without),
    embedder,
    bytesOf(text),
    vector === null ? null : bytesOf(vector),
    bytesOf(packed),
  ];
}

export function weightsOf(path: string, row: WeightsRow): Weights {
  const packed = new Float64Array(bufferOf(path, row.windows, 8));
  const windows: Float64Array[] = [];
  for (let at = 0; at < packed.length; ) {
    const length = packed[at]!;
    windows.push(packed.slice(at + 1, at + 1 + length));
    at += 1 + length;
  }
  return {
    without: JSON.parse(row.without) as Range[],
    embedder: row.embedder,
    ensemble: {
      text: new Float32Array(bufferOf(path, row.text, 4)),
      vector: row.vector === null ? null : new Float32Array(bufferOf(path, row.vector, 4)),
      windows,
    },
  };
}

export function labelOf(path: string, row: LabelRow): Label {
  const features: Features = {
    terms: new Uint16Array(bufferOf(path, row.terms, 2)),
    weights: new Float32Array(bufferOf(path, row.weights, 4)),
    shape: new Float32Array(bufferOf(path, row.shape, 4)),
    vector: row.vector === null ? null : new Float32Array(bufferOf(path, row.vector, 4)),
  };
  const { terms, weights, shape } = features;
  if (
    terms.length !== weights.length ||
    shape.length !== SHAPE_COUNT ||
    terms.some((term) => term >= BUCKETS)
  )
    throw damaged(path);
  return {
    seq: row.seq,
    held: row.held === 1,
    features,
    outcome: { local: row.local, frontier: row.frontier },
    chance: row.chance,
    embedder: row.embedder,
  };
}

/** JSON has no NaN. */
export function readEvaluation(text: string): Evaluation {
  const { prompts, apgr, cpt50, cpt80 } = JSON.parse(text) as Record<keyof Evaluation, number | null>;
  const number = (value: number | null) => value ?? Number.NaN;
  return { prompts: number(prompts), apgr: number(apgr), cpt50: number(cpt50), cpt80: number(cpt80) };
}

export const bytesOf = (array: Uint16Array | Float32Array | Float64Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** A copy of its own: SQLite's bytes may lie at any offset, numbers may not. */
function bufferOf(path: string, bytes: Uint8Array, size: number): ArrayBuffer {
  if (bytes.length % size !== 0) throw damaged(path);
  return new Uint8Array(bytes).buffer;
}

const damaged = (path: string): KithError =>
  new KithError(
    'database_corrupt',
    `${path}: what the router learnt is damaged; delete the file to start anew.`,
  );

/**
 * Vectors cut to their first numbers, for models that were trained for it.
 *
 * @module gateway/cut
 */
import { InputError } from '../base/index.ts';

/** What a model's manifest says of its vectors. */
export interface VectorFacts {
  readonly id: string;
  /** Numbers in a whole vector. */
  readonly embedding: number;
  /** Fewest numbers to which vectors may be cut; absent = they are not to be cut. */
  readonly matryoshka?: number;
}

/** Throws `InputError` for `dimensions` that the model's vectors cannot have. */
export function checkDimensions({ id, embedding, matryoshka }: VectorFacts, dimensions: number): void {
  if (dimensions === embedding) return;
  if (matryoshka !== undefined && dimensions >= matryoshka && dimensions < embedding) return;
  const message =
    matryoshka === undefined
      ? `'${id}' makes vectors of ${embedding} numbers and was not trained to be cut; leave \`dimensions\` out or send ${embedding}.`
      : `vectors of '${id}' have ${matryoshka} to ${embedding} numbers.`;
  throw new InputError('invalid_value', `dimensions: ${message}`, { param: 'dimensions' });
}

/**
 * The first `to` numbers of each vector, scaled back to length 1.
 *
 * @param vectors row-major, rows × from
 * @returns row-major, rows × to
 */
export function cutVectors(vectors: Float32Array, from: number, to: number): Float32Array {
  if (to >= from) return vectors;
  const rows = vectors.length / from;
  const result = new Float32Array(rows * to);
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let i = 0; i < to; i++) sum += vectors[row * from + i]! ** 2;
    // All of the cut vector may be 0; it has no direction then.
    const scale = sum > 0 ? 1 / Math.sqrt(sum) : 0;
    for (let i = 0; i < to; i++) result[row * to + i] = vectors[row * from + i]! * scale;
  }
  return result;
}

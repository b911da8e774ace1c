/**
 * The attack by known pairs: an Eve who knows of some passages what became of their vectors finds out the others. It is measured so that
 * nobody takes `perturbed` for more than it is.
 *
 * Ridge regression from what is stored to what it was, then of a list of candidates the one that points most nearly where the decoded vector does. A linear
 * map is undone whatever rotation and scale it has; noise only averages.
 *
 * @module node/vault-bench/known-pairs
 */
import { product } from './vectors.ts';

export interface KnownPairs {
  readonly plain: readonly Float32Array[];
  readonly stored: readonly Float32Array[];
}

export interface AttackOptions {
  /** Pairs that Eve knows: the first ones. */
  readonly known: number;
  /** Records that she decodes, behind those. */
  readonly unseen: number;
  /** In units of the mean square of what is stored. @default 0.01 */
  readonly ridge?: number;
}

export interface AttackReport {
  /** Share of unseen records whose candidate was found, of all plain vectors as candidates. */
  readonly found: number;
  /** Mean cosine of what was decoded to what it was. */
  readonly cosine: number;
}

export function attackByPairs(
  { plain, stored }: KnownPairs,
  { known, unseen, ridge = 0.01 }: AttackOptions,
): AttackReport {
  const dimension = plain[0]!.length;
  const decode = known === 0 ? (vector: Float32Array) => vector : learn(plain, stored, known, ridge);
  let found = 0;
  let cosines = 0;
  for (let at = known; at < known + unseen; at++) {
    const decoded = Float32Array.from(decode(stored[at]!));
    const length = Math.sqrt(product(decoded, decoded)) || 1;
    cosines += product(decoded, plain[at]!) / length;
    const own = product(decoded, plain[at]!);
    if (plain.every((candidate, i) => i === at || product(decoded, candidate) < own)) found += 1;
  }
  if (dimension === 0) throw new RangeError('Vectors have numbers.');
  return { found: found / unseen, cosine: cosines / unseen };
}

/** Decodes by W = Sᵀ (S Sᵀ + λI)⁻¹ P for stored rows S and plain rows P: as many equations as pairs. */
function learn(
  plain: readonly Float32Array[],
  stored: readonly Float32Array[],
  known: number,
  ridge: number,
): (vector: Float32Array) => Float64Array {
  const dimension = plain[0]!.length;
  const own = stored.slice(0, known);
  const mean = own.reduce((sum, row) => sum + product(row, row), 0) / known;
  const gram = own.map((a) => Float64Array.from(own, (b) => product(a, b)));
  for (const [i, row] of gram.entries()) row[i]! += ridge * mean;
  const weights = solve(
    gram,
    plain.slice(0, known).map((row) => Float64Array.from(row)),
  );
  return (vector) => {
    const out = new Float64Array(dimension);
    for (const [i, row] of own.entries()) {
      const near = product(row, vector);
      const weight = weights[i]!;
      for (let d = 0; d < dimension; d++) out[d]! += near * weight[d]!;
    }
    return out;
  };
}

/** Solves A X = B for a positive definite A by Cholesky's decomposition. Both are used up. */
function solve(a: readonly Float64Array[], b: readonly Float64Array[]): readonly Float64Array[] {
  const size = a.length;
  const width = b[0]!.length;
  for (let j = 0; j < size; j++) {
    const row = a[j]!;
    for (let k = 0; k <= j; k++) {
      const other = a[k]!;
      let sum = row[k]!;
      for (let i = 0; i < k; i++) sum -= row[i]! * other[i]!;
      row[k] = k === j ? Math.sqrt(sum) : sum / other[k]!;
    }
  }
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < i; k++) subtract(b[i]!, b[k]!, a[i]![k]!, width);
    divide(b[i]!, a[i]![i]!, width);
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let k = i + 1; k < size; k++) subtract(b[i]!, b[k]!, a[k]![i]!, width);
    divide(b[i]!, a[i]![i]!, width);
  }
  return b;
}

function subtract(from: Float64Array, row: Float64Array, factor: number, width: number): void {
  for (let d = 0; d < width; d++) from[d]! -= factor * row[d]!;
}

function divide(row: Float64Array, by: number, width: number): void {
  for (let d = 0; d < width; d++) row[d]! /= by;
}

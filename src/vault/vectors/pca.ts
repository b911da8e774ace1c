/**
 * Fewer dimensions for many vectors: principal components without centring, so that scalar products are kept as they are.
 *
 * The eigenvectors of X'X come from Householder's reduction to a tridiagonal matrix and the implicit QL method (Martin, Reinsch,
 * Wilkinson, Numerische Mathematik 11, 1968; Dubrulle, Martin, Wilkinson, Numerische Mathematik 12, 1968). All in double precision and
 * in a fixed order: the same vectors give the same components.
 *
 * @module vault/vectors/pca
 */

export interface Projection {
  /** Dimensions before and after. */
  readonly from: number;
  readonly to: number;
  /** Row-major, to × from: orthonormal rows, the strongest first. */
  readonly rows: Float32Array;
  /** The part of the squared lengths that is kept, over the vectors that it was made from. */
  readonly kept: number;
}

/** Vectors that components are made from, at most. */
export const PCA_SAMPLE = 10_000;

/** @param vectors row-major, count × from; of more than 10,000 an even selection is taken */
export function fitProjection(vectors: Float32Array, from: number, to: number): Projection {
  const count = vectors.length / from;
  if (!Number.isInteger(count) || to < 1 || to > from)
    throw new RangeError(`${vectors.length} numbers are no vectors of ${from}, or ${to} is not within.`);
  const products = scatter(vectors, count, from);
  const { values, matrix } = eigen(products, from);
  const order = Array.from(values.keys()).sort((a, b) => values[b]! - values[a]! || a - b);
  const rows = new Float32Array(to * from);
  for (const [row, column] of order.slice(0, to).entries())
    for (let i = 0; i < from; i++) rows[row * from + i] = matrix[i * from + column]!;
  const sum = (columns: readonly number[]) =>
    columns.reduce((total, column) => total + Math.max(0, values[column]!), 0);
  const all = sum(order);
  return { from, to, rows, kept: all === 0 ? 1 : sum(order.slice(0, to)) / all };
}

/** One vector in the fewer dimensions. */
export function project(
  { from, to, rows }: Projection,
  vector: Float32Array,
  out = new Float32Array(to),
): Float32Array {
  for (let row = 0; row < to; row++) {
    let sum = 0;
    const base = row * from;
    for (let i = 0; i < from; i++) sum += rows[base + i]! * vector[i]!;
    out[row] = sum;
  }
  return out;
}

function scatter(vectors: Float32Array, count: number, n: number): Float64Array {
  const out = new Float64Array(n * n);
  const taken = Math.min(count, PCA_SAMPLE);
  for (let k = 0; k < taken; k++) {
    const at = Math.floor((k * count) / taken) * n;
    for (let i = 0; i < n; i++) {
      const value = vectors[at + i]!;
      if (value === 0) continue;
      const base = i * n;
      for (let j = 0; j <= i; j++) out[base + j]! += value * vectors[at + j]!;
    }
  }
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) out[j * n + i] = out[i * n + j]!;
  return out;
}

/** @param a symmetric, row-major; it is used up. Eigenvectors are the columns of `matrix`. */
export function eigen(a: Float64Array, n: number): { values: Float64Array; matrix: Float64Array } {
  const d = new Float64Array(n);
  const e = new Float64Array(n);
  tridiagonal(a, n, d, e);
  implicitQl(a, n, d, e);
  return { values: d, matrix: a };
}

/** Householder: `a` becomes the orthogonal matrix of the reduction, d the diagonal, e what stands below it (from 1). */
function tridiagonal(a: Float64Array, n: number, d: Float64Array, e: Float64Array): void {
  for (let i = n - 1; i > 0; i--) {
    const row = i * n;
    let h = 0;
    let scale = 0;
    for (let k = 0; k < i; k++) scale += Math.abs(a[row + k]!);
    if (i === 1 || scale === 0) e[i] = a[row + i - 1]!;
    else {
      for (let k = 0; k < i; k++) {
        a[row + k]! /= scale;
        h += a[row + k]! ** 2;
      }
      const f = a[row + i - 1]!;
      const g = f >= 0 ? -Math.sqrt(h) : Math.sqrt(h);
      e[i] = scale * g;
      h -= f * g;
      a[row + i - 1] = f - g;
      let sum = 0;
      for (let j = 0; j < i; j++) {
        a[j * n + i] = a[row + j]! / h;
        let product = 0;
        for (let k = 0; k <= j; k++) product += a[j * n + k]! * a[row + k]!;
        for (let k = j + 1; k < i; k++) product += a[k * n + j]! * a[row + k]!;
        e[j] = product / h;
        sum += e[j]! * a[row + j]!;
      }
      const half = sum / (2 * h);
      for (let j = 0; j < i; j++) {
        const value = a[row + j]!;
        const change = e[j]! - half * value;
        e[j] = change;
        for (let k = 0; k <= j; k++) a[j * n + k]! -= value * e[k]! + change * a[row + k]!;
      }
    }
    d[i] = h;
  }
  d[0] = 0;
  e[0] = 0;
  for (let i = 0; i < n; i++) {
    if (d[i] !== 0) {
      // Row by row of the inner loops: the matrix is read in its order.
      const g = new Float64Array(i);
      for (let k = 0; k < i; k++) {
        const factor = a[i * n + k]!;
        for (let j = 0; j < i; j++) g[j]! += factor * a[k * n + j]!;
      }
      for (let k = 0; k < i; k++) {
        const factor = a[k * n + i]!;
        for (let j = 0; j < i; j++) a[k * n + j]! -= g[j]! * factor;
      }
    }
    d[i] = a[i * n + i]!;
    a[i * n + i] = 1;
    for (let j = 0; j < i; j++) {
      a[j * n + i] = 0;
      a[i * n + j] = 0;
    }
  }
}

const MAX_ROUNDS = 60;

function implicitQl(z: Float64Array, n: number, d: Float64Array, e: Float64Array): void {
  e.copyWithin(0, 1);
  e[n - 1] = 0;
  for (let l = 0; l < n; l++) {
    for (let rounds = 0; ; rounds++) {
      let m = l;
      for (; m < n - 1; m++) {
        const size = Math.abs(d[m]!) + Math.abs(d[m + 1]!);
        if (Math.abs(e[m]!) <= Number.EPSILON * size) break;
      }
      if (m === l) break;
      if (rounds === MAX_ROUNDS) throw new RangeError('The eigenvalues do not come to rest.');
      let g = (d[l + 1]! - d[l]!) / (2 * e[l]!);
      let r = Math.hypot(g, 1);
      g = d[m]! - d[l]! + e[l]! / (g + (g >= 0 ? Math.abs(r) : -Math.abs(r)));
      let s = 1;
      let c = 1;
      let p = 0;
      let i = m - 1;
      for (; i >= l; i--) {
        let f = s * e[i]!;
        const b = c * e[i]!;
        r = Math.hypot(f, g);
        e[i + 1] = r;
        if (r === 0) {
          d[i + 1]! -= p;
          e[m] = 0;
          break;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1]! - p;
        r = (d[i]! - g) * s + 2 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
        for (let k = 0; k < n; k++) {
          const at = k * n + i;
          f = z[at + 1]!;
          z[at + 1] = s * z[at]! + c * f;
          z[at] = c * z[at]! - s * f;
        }
      }
      if (r === 0 && i >= l) continue;
      d[l]! -= p;
      e[l] = g;
      e[m] = 0;
    }
  }
}

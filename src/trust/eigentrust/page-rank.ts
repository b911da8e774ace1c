/**
 * Personalised PageRank over a sparse graph, by power iteration.
 *
 * `t <- (1 - a) * (Ct * t + d * s) + a * s` (Kamvar, Schlosser, Garcia-Molina, "The EigenTrust algorithm", 2003): every row of
 * C is a node's out-links in equal shares, `s` is where walks start, `d` what stands at nodes without out-links. With a = 0.5
 * a closed set of nodes holds at most the flow into it times (1 - a) / a, however many they are.
 *
 * @module trust/eigentrust/page-rank
 */

export interface SparseGraph {
  readonly size: number;
  /** Out-links of node i are `targets[offsets[i]] ... targets[offsets[i + 1] - 1]`; length = size + 1. */
  readonly offsets: Uint32Array;
  readonly targets: Uint32Array;
}

export interface PageRankOptions {
  /** `a`: how often a walk starts anew. @default 0.5 */
  readonly restart?: number;
  /** Ends when the ranks together changed by less. @default 1e-6 */
  readonly epsilon?: number;
}

export interface PageRank {
  /** Sums to 1; length = size. */
  readonly ranks: Float64Array;
  readonly iterations: number;
}

/** A graph from pairs [from, to]; repeated pairs and links to oneself count as none. */
export function sparseGraph(size: number, edges: Iterable<readonly [number, number]>): SparseGraph {
  const rows: Set<number>[] = Array.from({ length: size }, () => new Set());
  let count = 0;
  for (const [from, to] of edges) {
    const row = rows[from]!;
    if (from === to || row.has(to)) continue;
    row.add(to);
    count++;
  }
  const offsets = new Uint32Array(size + 1);
  const targets = new Uint32Array(count);
  let at = 0;
  for (const [i, row] of rows.entries()) {
    // Ascending targets: sums then round alike whatever the order of the pairs.
    for (const to of [...row].sort((a, b) => a - b)) targets[at++] = to;
    offsets[i + 1] = at;
  }
  return { size, offsets, targets };
}

/** `starts`: nodes where walks start, in equal shares; without any, all ranks are 0. */
export function pageRank(
  graph: SparseGraph,
  starts: readonly number[],
  options: PageRankOptions = {},
): PageRank {
  const { restart = 0.5, epsilon = 1e-6 } = options;
  const { size, offsets, targets } = graph;
  const from = new Set(starts);
  if (from.size === 0) return { ranks: new Float64Array(size), iterations: 0 };
  const share = 1 / from.size;
  let ranks = new Float64Array(size);
  for (const node of from) ranks[node] = share;
  let next = new Float64Array(size);
  // Each step shrinks the change by 1 - a, and the first one is at most 2.
  const most = Math.ceil(Math.log(epsilon / 2) / Math.log(1 - restart)) + 1;
  let iterations = 0;
  let change = Number.POSITIVE_INFINITY;
  while (change >= epsilon && iterations < most) {
    next.fill(0);
    let idle = 0;
    for (let node = 0; node < size; node++) {
      const rank = ranks[node]!;
      if (rank === 0) continue;
      const start = offsets[node]!;
      const end = offsets[node + 1]!;
      if (start === end) {
        idle += rank;
        continue;
      }
      const part = ((1 - restart) * rank) / (end - start);
      for (let i = start; i < end; i++) next[targets[i]!]! += part;
    }
    const restarted = (restart + (1 - restart) * idle) * share;
    for (const node of from) next[node]! += restarted;
    change = 0;
    for (let node = 0; node < size; node++) change += Math.abs(next[node]! - ranks[node]!);
    [ranks, next] = [next, ranks];
    iterations++;
  }
  return { ranks, iterations };
}

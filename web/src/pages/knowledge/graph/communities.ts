/**
 * Which names belong together, where the node did not say: groups with more ties inside than chance would give.
 *
 * Blondel et al., Fast unfolding of communities in large networks (2008), always in the same order.
 *
 * @module web/pages/knowledge/graph/communities
 */

/** Ties as ends and strengths; `ends` has two numbers for each. */
export interface Ties {
  readonly ends: Uint32Array;
  readonly strength: Float32Array;
}

/** Neighbours of i are `to[start[i]]` to `to[start[i + 1] - 1]`. */
export interface Neighbours {
  readonly start: Uint32Array;
  readonly to: Uint32Array;
  readonly strength: Float32Array;
}

export function neighboursOf(count: number, { ends, strength }: Ties): Neighbours {
  const start = new Uint32Array(count + 1);
  for (const end of ends) start[end + 1]!++;
  for (let i = 0; i < count; i++) start[i + 1]! += start[i]!;
  const to = new Uint32Array(ends.length);
  const tie = new Float32Array(ends.length);
  const at = start.slice();
  const put = (from: number, end: number, value: number): void => {
    to[at[from]!] = end;
    tie[at[from]!++] = value;
  };
  for (let i = 0; i < strength.length; i++) {
    put(ends[2 * i]!, ends[2 * i + 1]!, strength[i]!);
    put(ends[2 * i + 1]!, ends[2 * i]!, strength[i]!);
  }
  return { start, to, strength: tie };
}

const LEVELS = 6;
const PASSES = 12;

/** A number for each node, from 0, the largest group first. Nodes without ties are groups of their own. */
export function communitiesOf(count: number, ties: Ties): Uint32Array {
  let level: Ties = ties;
  let size = count;
  // Ties of a group with itself: they count for its weight and move with it.
  let loops = new Float64Array(count);
  let group = Uint32Array.from({ length: count }, (_, i) => i);
  for (let round = 0; round < LEVELS; round++) {
    const moved = moveNodes(size, level, loops);
    const names = new Map<number, number>();
    for (const each of moved) if (!names.has(each)) names.set(each, names.size);
    if (names.size === size) break;
    const to = moved.map((each) => names.get(each)!);
    group = group.map((each) => to[each]!);
    const inside = new Float64Array(names.size);
    loops.forEach((value, i) => {
      inside[to[i]!]! += value;
    });
    const joined = new Map<number, number>();
    for (let i = 0; i < level.strength.length; i++) {
      const [a, b] = [to[level.ends[2 * i]!]!, to[level.ends[2 * i + 1]!]!];
      if (a === b) inside[a]! += 2 * level.strength[i]!;
      else {
        const key = Math.min(a, b) * names.size + Math.max(a, b);
        joined.set(key, (joined.get(key) ?? 0) + level.strength[i]!);
      }
    }
    level = {
      ends: Uint32Array.from(
        [...joined.keys()].flatMap((key) => [Math.floor(key / names.size), key % names.size]),
      ),
      strength: Float32Array.from(joined.values()),
    };
    [size, loops] = [names.size, inside];
  }
  return bySize(group);
}

/** The same groups, numbered from the largest. */
export function bySize(group: Uint32Array): Uint32Array {
  const sizes = new Map<number, number>();
  for (const each of group) sizes.set(each, (sizes.get(each) ?? 0) + 1);
  const ranked = [...sizes].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  const rank = new Map(ranked.map(([each], i) => [each, i]));
  return group.map((each) => rank.get(each)!);
}

function moveNodes(count: number, ties: Ties, loops: Float64Array): Uint32Array {
  const { start, to, strength } = neighboursOf(count, ties);
  const degree = loops.slice();
  for (let i = 0; i < count; i++) for (let e = start[i]!; e < start[i + 1]!; e++) degree[i]! += strength[e]!;
  const total = degree.reduce((sum, each) => sum + each, 0);
  const group = Uint32Array.from({ length: count }, (_, i) => i);
  if (total === 0) return group;
  const weight = degree.slice();
  const toGroup = new Float64Array(count);
  for (let pass = 0; pass < PASSES; pass++) {
    let changed = 0;
    for (let i = 0; i < count; i++) {
      const own = group[i]!;
      const near: number[] = [];
      for (let e = start[i]!; e < start[i + 1]!; e++) {
        const g = group[to[e]!]!;
        if (toGroup[g] === 0) near.push(g);
        toGroup[g]! += strength[e]!;
      }
      weight[own]! -= degree[i]!;
      let best = own;
      let gain = toGroup[own]! - (degree[i]! * weight[own]!) / total;
      for (const g of near) {
        const got = toGroup[g]! - (degree[i]! * weight[g]!) / total;
        if (got > gain + 1e-12) [best, gain] = [g, got];
      }
      weight[best]! += degree[i]!;
      group[i] = best;
      if (best !== own) changed++;
      for (const g of near) toGroup[g] = 0;
      toGroup[own] = 0;
    }
    if (changed === 0) break;
  }
  return group;
}

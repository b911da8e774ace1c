/**
 * Where names stand on the map. First communities as discs, then the names in them by forces: names push each other away, ties
 * pull, each community is drawn to its place, and no two labels may lie on each other. The same graph always gives the same map.
 *
 * @module web/pages/knowledge/graph/layout
 */
import { createSeparation } from './collide.ts';
import { bySize, communitiesOf, type Ties } from './communities.ts';
import { type Disc, placeDiscs } from './discs.ts';
import { createQuadtree } from './quadtree.ts';
import { randomOf } from './random.ts';

export interface LayoutProblem {
  /** Half of the width and the height that each name takes with its mark, where everything is readable (px). */
  readonly halfWidth: Float64Array;
  readonly halfHeight: Float64Array;
  readonly ties: Ties;
  /** As the node told; -1 where it did not. */
  readonly community: Int32Array;
  /** How much each pushes others away: those that matter stand apart, so that there is room for their names. */
  readonly push: Float64Array;
  /** Width of the map for its height. */
  readonly aspect: number;
  readonly seed: number;
}

export interface Layout {
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** Of each name, from 0, the largest first. */
  readonly community: Uint32Array;
  /** Names in each; those under `SMALLEST` have no region of their own. */
  readonly sizes: Uint32Array;
  readonly settled: boolean;
  /** One step. Nothing after it has settled. */
  tick(): void;
}

/** Communities of fewer names are not named, and stand outside. */
export const SMALLEST = 4;
const MOST_REGIONS = 300;
/** Of the area that labels take, for air between them. */
const AIR = 1.75;
const STEPS = 150;
/** Steps at the end in which nothing but overlaps is looked at. */
const MOST_APART = 400;
/** Share of the names that may still overlap: they are written when one looks closer. */
const LEFT = 0.003;
/** Where there is no room left, the whole map becomes wider: after so many of them, by this factor. */
const WIDEN_AFTER = 12;
const WIDEN = 1.018;
const FIRST_HEAT = 0.7;
const LAST_HEAT = 0.01;
const FRICTION = 0.62;
const THETA = 0.9;

export function createLayout(problem: LayoutProblem): Layout {
  const { halfWidth, halfHeight, ties } = problem;
  const count = halfWidth.length;
  const community = groupsOf(problem);
  const groups = community.reduce((most, each) => Math.max(most, each + 1), 0);
  const sizes = new Uint32Array(groups);
  for (const each of community) sizes[each]!++;
  const regions = Math.min(
    MOST_REGIONS,
    sizes.findIndex((size) => size < SMALLEST) < 0 ? groups : sizes.findIndex((size) => size < SMALLEST),
  );
  const areas = new Float64Array(count).map((_, i) => 4 * halfWidth[i]! * halfHeight[i]!);
  const discs = placeDiscs(community, areas, regions, ties, AIR, problem.aspect);
  const { x, y } = firstPlaces(problem, community, discs, areas);
  const homeX = x.slice();
  const homeY = y.slice();

  const degree = new Float64Array(count);
  let strongest = 0;
  for (let i = 0; i < ties.strength.length; i++) {
    degree[ties.ends[2 * i]!]! += 1;
    degree[ties.ends[2 * i + 1]!]! += 1;
    strongest = Math.max(strongest, ties.strength[i]!);
  }
  const charge = areas.map((area, i) => (Math.sqrt(area) / 45) * problem.push[i]!);
  const vx = new Float64Array(count);
  const vy = new Float64Array(count);
  const tree = createQuadtree(count);
  const apart = createSeparation({ x, y, halfWidth, halfHeight });
  const cool = (LAST_HEAT / FIRST_HEAT) ** (1 / STEPS);
  let heat = FIRST_HEAT;
  let step = 0;
  let settled = count < 2;

  const pull = (): void => {
    for (let i = 0; i < ties.strength.length; i++) {
      const a = ties.ends[2 * i]!;
      const b = ties.ends[2 * i + 1]!;
      const dx = x[b]! - x[a]!;
      const dy = y[b]! - y[a]!;
      const d = Math.hypot(dx, dy);
      if (d === 0) continue;
      const together = community[a] === community[b];
      const rest = together ? 40 : 90;
      const tie = 0.35 + (0.65 * ties.strength[i]!) / strongest;
      const force = ((heat * tie * (together ? 0.9 : 0.12)) / Math.min(degree[a]!, degree[b]!)) * (d - rest);
      const part = degree[a]! / (degree[a]! + degree[b]!);
      // A tie across the map may not tear a name out of its region.
      const most = Math.min(60, Math.abs(force)) * Math.sign(force);
      vx[a]! += (most * (1 - part) * dx) / d;
      vy[a]! += (most * (1 - part) * dy) / d;
      vx[b]! -= (most * part * dx) / d;
      vy[b]! -= (most * part * dy) / d;
    }
  };
  const gather = (): void => {
    for (let i = 0; i < count; i++) {
      const disc = discs[community[i]!];
      if (disc === undefined) {
        vx[i]! += (homeX[i]! - x[i]!) * 0.12 * heat;
        vy[i]! += (homeY[i]! - y[i]!) * 0.12 * heat;
        continue;
      }
      const dx = disc.x - x[i]!;
      const dy = disc.y - y[i]!;
      const d = Math.hypot(dx, dy);
      // Outside of its disc much more than inside.
      const beyond = Math.max(0, d - disc.radius);
      const force = heat * (0.012 * d + 0.5 * beyond);
      if (d === 0) continue;
      vx[i]! += (force * dx) / d;
      vy[i]! += (force * dy) / d;
    }
  };
  const repel = (): void => {
    tree.build(x, y, charge, count);
    for (let i = 0; i < count; i++) {
      tree.push(x[i]!, y[i]!, i, THETA, 12, 420);
      vx[i]! += tree.fx * heat * 95 * charge[i]!;
      vy[i]! += tree.fy * heat * 95 * charge[i]!;
    }
  };

  return {
    ...{ x, y, community, sizes },
    get settled() {
      return settled;
    },
    tick() {
      if (settled) return;
      step++;
      if (step <= STEPS) {
        pull();
        gather();
        repel();
        for (let i = 0; i < count; i++) {
          vx[i]! *= FRICTION;
          vy[i]! *= FRICTION;
          x[i]! += vx[i]!;
          y[i]! += vy[i]!;
        }
        heat *= cool;
        // From the middle on: before, names have to pass each other.
        if (step > STEPS / 3) apart.separate(0.35);
      } else if (apart.separate(0.95) <= count * LEFT || step > STEPS + MOST_APART) settled = true;
      else if ((step - STEPS) % WIDEN_AFTER === 0) {
        for (let i = 0; i < count; i++) {
          x[i]! *= WIDEN;
          y[i]! *= WIDEN;
        }
      }
    },
  };
}

/** What the node said, filled up by neighbours; found from the ties where it said nothing at all. */
function groupsOf({ community, ties }: LayoutProblem): Uint32Array {
  if (community.every((each) => each < 0)) return communitiesOf(community.length, ties);
  const given = community.slice();
  // The strongest tie to a name that has one; those that have none stay alone.
  const best = new Float32Array(given.length);
  for (let i = 0; i < ties.strength.length; i++) {
    const [a, b] = [ties.ends[2 * i]!, ties.ends[2 * i + 1]!];
    for (const [one, other] of [
      [a, b],
      [b, a],
    ] as const) {
      if (community[one]! >= 0 || community[other]! < 0 || ties.strength[i]! <= best[one]!) continue;
      best[one] = ties.strength[i]!;
      given[one] = community[other]!;
    }
  }
  const dense = new Map<number, number>();
  const numbers = Array.from(given, (each, i) => {
    const key = each < 0 ? -1 - i : each;
    if (!dense.has(key)) dense.set(key, dense.size);
    return dense.get(key)!;
  });
  return bySize(Uint32Array.from(numbers));
}

const GOLDEN_ANGLE = Math.PI * (3 - Math.sqrt(5));
/** Not the same ratio: angle and distance would follow each other (Roberts, The unreasonable effectiveness of quasirandom sequences). */
const GOLDEN_SHARE = 0.7548776662466927;

/** Each name in its disc, the first of them spread over it; names without a region in rings around all. */
function firstPlaces(
  { seed }: LayoutProblem,
  community: Uint32Array,
  discs: readonly Disc[],
  areas: Float64Array,
) {
  const random = randomOf(seed);
  const count = community.length;
  const x = new Float64Array(count);
  const y = new Float64Array(count);
  const placed = new Uint32Array(discs.length);
  // Those that belong together follow each other on the ring.
  const outside: number[] = [];
  for (let i = 0; i < count; i++) {
    const group = community[i]!;
    const disc = discs[group];
    if (disc === undefined) {
      outside.push(i);
      continue;
    }
    // Golden ratios both ways: the first few of them are as evenly spread as all, and the very first is in the middle.
    const share = (placed[group]! * GOLDEN_SHARE) % 1;
    const distance = Math.sqrt(share) * disc.radius * 0.92;
    const angle = GOLDEN_ANGLE * placed[group]!++ + group;
    x[i] = disc.x + distance * Math.cos(angle) + random() - 0.5;
    y[i] = disc.y + distance * Math.sin(angle) + random() - 0.5;
  }
  const edge = discs.reduce((most, disc) => Math.max(most, Math.hypot(disc.x, disc.y) + disc.radius), 0);
  let covered = Math.PI * edge * edge;
  let angle = 0;
  outside.sort((a, b) => community[a]! - community[b]! || a - b);
  for (const i of outside) {
    covered += areas[i]! * AIR;
    const distance = Math.sqrt(covered / Math.PI);
    x[i] = distance * Math.cos(angle) + random() - 0.5;
    y[i] = distance * Math.sin(angle) + random() - 0.5;
    angle += Math.sqrt(areas[i]! * AIR) / distance;
  }
  return { x, y };
}

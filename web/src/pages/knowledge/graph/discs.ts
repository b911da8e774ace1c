/**
 * Places of communities: discs as large as their names need, near those that they have ties with, none on another.
 *
 * @module web/pages/knowledge/graph/discs
 */
import type { Ties } from './communities.ts';

export interface Disc {
  x: number;
  y: number;
  readonly radius: number;
}

const STEPS = 220;
const GAP = 6;

/**
 * @param community of each name, from 0, the largest first
 * @param areas that each name takes
 * @param regions communities that get a disc: the first so many
 * @param air how much larger a disc is than what is in it
 * @param aspect width of the whole for its height
 */
export function placeDiscs(
  community: Uint32Array,
  areas: Float64Array,
  regions: number,
  ties: Ties,
  air: number,
  aspect: number,
): Disc[] {
  const area = new Float64Array(regions);
  for (let i = 0; i < community.length; i++) if (community[i]! < regions) area[community[i]!]! += areas[i]!;
  const total = area.reduce((sum, each) => sum + each, 0);
  let before = 0;
  const discs = Array.from(area, (own, i): Disc => {
    const distance = i === 0 ? 0 : Math.sqrt(((before + own / 2) * air * 1.25) / Math.PI);
    before += own;
    const angle = i * Math.PI * (3 - Math.sqrt(5));
    return {
      x: distance * Math.cos(angle) * Math.sqrt(aspect),
      y: (distance * Math.sin(angle)) / Math.sqrt(aspect),
      radius: Math.sqrt((own * air) / Math.PI),
    };
  });
  if (regions < 2) return discs;
  const between = tiesBetween(community, regions, ties);
  const width = Math.sqrt(total);
  for (let step = 0; step < STEPS; step++) {
    const heat = 0.3 * (1 - step / STEPS) ** 1.5;
    for (const [a, b, share] of between) {
      const [one, other] = [discs[a]!, discs[b]!];
      const dx = other.x - one.x;
      const dy = other.y - one.y;
      const d = Math.hypot(dx, dy);
      const beyond = d - one.radius - other.radius - GAP;
      if (beyond <= 0 || d === 0) continue;
      const way = (heat * share * Math.min(beyond, width)) / d;
      const part = (other.radius / (one.radius + other.radius)) ** 2;
      move(one, dx * way * part, dy * way * part);
      move(other, -dx * way * (1 - part), -dy * way * (1 - part));
    }
    // Towards the middle, more along the side that is to be the shorter one.
    for (const disc of discs) move(disc, (-disc.x * heat * 0.14) / aspect, -disc.y * heat * 0.14 * aspect);
    const share = 0.5 + (0.5 * step) / STEPS;
    for (let pass = 0; pass < 2; pass++) part(discs, share);
  }
  for (let pass = 0; pass < 60; pass++) if (part(discs, 1) === 0) break;
  return discs;
}

function move(disc: Disc, x: number, y: number): void {
  disc.x += x;
  disc.y += y;
}

/** @returns how many lay on each other */
function part(discs: readonly Disc[], share: number): number {
  let met = 0;
  for (let i = 0; i < discs.length; i++) {
    for (let j = i + 1; j < discs.length; j++) {
      const [one, other] = [discs[i]!, discs[j]!];
      const dx = other.x - one.x;
      const dy = other.y - one.y;
      const least = one.radius + other.radius + GAP;
      const d2 = dx * dx + dy * dy;
      if (d2 >= least * least) continue;
      const d = Math.sqrt(d2);
      if (least - d > 1) met++;
      const way = ((least - d) * share) / (d || 1);
      const part = other.radius / (one.radius + other.radius);
      move(one, -(dx || 1) * way * part, -dy * way * part);
      move(other, (dx || 1) * way * (1 - part), dy * way * (1 - part));
    }
  }
  return met;
}

/** Pairs of communities with ties, and their share of what the weaker one has to others. */
function tiesBetween(community: Uint32Array, regions: number, { ends, strength }: Ties) {
  const sums = new Map<number, number>();
  const out = new Float64Array(regions);
  for (let i = 0; i < strength.length; i++) {
    const a = community[ends[2 * i]!]!;
    const b = community[ends[2 * i + 1]!]!;
    if (a === b || a >= regions || b >= regions) continue;
    const key = Math.min(a, b) * regions + Math.max(a, b);
    sums.set(key, (sums.get(key) ?? 0) + strength[i]!);
    out[a]! += strength[i]!;
    out[b]! += strength[i]!;
  }
  return [...sums].map(([key, sum]): [number, number, number] => {
    const [a, b] = [Math.floor(key / regions), key % regions];
    return [a, b, sum / Math.min(out[a]!, out[b]!)];
  });
}

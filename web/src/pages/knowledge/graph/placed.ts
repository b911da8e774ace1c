/**
 * A map as far as it is laid out: where everything stands, what is written from which scale on, which ties are drawn first.
 *
 * @module web/pages/knowledge/graph/placed
 */
import { type Atlas, STYLES } from './atlas.ts';
import type { Extent } from './camera.ts';
import { appearancesOf } from './labels.ts';
import type { LayoutNews } from './messages.ts';
import type { Region } from './regions.ts';

export interface Placed {
  /** Middles of marks. */
  readonly x: Float32Array;
  readonly y: Float32Array;
  readonly regions: readonly Region[];
  /** Colour of the land that each stands on: its region's; -1 where it is nobody's. */
  readonly tint: Int8Array;
  /** 1 for one of the weightiest of each region, whose name is the region's. */
  readonly capital: Uint8Array;
  /** As the atlas has them; larger for capitals. */
  readonly style: Uint8Array;
  readonly halfWidth: Float64Array;
  readonly down: Float64Array;
  /** Scale from which on each name is written. */
  readonly appears: Float64Array;
  /** Ties, those that say most on the least way first. */
  readonly ties: Uint32Array;
  /** Between marks, as a mean; units of the map. */
  readonly spacing: number;
  readonly extent: Extent;
  readonly settled: boolean;
}

/** px² of the map for each name, where more would have room: the heaviest first, with air around them. */
const AREA_EACH = 5_500;
export const CLOSEST = 4;
/** Maps of less px are written smaller. */
const NARROW = 480;
/** Names of a region, the weightiest first, of which one may be its name. */
const FOREMOST = 5;
/** Regions with this share of the names of the largest are written larger. */
const LARGE = 0.4;
const MIDDLE = 0.18;

/**
 * @param across px that the map has for its longer side when all of it is seen
 * @param widthOf px of a text in a style of `STYLES`
 */
export function placedOf(
  atlas: Atlas,
  news: LayoutNews,
  visible: Uint8Array,
  across: number,
  widthOf: (text: string, style: number) => number,
): Placed {
  const { x, community, sizes, regions } = news;
  const count = x.length;
  // The layout knows boxes; a mark stands in the upper part of its box.
  const y = news.y.map((middle, i) => middle - (atlas.down[i]! - atlas.up[i]!) / 2);
  const tints = new Map(regions.map((region) => [region.community, region.tint]));
  const capital = new Uint8Array(count);
  const style = atlas.style.slice();
  const halfWidth = atlas.halfWidth.slice();
  const down = atlas.down.slice();
  const shown = atlas.order.filter((i) => visible[i] === 1);
  const extent = extentOf(x, y, atlas.halfWidth, regions);
  const area = Math.max(1, (extent.right - extent.left) * (extent.bottom - extent.top));
  const scale = across / Math.max(extent.right - extent.left, extent.bottom - extent.top);
  const foremost = new Map<number, number[]>(regions.map((region) => [region.community, []]));
  for (const i of shown) {
    const list = foremost.get(community[i]!);
    if (list !== undefined && list.length < FOREMOST && atlas.nodes[i]!.kind === 'entity') list.push(i);
  }
  const capitals: number[] = [];
  const meets = (a: number, b: number): boolean =>
    Math.abs(x[a]! - x[b]!) * scale < halfWidth[a]! + halfWidth[b]! &&
    (y[a]! - y[b]!) * scale < atlas.up[a]! + down[b]! &&
    (y[b]! - y[a]!) * scale < atlas.up[b]! + down[a]!;
  // The largest regions first. The weightiest name that there is room for: two at one border would leave one region without.
  for (const [group, list] of [...foremost].sort((a, b) => a[0] - b[0])) {
    const share = sizes[group]! / sizes[0]!;
    const write = (i: number, number: number): void => {
      style[i] = number;
      halfWidth[i] = widthOf(atlas.text[i]!, number) / 2 + 4;
      down[i] = atlas.radius[i]! + 3 + STYLES[number]!.line;
    };
    let found = -1;
    for (const i of list) {
      write(i, across < NARROW ? (share > LARGE ? 2 : 4) : share > LARGE ? 0 : share > MIDDLE ? 1 : 3);
      if (found < 0 && !capitals.some((other) => meets(i, other))) found = i;
      else write(i, atlas.style[i]!);
    }
    if (found < 0) continue;
    capital[found] = 1;
    capitals.push(found);
  }
  const from = new Float64Array(count);
  // Names of regions first, then as many others as the map has room for, with air around them.
  for (const [place, i] of shown.entries())
    from[i] = capital[i] === 1 ? 0 : Math.max(scale, Math.sqrt((place * AREA_EACH) / area));
  return {
    ...{ x, y, regions, capital, style, halfWidth, down, extent },
    tint: Int8Array.from(community, (group) => tints.get(group) ?? -1),
    appears: appearancesOf({
      ...{ x, y, halfWidth, up: atlas.up, down, from, least: Math.min(1, scale / 4), most: CLOSEST },
      order: [...capitals, ...shown.filter((i) => capital[i] === 0)],
    }),
    ties: tieOrder(atlas, x, y, community),
    spacing: Math.sqrt(area / Math.max(1, count)),
    settled: news.settled,
  };
}

/** Marks with their names, and regions. */
function extentOf(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  halfWidth: ArrayLike<number>,
  regions: readonly Region[],
): Extent {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < x.length; i++) {
    left = Math.min(left, x[i]! - halfWidth[i]!);
    right = Math.max(right, x[i]! + halfWidth[i]!);
    top = Math.min(top, y[i]!);
    bottom = Math.max(bottom, y[i]!);
  }
  for (const { rings } of regions) {
    for (const ring of rings) {
      for (let i = 0; i < ring.length; i += 2) {
        left = Math.min(left, ring[i]!);
        right = Math.max(right, ring[i]!);
        top = Math.min(top, ring[i + 1]!);
        bottom = Math.max(bottom, ring[i + 1]!);
      }
    }
  }
  if (left > right) return { left: -1, top: -1, right: 1, bottom: 1 };
  return { left, top, right, bottom };
}

/** Strong and short ties first: they show what hangs together, and cross the least. */
function tieOrder({ ties }: Atlas, x: Float32Array, y: Float32Array, community: Uint32Array): Uint32Array {
  const worth = Float64Array.from(ties.strength, (strength, i) => {
    const [a, b] = [ties.ends[2 * i]!, ties.ends[2 * i + 1]!];
    const length = Math.hypot(x[a]! - x[b]!, y[a]! - y[b]!);
    return ((0.3 + strength) / (60 + length)) * (community[a] === community[b] ? 1 : 0.15);
  });
  return Uint32Array.from(worth.keys()).sort((a, b) => worth[b]! - worth[a]! || a - b);
}

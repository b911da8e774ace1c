/**
 * Where peers stand in the circle: the tier chooses the ring, the measured round trip the distance within it, the
 * PeerId the angle, so that a peer stays where it was. Neighbours that would cover each other are pushed apart.
 *
 * @module web/pages/network/layout
 */
export const tiers = ['trusted', 'verified', 'known', 'unknown'] as const;
export type Tier = (typeof tiers)[number];

/** Outer edge of each tier's ring, as a share of the circle's radius. */
export const edges: Readonly<Record<Tier, number>> = {
  trusted: 0.36,
  verified: 0.57,
  known: 0.78,
  unknown: 1,
};

export interface Stands {
  /** From the centre, as shares of the circle's radius; y grows downwards. */
  readonly x: number;
  readonly y: number;
}

/** Left free around the top, where the rings have their names (radians to each side). */
const free = Math.PI / 6;
const span = 2 * Math.PI - 2 * free;
const widestGap = (24 / 180) * Math.PI;
/** Round trips up to here stand at the inner edge, from there at the outer one (ms). */
const nearMs = 1;
const farMs = 1_000;

export function standsOf(
  peers: readonly { readonly peer: string; readonly tier: Tier; readonly rttMs: number | null }[],
): ReadonlyMap<string, Stands> {
  const sorted = peers
    .map(({ peer, tier, rttMs }) => ({ peer, distance: distanceOf(tier, rttMs), at: shareOf(peer) * span }))
    .sort((a, b) => a.at - b.at || (a.peer < b.peer ? -1 : 1));
  const gap = Math.min(widestGap, span / Math.max(1, sorted.length));
  for (let index = 1; index < sorted.length; index++)
    sorted[index]!.at = Math.max(sorted[index]!.at, sorted[index - 1]!.at + gap);
  // What was pushed beyond the end goes back, and pushes those before it.
  let end = span;
  for (let index = sorted.length - 1; index >= 0; index--) {
    sorted[index]!.at = Math.min(sorted[index]!.at, end);
    end = sorted[index]!.at - gap;
  }
  return new Map(
    sorted.map(({ peer, distance, at }) => {
      const angle = at + free - Math.PI / 2;
      return [peer, { x: distance * Math.cos(angle), y: distance * Math.sin(angle) }];
    }),
  );
}

/** Share of the radius. An unknown round trip stands at the outer edge, as the longest does. */
export function distanceOf(tier: Tier, rttMs: number | null): number {
  const within = tiers.indexOf(tier);
  const inner = within === 0 ? 0.2 : edges[tiers[within - 1]!] + 0.05;
  const outer = edges[tier] - 0.05;
  const share = rttMs === null ? 1 : Math.log(Math.max(nearMs, rttMs) / nearMs) / Math.log(farMs / nearMs);
  return inner + Math.min(1, share) * (outer - inner);
}

/** FNV-1a, 32 bits (draft-eastlake-fnv), its bits mixed once more, as a share of 1. */
function shareOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  // Names that differ in their last letter only would stand side by side otherwise.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32;
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export interface Label {
  readonly x: number;
  /** Base line of its first line. */
  readonly y: number;
  readonly anchor: 'start' | 'middle' | 'end';
}

const labelWidth = 80;
const labelHeight = 30;
/** From the middle of a mark to its label. */
const away = 13;

/**
 * Where the name of each mark finds room: beside it, otherwise under or over it, inside the drawing and over nothing
 * else. A mark that has no room goes without; those that come first choose first.
 *
 * @param marks px from the centre, in order
 * @param half half the side of the drawing, px
 * @param taken what else is drawn there
 */
export function labelsOf(
  marks: readonly { readonly peer: string; readonly x: number; readonly y: number }[],
  half: number,
  taken: readonly Box[],
): ReadonlyMap<string, Label> {
  const spots = marks.map(({ x, y }) => boxAt(x - 9, y - 9, 18, 18));
  const used = [...taken];
  const labels = new Map<string, Label>();
  for (const [own, { peer, x, y }] of marks.entries()) {
    const beside = (side: 1 | -1): [Label, Box] => [
      { x: x + side * away, y: y - 1, anchor: side > 0 ? 'start' : 'end' },
      boxAt(side > 0 ? x + away : x - away - labelWidth, y - 14, labelWidth, labelHeight),
    ];
    const stacked = (baseline: number): [Label, Box] => [
      { x, y: baseline, anchor: 'middle' },
      boxAt(x - labelWidth / 2, baseline - 13, labelWidth, labelHeight),
    ];
    const side = x < 0 ? -1 : 1;
    const [under, over] = [stacked(y + 24), stacked(y - 28)];
    // Away from the centre first: the line to it comes from there.
    const tries = [beside(side), ...(y < 0 ? [over, under] : [under, over]), beside(side > 0 ? -1 : 1)];
    const found = tries.find(
      ([, box]) =>
        box.left >= -half &&
        box.right <= half &&
        box.top >= -half &&
        box.bottom <= half &&
        !used.some((other) => meet(box, other)) &&
        !spots.some((other, index) => index !== own && meet(box, other)),
    );
    if (found === undefined) continue;
    labels.set(peer, found[0]);
    used.push(found[1]);
  }
  return labels;
}

export const boxAt = (left: number, top: number, width: number, height: number): Box => ({
  left,
  top,
  right: left + width,
  bottom: top + height,
});

const meet = (a: Box, b: Box): boolean =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

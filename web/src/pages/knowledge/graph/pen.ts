/**
 * What every part of the drawing uses: marks, lines and names at their places in the view.
 *
 * @module web/pages/knowledge/graph/pen
 */
import { type Atlas, KINDS, STYLES } from './atlas.ts';
import { type Camera, type Size, toViewX, toViewY } from './camera.ts';
import type { Ink } from './ink.ts';
import { HOLLOW, markAt } from './marks.ts';
import type { Placed } from './placed.ts';

export interface Scene {
  readonly atlas: Atlas;
  readonly placed: Placed;
  /** 1 for each name that no filter leaves out. */
  readonly visible: Uint8Array;
  /** -1: none. */
  readonly selected: number;
  readonly hovered: number;
  /** Shows the middle of the view, which keys work on. */
  readonly cross: boolean;
}

export interface Look {
  readonly camera: Camera;
  /** CSS px. */
  readonly view: Size;
  /** Pixels of the screen for a CSS px. */
  readonly ratio: number;
}

export type Pen = CanvasRenderingContext2D;

/** Light around letters, px. */
export const HALO = 3.5;
/** Marks that are this far from each other show what they are, px. */
export const KINDS_FROM = 17;
const SMALLEST_NEAR = 2.9;

export function line(pen: Pen, placed: Placed, camera: Camera, view: Size, a: number, b: number): void {
  pen.moveTo(toViewX(camera, view, placed.x[a]!), toViewY(camera, view, placed.y[a]!));
  pen.lineTo(toViewX(camera, view, placed.x[b]!), toViewY(camera, view, placed.y[b]!));
}

export function drawMarks(
  pen: Pen,
  { atlas, placed }: Scene,
  { camera, view }: Look,
  ink: Ink,
  shown: Uint8Array,
): void {
  // Where there is room, also the shape of the smallest can be seen.
  const least = placed.spacing * camera.scale > 2 * KINDS_FROM ? SMALLEST_NEAR : 0;
  for (const [number, kind] of KINDS.entries()) {
    pen.beginPath();
    for (let i = 0; i < shown.length; i++) {
      if (shown[i] === 0 || atlas.kind[i] !== number) continue;
      const x = toViewX(camera, view, placed.x[i]!);
      const y = toViewY(camera, view, placed.y[i]!);
      markAt(pen, kind, x, y, Math.max(least, atlas.radius[i]!));
    }
    if (HOLLOW.has(kind)) {
      pen.fillStyle = ink.bg;
      pen.fill();
      pen.strokeStyle = ink.kinds[number]!;
      pen.lineWidth = 1.4;
      pen.stroke();
    } else {
      pen.fillStyle = ink.kinds[number]!;
      pen.fill();
    }
  }
}

export const fontOf = (
  ink: Ink,
  { size, weight }: { readonly size: number; readonly weight: number },
): string => `${weight} ${size}px ${ink.family}`;

export function beginNames(pen: Pen, halo: number): void {
  pen.textAlign = 'center';
  pen.textBaseline = 'middle';
  pen.lineWidth = halo;
}

/** @param lower px below its place */
export function write(
  pen: Pen,
  { atlas, placed }: Scene,
  { camera, view }: Look,
  node: number,
  lower = 0,
): void {
  const x = toViewX(camera, view, placed.x[node]!);
  const y = toViewY(camera, view, placed.y[node]!);
  const at = y + placed.down[node]! - STYLES[placed.style[node]!]!.line / 2 + lower;
  pen.strokeText(atlas.text[node]!, x, at);
  pen.fillText(atlas.text[node]!, x, at);
}

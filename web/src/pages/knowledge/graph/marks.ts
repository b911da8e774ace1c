/**
 * The shape of each kind of name: known also where colours are not seen.
 *
 * @module web/pages/knowledge/graph/marks
 */
import type { Kind } from './atlas.ts';

/** Kinds whose marks are outlines. */
export const HOLLOW: ReadonlySet<Kind> = new Set(['Thing', 'document']);

type Corners = readonly (readonly [number, number])[];

/** Corners by radius 1; kinds without are round. */
const CORNERS: Partial<Record<Kind, Corners>> = {
  Organization: square(0.9, 0.9),
  Place: [
    [0, -1.2],
    [1.15, 0.85],
    [-1.15, 0.85],
  ],
  Event: [
    [0, -1.25],
    [1.25, 0],
    [0, 1.25],
    [-1.25, 0],
  ],
  CreativeWork: [
    [-1.15, -0.85],
    [1.15, -0.85],
    [0, 1.2],
  ],
  document: square(0.8, 1.1),
};

function square(half: number, high: number): Corners {
  return [
    [-half, -high],
    [half, -high],
    [half, high],
    [-half, high],
  ];
}

/** What is drawn on: a canvas, or a path. */
type Pen = Pick<CanvasRenderingContext2D, 'moveTo' | 'lineTo' | 'closePath' | 'arc'>;

/** Adds the mark to the path. */
export function markAt(pen: Pen, kind: Kind, x: number, y: number, radius: number): void {
  const corners = CORNERS[kind];
  if (corners === undefined) {
    pen.moveTo(x + radius, y);
    pen.arc(x, y, radius, 0, 2 * Math.PI);
    return;
  }
  for (const [i, [dx, dy]] of corners.entries()) {
    if (i === 0) pen.moveTo(x + dx * radius, y + dy * radius);
    else pen.lineTo(x + dx * radius, y + dy * radius);
  }
  pen.closePath();
}

/** The same as the path of an SVG. */
export function markPath(kind: Kind, x: number, y: number, radius: number): string {
  const corners = CORNERS[kind];
  if (corners !== undefined)
    return `M${corners.map(([dx, dy]) => `${x + dx * radius} ${y + dy * radius}`).join('L')}Z`;
  const arc = `a${radius} ${radius} 0 1 0`;
  return `M${x - radius} ${y}${arc}${2 * radius} 0${arc}${-2 * radius} 0Z`;
}

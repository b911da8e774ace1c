/**
 * Draws the map: regions, ties, marks, names; of what is selected all that it hangs together with, and the rest behind a veil.
 *
 * @module web/pages/knowledge/graph/draw
 */
import { STYLES } from './atlas.ts';
import { toViewX, toViewY } from './camera.ts';
import { drawHovered, drawSelected } from './chosen.ts';
import type { Ink } from './ink.ts';
import { markAt } from './marks.ts';
import {
  beginNames,
  drawMarks,
  fontOf,
  HALO,
  KINDS_FROM,
  type Look,
  line,
  type Pen,
  type Scene,
  write,
} from './pen.ts';
import type { Placed } from './placed.ts';
import { TINTS } from './regions.ts';

/** Ties that are drawn at once: more are a hairball. */
const MOST_TIES = 900;
/** Strokes of different strength. */
const SHADES = [0.5, 0.34, 0.2] as const;

/** Outlines of regions, made once for a map: they are drawn at every scale. */
export function outlinesOf({ regions }: Placed): Path2D[] {
  return regions.map(({ rings }) => {
    const path = new Path2D();
    for (const ring of rings) {
      const size = ring.length / 2;
      const at = (i: number) => [ring[2 * (i % size)]!, ring[2 * (i % size) + 1]!] as const;
      const middle = (i: number) => {
        const [[ax, ay], [bx, by]] = [at(i), at(i + 1)];
        return [(ax + bx) / 2, (ay + by) / 2] as const;
      };
      path.moveTo(...middle(0));
      for (let i = 1; i <= size; i++) path.quadraticCurveTo(...at(i), ...middle(i));
      path.closePath();
    }
    return path;
  });
}

export function draw(pen: Pen, scene: Scene, look: Look, ink: Ink, outlines: readonly Path2D[]): void {
  const { ratio, view } = look;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.globalAlpha = 1;
  pen.fillStyle = ink.bg;
  pen.fillRect(0, 0, view.width, view.height);
  pen.lineJoin = 'round';
  drawRegions(pen, scene, look, ink, outlines);
  const inView = marksInView(scene, look);
  // From far away kinds are confetti: marks are dots of their region then, and ties a grey haze.
  if (scene.placed.spacing * look.camera.scale < KINDS_FROM) drawDots(pen, scene, look, ink, inView);
  else {
    drawTies(pen, scene, look, ink, inView);
    drawMarks(pen, scene, look, ink, inView);
  }
  drawNames(pen, scene, look, ink, inView);
  if (scene.selected >= 0) drawSelected(pen, scene, look, ink);
  if (scene.hovered >= 0 && scene.hovered !== scene.selected) drawHovered(pen, scene, look, ink);
  if (scene.cross) drawCross(pen, look, ink);
}

function drawRegions(
  pen: Pen,
  { placed }: Scene,
  { camera, view, ratio }: Look,
  ink: Ink,
  outlines: readonly Path2D[],
): void {
  const { scale } = camera;
  pen.save();
  pen.setTransform(
    ratio * scale,
    0,
    0,
    ratio * scale,
    ratio * (view.width / 2 - camera.x * scale),
    ratio * (view.height / 2 - camera.y * scale),
  );
  pen.lineWidth = 1.25 / scale;
  for (const [i, { tint, x, y, width, height }] of placed.regions.entries()) {
    // The middle of its names is not the middle of its box, but its box is no larger than twice that.
    if (Math.abs(toViewX(camera, view, x) - view.width / 2) > view.width / 2 + width * scale) continue;
    if (Math.abs(toViewY(camera, view, y) - view.height / 2) > view.height / 2 + height * scale) continue;
    pen.fillStyle = ink.lands[tint]!;
    pen.fill(outlines[i]!);
    pen.strokeStyle = ink.shores[tint]!;
    pen.stroke(outlines[i]!);
  }
  pen.restore();
}

function marksInView({ placed, visible }: Scene, { camera, view }: Look): Uint8Array {
  const inView = new Uint8Array(visible.length);
  const width = (view.width / 2 + 90) / camera.scale;
  const height = (view.height / 2 + 30) / camera.scale;
  for (let i = 0; i < inView.length; i++) {
    if (
      visible[i] === 1 &&
      Math.abs(placed.x[i]! - camera.x) < width &&
      Math.abs(placed.y[i]! - camera.y) < height
    )
      inView[i] = 1;
  }
  return inView;
}

function drawTies(
  pen: Pen,
  { atlas, placed }: Scene,
  { camera, view }: Look,
  ink: Ink,
  inView: Uint8Array,
): void {
  const { ends } = atlas.ties;
  const drawn: number[] = [];
  for (const tie of placed.ties) {
    if (inView[ends[2 * tie]!] === 0 || inView[ends[2 * tie + 1]!] === 0) continue;
    drawn.push(tie);
    if (drawn.length === MOST_TIES) break;
  }
  pen.strokeStyle = ink.edge;
  pen.lineWidth = 1;
  for (const [shade, alpha] of SHADES.entries()) {
    const part = drawn.slice(
      Math.floor((shade * drawn.length) / SHADES.length),
      Math.floor(((shade + 1) * drawn.length) / SHADES.length),
    );
    pen.globalAlpha = alpha;
    pen.beginPath();
    for (const tie of part) line(pen, placed, camera, view, ends[2 * tie]!, ends[2 * tie + 1]!);
    pen.stroke();
  }
  pen.globalAlpha = 1;
}

function drawDots(
  pen: Pen,
  { atlas, placed }: Scene,
  { camera, view }: Look,
  ink: Ink,
  shown: Uint8Array,
): void {
  const small = Math.max(0.4, Math.min(0.85, (placed.spacing * camera.scale) / 13));
  for (let tint = -1; tint < TINTS; tint++) {
    pen.beginPath();
    for (let i = 0; i < shown.length; i++) {
      if (shown[i] === 0 || placed.tint[i] !== tint) continue;
      const x = toViewX(camera, view, placed.x[i]!);
      const y = toViewY(camera, view, placed.y[i]!);
      markAt(pen, 'Person', x, y, atlas.radius[i]! * small);
    }
    pen.fillStyle = tint < 0 ? ink.edge : ink.dots[tint]!;
    pen.fill();
  }
}

function drawNames(pen: Pen, scene: Scene, look: Look, ink: Ink, shown: Uint8Array): void {
  const { placed } = scene;
  beginNames(pen, HALO);
  for (const [number, style] of STYLES.entries()) {
    pen.font = fontOf(ink, style);
    for (let i = 0; i < shown.length; i++) {
      if (shown[i] === 0 || placed.style[i] !== number || placed.appears[i]! > look.camera.scale) continue;
      const tint = placed.tint[i]!;
      pen.strokeStyle = tint < 0 ? ink.bg : ink.lands[tint]!;
      pen.fillStyle = placed.capital[i] === 1 ? ink.names[tint]! : ink.ink;
      write(pen, scene, look, i);
    }
  }
}

function drawCross(pen: Pen, { view }: Look, ink: Ink): void {
  const [x, y] = [view.width / 2, view.height / 2];
  pen.strokeStyle = ink.accent;
  pen.lineWidth = 1.5;
  pen.beginPath();
  for (const [dx, dy] of [
    [1, 0],
    [-1, 0],
    [0, 1],
    [0, -1],
  ] as const) {
    pen.moveTo(x + 5 * dx, y + 5 * dy);
    pen.lineTo(x + 14 * dx, y + 14 * dy);
  }
  pen.stroke();
}

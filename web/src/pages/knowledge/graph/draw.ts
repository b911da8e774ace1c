/**
 * Draws the map: regions, ties, marks, names; of what is selected all that it hangs together with, and the rest behind a veil.
 *
 * @module web/pages/knowledge/graph/draw
 */
import { type Atlas, KINDS, STYLES, strongestOf } from './atlas.ts';
import { type Camera, type Size, toViewX, toViewY } from './camera.ts';
import type { Ink } from './ink.ts';
import { appearancesOf } from './labels.ts';
import { HOLLOW, markAt } from './marks.ts';
import type { Placed } from './placed.ts';
import { TINTS } from './regions.ts';

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

type Pen = CanvasRenderingContext2D;

/** Ties that are drawn at once: more are a hairball. */
const MOST_TIES = 900;
/** Strokes of different strength. */
const SHADES = [0.5, 0.34, 0.2] as const;
/** Neighbours of what is selected that are named at once, when there is room. */
const MOST_NAMED = 60;
const HALO = 3.5;
/** Marks that are this far from each other show what they are, px. */
const KINDS_FROM = 17;
const SMALLEST_NEAR = 2.9;

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

function line(pen: Pen, placed: Placed, camera: Camera, view: Size, a: number, b: number): void {
  pen.moveTo(toViewX(camera, view, placed.x[a]!), toViewY(camera, view, placed.y[a]!));
  pen.lineTo(toViewX(camera, view, placed.x[b]!), toViewY(camera, view, placed.y[b]!));
}

function drawMarks(
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

const fontOf = (ink: Ink, { size, weight }: { readonly size: number; readonly weight: number }): string =>
  `${weight} ${size}px ${ink.family}`;

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

function beginNames(pen: Pen, halo: number): void {
  pen.textAlign = 'center';
  pen.textBaseline = 'middle';
  pen.lineWidth = halo;
}

function write(pen: Pen, { atlas, placed }: Scene, { camera, view }: Look, node: number): void {
  const x = toViewX(camera, view, placed.x[node]!);
  const y = toViewY(camera, view, placed.y[node]!);
  const at = y + placed.down[node]! - STYLES[placed.style[node]!]!.line / 2;
  pen.strokeText(atlas.text[node]!, x, at);
  pen.fillText(atlas.text[node]!, x, at);
}

/** The node and all that it has ties with, over what is veiled. */
function drawSelected(pen: Pen, scene: Scene, look: Look, ink: Ink): void {
  const { atlas, placed, visible, selected } = scene;
  const { camera, view } = look;
  pen.globalAlpha = 0.8;
  pen.fillStyle = ink.bg;
  pen.fillRect(0, 0, view.width, view.height);
  pen.globalAlpha = 1;
  const near = strongestOf(atlas, selected).filter((i) => visible[i] === 1);
  drawSpokes(pen, scene, look, ink, selected, near);
  const shown = new Uint8Array(visible.length);
  for (const i of near) shown[i] = 1;
  shown[selected] = 1;
  drawMarks(pen, scene, look, ink, shown);
  pen.strokeStyle = ink.accent;
  pen.lineWidth = 2.5;
  pen.beginPath();
  const [x, y] = [toViewX(camera, view, placed.x[selected]!), toViewY(camera, view, placed.y[selected]!)];
  pen.arc(x, y, atlas.radius[selected]! + 4, 0, 2 * Math.PI);
  pen.stroke();
  const named = [selected, ...near.slice(0, MOST_NAMED)];
  const written = appearancesOf({
    ...{ x: placed.x, y: placed.y, halfWidth: placed.halfWidth, up: atlas.up, down: placed.down },
    order: named,
    from: new Float64Array(visible.length),
    ...{ least: camera.scale, most: camera.scale },
  });
  beginNames(pen, HALO + 1);
  pen.strokeStyle = ink.bg;
  for (const i of named) {
    if (written[i]! > camera.scale) continue;
    const style = STYLES[placed.style[i]!]!;
    pen.font = fontOf(ink, i === selected ? { ...style, weight: 700 } : style);
    pen.fillStyle = i === selected ? ink.accent : ink.ink;
    write(pen, scene, look, i);
  }
}

/** Ties of one node: the stronger, the thicker. */
function drawSpokes(
  pen: Pen,
  { placed }: Scene,
  { camera, view }: Look,
  ink: Ink,
  node: number,
  near: readonly number[],
): void {
  pen.strokeStyle = ink.soft;
  for (const [place, other] of near.entries()) {
    // By rank: strengths of different documents say little side by side.
    const share = 1 - place / near.length;
    pen.globalAlpha = 0.25 + 0.6 * share;
    pen.lineWidth = 0.8 + 1.4 * share;
    pen.beginPath();
    line(pen, placed, camera, view, node, other);
    pen.stroke();
  }
  pen.globalAlpha = 1;
}

function drawHovered(pen: Pen, scene: Scene, look: Look, ink: Ink): void {
  const { atlas, placed, visible, hovered, selected } = scene;
  const { camera, view } = look;
  if (selected < 0)
    drawSpokes(
      pen,
      scene,
      look,
      ink,
      hovered,
      strongestOf(atlas, hovered).filter((i) => visible[i] === 1),
    );
  const x = toViewX(camera, view, placed.x[hovered]!);
  const y = toViewY(camera, view, placed.y[hovered]!);
  const shown = new Uint8Array(visible.length);
  shown[hovered] = 1;
  drawMarks(pen, scene, look, ink, shown);
  pen.strokeStyle = ink.ink;
  pen.lineWidth = 1.75;
  pen.beginPath();
  pen.arc(x, y, atlas.radius[hovered]! + 3, 0, 2 * Math.PI);
  pen.stroke();
  const style = STYLES[placed.style[hovered]!]!;
  const { name } = atlas.nodes[hovered]!;
  pen.font = fontOf(ink, { size: style.size, weight: 650 });
  pen.textAlign = 'center';
  pen.textBaseline = 'middle';
  const half = pen.measureText(name).width / 2 + 8;
  // Wholly inside, where the view is wide enough for it.
  const middle = Math.max(half + 4, Math.min(view.width - half - 4, x));
  const at = y + placed.down[hovered]! - style.line / 2 + 2;
  pen.fillStyle = ink.raised;
  pen.strokeStyle = ink.edge;
  pen.lineWidth = 1;
  pen.beginPath();
  pen.roundRect(middle - half, at - style.line / 2 - 2, 2 * half, style.line + 4, 6);
  pen.fill();
  pen.stroke();
  pen.fillStyle = ink.ink;
  pen.fillText(name, middle, at);
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

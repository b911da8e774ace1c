/**
 * Draws what is selected or pointed at, over the rest of the map.
 *
 * @module web/pages/knowledge/graph/chosen
 */
import { STYLES, strongestOf } from './atlas.ts';
import { toViewX, toViewY } from './camera.ts';
import type { Ink } from './ink.ts';
import { appearancesOf } from './labels.ts';
import { beginNames, drawMarks, fontOf, HALO, type Look, line, type Pen, type Scene, write } from './pen.ts';

/** Neighbours of what is selected that are named at once, when there is room. */
const MOST_NAMED = 60;
/** Ties that are drawn stronger than the rest. */
const STRONG = 20;
/** Around what is selected, px from its mark. */
const RING = 4.5;

/** The node and all that it has ties with, over what is veiled. */
export function drawSelected(pen: Pen, scene: Scene, look: Look, ink: Ink): void {
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
  pen.arc(x, y, atlas.radius[selected]! + RING, 0, 2 * Math.PI);
  pen.stroke();
  const named = [selected, ...near.slice(0, MOST_NAMED)];
  const down = placed.down.slice();
  down[selected]! += RING;
  const written = appearancesOf({
    ...{ x: placed.x, y: placed.y, halfWidth: placed.halfWidth, up: atlas.up, down },
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
    // Below the ring.
    write(pen, scene, look, i, i === selected ? RING : 0);
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
  // Of many only the strongest are to be followed, the others are there.
  const faint = Math.min(0.3, 14 / near.length);
  pen.strokeStyle = ink.soft;
  for (const [place, other] of near.entries()) {
    // By rank: strengths of different documents say little side by side.
    const share = Math.max(0, 1 - place / STRONG);
    pen.globalAlpha = faint + (0.75 - faint) * share;
    pen.lineWidth = 0.8 + 1.3 * share;
    pen.beginPath();
    line(pen, placed, camera, view, node, other);
    pen.stroke();
  }
  pen.globalAlpha = 1;
}

export function drawHovered(pen: Pen, scene: Scene, look: Look, ink: Ink): void {
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

/**
 * What lies under the pointer.
 *
 * @module web/pages/knowledge/graph/hits
 */
import type { Atlas } from './atlas.ts';
import { type Camera, type Size, toMapX, toMapY } from './camera.ts';
import type { Placed } from './placed.ts';

/**
 * The mark that is meant by a place of the view: the nearest one, where the heavier of equals wins, or the one whose name is there.
 *
 * @param reach px around the middle of a mark that still count
 * @returns -1 for none
 */
export function nodeAt(
  atlas: Atlas,
  placed: Placed,
  visible: Uint8Array,
  camera: Camera,
  view: Size,
  at: { readonly x: number; readonly y: number },
  reach: number,
): number {
  const mapX = toMapX(camera, view, at.x);
  const mapY = toMapY(camera, view, at.y);
  let found = -1;
  let best = Infinity;
  for (let i = 0; i < placed.x.length; i++) {
    if (visible[i] === 0) continue;
    const dx = (mapX - placed.x[i]!) * camera.scale;
    const dy = (mapY - placed.y[i]!) * camera.scale;
    const radius = atlas.radius[i]!;
    const away = Math.hypot(dx, dy) - radius;
    let worse = away;
    if (away > reach) {
      const written = placed.appears[i]! <= camera.scale;
      if (!written || Math.abs(dx) > placed.halfWidth[i]! || dy < 0 || dy > placed.down[i]!) continue;
      // A name counts as much as the outermost of what a mark reaches.
      worse = reach;
    }
    if (worse < best) [best, found] = [worse, i];
  }
  return found;
}

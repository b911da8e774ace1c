/**
 * The thread that lays maps out.
 *
 * @module web/pages/knowledge/graph/laying-out
 */
import type { Atlas } from './atlas.ts';
import type { LayoutNews, LayoutOrder } from './messages.ts';

/** Air around each label, px. */
const AIR_X = 4;
const AIR_Y = 2;
const SEED = 1;
/** Few of them: the map should not be another one for each width of a window. */
const aspectFor = (aspect: number): number => (aspect > 1.15 ? 1.4 : aspect < 0.87 ? 0.75 : 1);

export function orderOf({ nodes, ties, halfWidth, up, down, radius }: Atlas, aspect: number): LayoutOrder {
  const least = radius.reduce((least, each) => Math.min(least, each), Infinity);
  return {
    push: Float64Array.from(radius, (each) => 1 + 0.45 * (each - least)),
    aspect,
    ties,
    halfWidth: halfWidth.map((half) => half + AIR_X),
    halfHeight: up.map((above, i) => (above + down[i]!) / 2 + AIR_Y),
    community: Int32Array.from(nodes, ({ community }) => community ?? -1),
    seed: SEED,
  };
}

/** @param aspect width for height of the place it is drawn in @param tell each time the map has changed @param failed the browser does not run it @returns ends it */
export function layOut(
  atlas: Atlas,
  aspect: number,
  tell: (news: LayoutNews) => void,
  failed: () => void,
): () => void {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  worker.onmessage = ({ data }: MessageEvent<LayoutNews>) => {
    tell(data);
    if (data.settled) worker.terminate();
  };
  worker.onerror = failed;
  worker.postMessage(orderOf(atlas, aspectFor(aspect)));
  return () => worker.terminate();
}

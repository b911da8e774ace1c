/**
 * Lays the map out beside the page, and tells how far it is: first at once, then a few times a second.
 *
 * @module web/pages/knowledge/graph/worker
 */
import { createLayout, SMALLEST } from './layout.ts';
import type { LayoutNews, LayoutOrder } from './messages.ts';
import { regionsOf } from './regions.ts';

const againMs = 90;
/** Large maps cost the page more to draw than they move meanwhile. */
const LARGE = 2_000;
const largeAgainMs = 240;

self.onmessage = ({ data }: MessageEvent<LayoutOrder>) => {
  const began = performance.now();
  const layout = createLayout(data);
  const tell = (): void => {
    const x = Float32Array.from(layout.x);
    const y = Float32Array.from(layout.y);
    const news: LayoutNews = {
      ...{ x, y },
      community: layout.community,
      sizes: layout.sizes,
      regions: regionsOf(x, y, layout.community, layout.sizes, SMALLEST),
      settled: layout.settled,
      after: performance.now() - began,
    };
    self.postMessage(news, { transfer: [x.buffer, y.buffer] });
  };
  tell();
  const pause = layout.x.length > LARGE ? largeAgainMs : againMs;
  let told = performance.now();
  while (!layout.settled) {
    layout.tick();
    if (!layout.settled && performance.now() - told < pause) continue;
    tell();
    told = performance.now();
  }
};

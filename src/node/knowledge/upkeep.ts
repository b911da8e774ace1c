/**
 * How a knowledge base is cut, and what a sync of it would do.
 *
 * @module node/knowledge/upkeep
 */
import { previewSync } from '../../knowledge/index.ts';
import type { SyncPlanView, UpkeepDesk } from '../../server/index.ts';
import type { AreaParts } from './areas.ts';
import { checkWindow, chunkingOf, chunkingView, setChunking, windowOf } from './chunking.ts';
import { checkFolder, followed } from './places.ts';

export function upkeepDesk({ config, clock, withKb }: AreaParts): UpkeepDesk {
  const { knowledge } = config;
  return {
    chunking: (name) => withKb(name, ({ store }) => chunkingView(store, knowledge)),
    setChunking: (name, order) =>
      withKb(name, async ({ store }, { embedders }) => {
        const { size } = order;
        if (typeof size === 'number') {
          const window = windowOf(store);
          checkWindow(
            size,
            window === null ? await embedders.of(store) : { id: store.embedder?.id ?? '', window },
          );
        }
        setChunking(store, order);
        return chunkingView(store, knowledge);
      }),
    preview: (name, order, signal) =>
      withKb(name, async ({ store, stamps }, { pool, embedders }) => {
        if (order.folder !== undefined) await checkFolder(order.folder);
        const chunking = chunkingOf(store, knowledge);
        const window = windowOf(store);
        // Of the embedder only its window counts here: no model is loaded where that is known, or nothing was cut yet.
        const isKnown = window !== null || store.embedder === null;
        const lazy = embedders.lazy(store);
        const embedder = isKnown ? { ...lazy, window: window ?? lazy.window } : await embedders.of(store);
        const plans: SyncPlanView[] = [];
        for (const { folder, under } of followed(store, order, { keep: false })) {
          const plan = await previewSync({
            ...{ store, pool, clock, signal, chunking, embedder, folder, prefix: under },
            ...{ allowEmpty: order.allowEmpty, stamps: stamps(under) },
          });
          plans.push({ folder, under, ...plan });
        }
        return plans;
      }),
  };
}

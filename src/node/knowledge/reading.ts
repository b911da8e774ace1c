/**
 * Reading in documents of a knowledge base of the node.
 *
 * @module node/knowledge/reading
 */
import { KithError } from '../../base/index.ts';
import type { ReadingDesk } from '../../server/index.ts';
import type { AreaParts } from './areas.ts';
import { createOriginals, originalView } from './originals.ts';
import { unknown } from './places.ts';
import { chunkView, documentView } from './views.ts';

export function readingDesk({ config, withKb }: AreaParts): ReadingDesk {
  const originals = createOriginals();
  return {
    passages: (name, { path, chunk, around, from, limit }) =>
      withKb(name, async ({ store }) => {
        const document = store.document(path);
        if (document === null) throw unknown(path);
        const original = await originalView(store, document);
        if (chunk === undefined)
          return {
            ...{ document: documentView(document), original },
            passages: store.chunksOf(path, from, limit).map(chunkView),
          };
        const found = store.chunk(chunk, path);
        if (found?.document !== document.id)
          throw new KithError(
            'passage_unknown',
            `The document '${path}' has no passage ${chunk}: it may have changed since. Search again.`,
            { status: 404, param: 'chunk' },
          );
        return {
          ...{ document: documentView(document), original },
          passages: store.neighbours(found.row, around).map(chunkView),
        };
      }),
    original: (name, id, signal) => withKb(name, ({ store }) => originals.open(store, id, signal)),
    fileBytes: async () => config.knowledge.fileBytes,
  };
}

/**
 * Vectors for the chunks that have none: after a change of the embedder, or where documents were put without.
 *
 * @module knowledge/ingest/reembed
 */
import { throwIfAborted } from '../../base/index.ts';
import { passageOf } from '../chunk/index.ts';
import type { KnowledgeStore } from '../store/index.ts';
import type { Embedder } from '../types.ts';

/** Chunks embedded with one call and kept with one transaction. */
const AT_ONCE = 128;

/**
 * Gives the number of chunks done so far after each step. Meanwhile words find everything, and vectors what is done. What was
 * done stays when it is left or killed: the next call goes on. Chunks are as they were cut; where the new window is smaller, the
 * ends of longer ones count for words only, until their files are taken in again.
 *
 * @throws InputError `embedder_mismatch`: call `changeEmbedder` first
 */
export async function* reembed(
  store: KnowledgeStore,
  embedder: Embedder,
  signal?: AbortSignal,
): AsyncGenerator<number, void, undefined> {
  store.useEmbedder(embedder);
  let done = 0;
  for (let after = 0; ; ) {
    throwIfAborted(signal);
    const chunks = store.withoutVector(after, AT_ONCE);
    if (chunks.length === 0) return;
    const vectors = await embedder.embed(chunks.map(passageOf), {
      kind: 'passage',
      ...(signal === undefined ? {} : { signal }),
    });
    store.setVectors(
      chunks.map(({ row }) => row),
      vectors,
    );
    after = chunks.at(-1)!.row;
    done += chunks.length;
    yield done;
  }
}

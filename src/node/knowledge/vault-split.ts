/**
 * A knowledge base for search at two Eves: its vectors and passages from the copy that is placed, its index as objects beside its parts.
 *
 * The index is made as a whole whenever the knowledge base changed, under names that are drawn anew: no slot is sealed twice. What was put
 * for one that is never finished, nobody reads, and the next sync removes it.
 *
 * @module node/knowledge/vault-split
 */
import { hash } from 'node:crypto';
import { type Random, throwIfAborted } from '../../base/index.ts';
import type { KnowledgeStore, StoredChunk } from '../../knowledge/index.ts';
import {
  buildSplit,
  type Collection,
  type CollectionKeys,
  coloursOf,
  digestOf,
  indexObjects,
  type Named,
  type ObjectSource,
  SPLIT_OBJECTS,
  type SplitItem,
} from '../../vault/index.ts';
import type { KbObjects } from './vault-parts.ts';
import { packPassage } from './vault-passages.ts';

export interface SplitObjects {
  /** Parts of the knowledge base and of the index. */
  readonly source: ObjectSource;
  readonly everywhere: readonly string[];
  /** Of the parts: it tells whether an index is of this state. */
  readonly state: string;
  /** Bytes that were put, and Eves that were away. */
  readonly bytes: number;
  readonly away: ReadonlyMap<string, string>;
}

export interface SplitWork {
  readonly objects: KbObjects;
  readonly collection: Collection;
  readonly keysOf: (epoch: number) => CollectionKeys;
  readonly random: Pick<Random, 'bytes'>;
  readonly signal: AbortSignal;
  readonly told: (done: number, of: number) => void;
}

/** About what it takes at each Eve, bytes: blocks of scores, rows of vectors, and rows of passages, of which many take two. */
export const splitBytes = (vectors: number, dimension: number): number =>
  Math.ceil(vectors / 2032) * 1_572_864 + vectors * (2 * dimension + 64 + 2 * 1280);

/** Vectors and chunks that are read from the file at once. */
const BATCH = 256;
/** What an index of no vectors says that they have. */
const NO_DIMENSION = 192;

export async function splitObjects({
  objects,
  collection,
  keysOf,
  random,
  signal,
  told,
}: SplitWork): Promise<SplitObjects> {
  const parts: Named[] = [];
  for await (const part of objects.source.list()) parts.push(part);
  const state = stateOf(parts);
  const manifest = await collection.open(signal);
  const known = [...manifest.entries.values()].filter(({ name }) => name.startsWith(SPLIT_OBJECTS));
  const holds =
    manifest.mode === 'split' &&
    manifest.info.split === state &&
    known.length > 0 &&
    (await collection.lost(manifest.everywhere, signal)).length === 0;
  if (holds)
    return {
      ...{ everywhere: manifest.everywhere, state, bytes: 0, away: new Map() },
      source: {
        list: () => [...parts, ...known],
        read: (name) =>
          name.startsWith(SPLIT_OBJECTS)
            ? collection.read(manifest, name, signal)
            : objects.source.read(name),
      },
    };
  // Of each operator one Eve at least has to have everything.
  const putter = collection.everywhere((eves) => void coloursOf(eves), signal);
  const copy = objects.open();
  try {
    const index = await buildSplit(
      {
        count: copy.counts().vectors,
        dimension: copy.embedder?.dimension ?? NO_DIMENSION,
        items: () => itemsOf(copy, signal),
      },
      { keys: keysOf(manifest.epoch), random, put: putter.put, signal, told },
    );
    const own = indexObjects(index);
    return {
      ...{ everywhere: putter.ids, state, bytes: putter.bytes, away: putter.away },
      source: {
        list: () => [...parts, ...own.entries().map(([name, bytes]) => ({ name, digest: digestOf(bytes) }))],
        read: async (name) => own.get(name) ?? objects.source.read(name),
      },
    };
  } finally {
    copy.close();
  }
}

const stateOf = (parts: readonly Named[]): string =>
  hash(
    'sha256',
    parts.map(({ name, digest }) => `${name}\0${Buffer.from(digest).toString('hex')}\n`).join(''),
  );

/** Chunks that have a vector, by row. */
async function* itemsOf(store: KnowledgeStore, signal: AbortSignal): AsyncIterable<SplitItem> {
  const all = store.allChunks();
  for (;;) {
    throwIfAborted(signal);
    const chunks: StoredChunk[] = [];
    for (let next = all.next(); next.done !== true; next = all.next()) {
      chunks.push(next.value);
      if (chunks.length === BATCH) break;
    }
    if (chunks.length === 0) return;
    const vectors = store.f32(chunks.map(({ row }) => row));
    for (const [i, chunk] of chunks.entries()) {
      const vector = vectors[i];
      if (vector !== null && vector !== undefined) yield { vector, text: packPassage(chunk) };
    }
    // Others of this thread get their turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

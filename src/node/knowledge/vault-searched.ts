/**
 * What Eves search of a knowledge base, in whatever mode: vectors and passages from the copy that is placed, an index of them as objects beside its
 * parts.
 *
 * The index is made as a whole whenever the knowledge base changed, under names that are drawn anew: no slot is sealed twice. What was put
 * for one that is never finished, nobody reads, and the next sync removes it.
 *
 * @module node/knowledge/vault-searched
 */
import { hash } from 'node:crypto';
import { type Random, throwIfAborted } from '../../base/index.ts';
import type { KnowledgeStore, StoredChunk } from '../../knowledge/index.ts';
import {
  type Collection,
  type CollectionKeys,
  digestOf,
  type Named,
  type ObjectSource,
  type PlacedEve,
  type SplitItem,
  type SplitSource,
  type VaultMode,
} from '../../vault/index.ts';
import type { KbObjects } from './vault-parts.ts';
import { packPassage } from './vault-passages.ts';

export interface SearchedObjects {
  /** Parts of the knowledge base and of the index. */
  readonly source: ObjectSource;
  readonly everywhere: readonly string[];
  /** Of the parts: it tells whether an index is of this state. */
  readonly state: string;
  /** Bytes that were put, and Eves that were away. */
  readonly bytes: number;
  readonly away: ReadonlyMap<string, string>;
  /** Number of the state on which this has to stand: another machine may change the keys meanwhile. */
  readonly from: number;
}

export interface SearchedWork {
  readonly objects: KbObjects;
  readonly collection: Collection;
  readonly keysOf: (epoch: number) => CollectionKeys;
  readonly random: Pick<Random, 'bytes'>;
  readonly signal: AbortSignal;
  readonly told: (done: number, of: number) => void;
  /** All of it under the keys of the next epoch. @default false */
  readonly rotate?: boolean;
}

/** How a mode makes what is searched. */
export interface Making {
  /** The state stands under its name in the head. */
  readonly mode: Exclude<VaultMode, 'sealed'>;
  /** Names of its objects begin so. */
  readonly prefix: string;
  /** Throws when Eves that have all blocks so far do not do. */
  readonly enough: (eves: readonly PlacedEve[]) => void;
  /** The index as objects, by name. */
  make(
    source: SplitSource,
    options: Pick<SearchedWork, 'random' | 'signal' | 'told'> & {
      readonly keys: CollectionKeys;
      readonly put: (id: string, block: Uint8Array) => Promise<void>;
    },
  ): Promise<ReadonlyMap<string, Uint8Array>>;
}

/** Vectors and chunks that are read from the file at once. */
const BATCH = 256;
/** What an index of no vectors says that they have. */
const NO_DIMENSION = 192;

export async function searchedObjects(
  { objects, collection, keysOf, random, signal, told, rotate = false }: SearchedWork,
  { mode, prefix, enough, make }: Making,
): Promise<SearchedObjects> {
  const parts: Named[] = [];
  for await (const part of objects.source.list()) parts.push(part);
  const state = stateOf(parts);
  const manifest = await collection.openToWrite(signal);
  const known = [...manifest.entries.values()].filter(({ name }) => name.startsWith(prefix));
  const holds =
    !rotate &&
    manifest.mode === mode &&
    manifest.info[mode] === state &&
    known.length > 0 &&
    // Also of the index: it cannot be placed again from here but by making it anew.
    (await collection.lost([...manifest.everywhere, ...known.map(({ segment }) => segment)], signal))
      .length === 0;
  if (holds)
    return {
      ...{ everywhere: manifest.everywhere, state, bytes: 0, away: new Map(), from: manifest.number },
      source: {
        list: () => [...parts, ...known],
        read: (name) =>
          name.startsWith(prefix) ? collection.read(manifest, name, signal) : objects.source.read(name),
      },
    };
  const putter = collection.everywhere(enough, signal);
  const copy = objects.open();
  try {
    const own = await make(
      {
        count: copy.counts().vectors,
        dimension: copy.embedder?.dimension ?? NO_DIMENSION,
        items: () => itemsOf(copy, signal),
      },
      { keys: keysOf(rotate ? manifest.epoch + 1 : manifest.epoch), random, put: putter.put, signal, told },
    );
    return {
      ...{ everywhere: putter.ids, state, bytes: putter.bytes, away: putter.away, from: manifest.number },
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

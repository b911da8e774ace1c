/**
 * A collection of objects on Eves, as its owner uses it: placed and kept equal, read object by object or whole, repaired, checked,
 * its keys changed.
 *
 * @module vault/collection/collection
 */
import { KithError, oneAtATime } from '../../base/index.ts';
import { blockId } from '../block.ts';
import type { CollectionKeys } from '../keys/keys.ts';
import { type PlacedEve, type ReadOptions, readBlock } from '../place/reader.ts';
import { damaged, openRecord } from '../seal/record.ts';
import { digestOf, type Entry } from '../seal/segment.ts';
import { inOrder } from './ahead.ts';
import { blocksLost } from './holdings.ts';
import { type Manifest, readManifest } from './manifest-view.ts';
import { createEverywhere, type EverywherePutter } from './put.ts';
import { readSome } from './read-some.ts';
import { checkBlocks, repairBlocks } from './repair.ts';
import { syncObjects } from './sync.ts';
import type {
  CheckReport,
  CollectionOptions,
  ObjectSource,
  RepairReport,
  SyncOptions,
  SyncReport,
} from './types.ts';

/** Segments that are on their way while one is read: 4 MiB of memory each at most. */
const AHEAD = 3;

export interface RestoreOptions {
  readonly signal?: AbortSignal;
  readonly told?: (done: number, of: number) => void;
}

/** Blocks that were fetched before. What it gives is held against its name: nobody has to trust it. */
export interface KeptBlocks {
  get(id: string): Promise<Uint8Array | null>;
  put(id: string, block: Uint8Array): Promise<void>;
}

export interface Collection {
  readonly id: string;
  /** Its keys of an epoch. @throws KithError `vault_grant_keys`: they were not given */
  keysOf(epoch: number): CollectionKeys;
  /** What it consists of, as the Eves have it now. */
  open(signal?: AbortSignal): Promise<Manifest>;
  /** As `open`, for who has everything: what all Eves lost is not missed, but to be placed again. */
  openToWrite(signal?: AbortSignal): Promise<Manifest>;
  sync(source: ObjectSource, options: SyncOptions): Promise<SyncReport>;
  /**
   * Puts blocks that all Eves are to hold; a sync that names them makes them part of the collection, and one that does not removes them.
   *
   * @param enough throws when Eves that have all blocks so far do not do
   */
  everywhere(enough: (eves: readonly PlacedEve[]) => void, signal?: AbortSignal): EverywherePutter;
  /** Those of these blocks that no Eve has that answers. */
  lost(blocks: readonly string[], signal?: AbortSignal): Promise<readonly string[]>;
  /** One object: its bytes alone are read. @throws KithError `vault_no_object` */
  read(manifest: Manifest, name: string, signal?: AbortSignal): Promise<Uint8Array>;
  /** Some objects, by name; what lies side by side is read at once. Names that there are not are left out. */
  readSome(
    manifest: Manifest,
    names: Iterable<string>,
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<string, Uint8Array>>;
  /** All objects, each segment read once; in the order of their segments. */
  readAll(
    manifest: Manifest,
    options?: RestoreOptions & { readonly kept?: KeptBlocks },
  ): AsyncIterable<{ readonly name: string; readonly object: Uint8Array }>;
  repair(options?: RestoreOptions): Promise<RepairReport>;
  /** @param questions leaves asked of each Eve */
  check(questions: number, signal?: AbortSignal): Promise<CheckReport>;
  /** Seals the manifest with keys of the next epoch, and all objects anew. */
  rotate(source: ObjectSource, options: SyncOptions): Promise<SyncReport>;
}

export function createCollection(options: CollectionOptions): Collection {
  const { id, root, eves, replicas, clock } = options;
  // One writer of this node at a time; others are told by the head.
  const inTurn = oneAtATime();
  let { reached } = options;
  const own: CollectionOptions = {
    ...options,
    onReached(number) {
      options.onReached(number);
      reached = Math.max(reached, number);
    },
  };

  const reading = (signal: AbortSignal | undefined): ReadOptions => ({
    ...{ replicas, clock, signal, onFault: options.onFault, cache: options.cache, isLast: options.isLast },
    ...(options.hedgeMs === undefined ? {} : { hedgeMs: options.hedgeMs }),
  });

  async function openAs(forWriting: boolean, signal: AbortSignal | undefined): Promise<Manifest> {
    const wanted = { atLeast: reached, forWriting };
    const manifest = await readManifest(id, root, eves, wanted, reading(signal));
    if (manifest.number > reached) own.onReached(manifest.number);
    return manifest;
  }
  const open = (signal?: AbortSignal) => openAs(false, signal);
  const openToWrite = (signal?: AbortSignal) => openAs(true, signal);

  function opened(entry: Entry, record: Uint8Array): Uint8Array {
    const object = openRecord(id, entry.name, record, entry.key);
    if (object.length !== entry.size || Buffer.compare(digestOf(object), entry.digest) !== 0)
      throw damaged(entry.name);
    return object;
  }

  return {
    id,
    keysOf: (epoch) => root.keysOf(id, epoch),
    open,
    openToWrite,
    sync: (source, sync) =>
      inTurn(async () => syncObjects(own, await openToWrite(sync.signal), source, sync)),
    everywhere: (enough, signal) => createEverywhere(eves, enough, signal),
    lost: (blocks, signal) => blocksLost(own, blocks, signal),
    async read(manifest, name, signal) {
      const entry = manifest.entries.get(name);
      if (entry === undefined)
        throw new KithError(
          'vault_no_object',
          `The collection has nothing that is called ${JSON.stringify(name)}.`,
          {
            status: 404,
          },
        );
      const { segment, at, bytes } = entry;
      return readBlock(
        eves,
        segment,
        { at, length: bytes },
        (record) => opened(entry, record),
        reading(signal),
      );
    },
    readSome(manifest, names, signal) {
      const entries = [...names].flatMap((name) => manifest.entries.get(name) ?? []);
      return readSome(eves, entries, opened, reading(signal));
    },
    async *readAll(manifest, { signal, told, kept } = {}) {
      const bySegment = Map.groupBy(manifest.entries.values(), ({ segment }) => segment);
      let done = 0;
      const fetched = async ([segment]: [string, Entry[]], either: AbortSignal): Promise<Uint8Array> => {
        const before = (await kept?.get(segment)) ?? null;
        if (before !== null && blockId(before) === segment) return before;
        const block = await readBlock(eves, segment, null, (whole) => whole, reading(either));
        await kept?.put(segment, block);
        return block;
      };
      for await (const [[, entries], block] of inOrder(bySegment, AHEAD, fetched, signal)) {
        for (const entry of entries) {
          const object = opened(entry, block.subarray(entry.at, entry.at + entry.bytes));
          yield { name: entry.name, object };
        }
        done += entries.length;
        told?.(done, manifest.entries.size);
      }
    },
    repair: ({ signal, told } = {}) =>
      inTurn(async () => repairBlocks(own, await open(signal), told, signal)),
    check: async (questions, signal) => checkBlocks(own, await open(signal), questions, signal),
    rotate: (source, sync) =>
      inTurn(async () => {
        const manifest = await openToWrite(sync.signal);
        // As if nothing were there: every object gets a new key, and the old blocks go.
        const anew: Manifest = { ...manifest, entries: new Map(), everywhere: [] };
        return syncObjects(own, anew, source, sync, manifest.epoch + 1);
      }),
  };
}

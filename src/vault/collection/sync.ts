/**
 * Makes what the Eves have equal to what Bob has. Blocks first, then the manifest's pages, then the head by compare-and-set: who
 * is killed in between has changed nothing that anybody reads. What nobody refers to any more goes last.
 *
 * An object that is erased here is so from the moment the head stands: its key is in no manifest that Eve is to keep. Its segment is
 * sealed anew once half of it is gone.
 *
 * @module vault/collection/sync
 */
import { KithError, messageOf, throwIfAborted } from '../../base/index.ts';
import type { PlacedEve } from '../place/reader.ts';
import { pageCount, pageOf, sealHead, sealPage } from '../seal/manifest.ts';
import { createSegmentWriter, type Entry, type Segment } from '../seal/segment.ts';
import { HEAD_NAME, type Manifest } from './manifest-view.ts';
import { awayText, blocksOf, createPutter, each } from './put.ts';
import type { CollectionOptions, ObjectSource, SyncOptions, SyncReport } from './types.ts';

/** A segment is sealed anew when less than this part of it is of use. */
const LIVE_SHARE = 0.5;
const AT_ONCE = 3;

export async function syncObjects(
  options: CollectionOptions,
  manifest: Manifest,
  source: ObjectSource,
  { info, mode = manifest.mode, everywhere = manifest.everywhere, signal, told }: SyncOptions,
  epoch = manifest.epoch,
): Promise<SyncReport> {
  const { id, root, eves, replicas, random, log } = options;
  const entries = new Map<string, Entry>();
  const wanted: string[] = [];
  let added = 0;
  for await (const { name, digest } of source.list()) {
    throwIfAborted(signal);
    const known = manifest.entries.get(name);
    if (known !== undefined && Buffer.compare(known.digest, digest) === 0) entries.set(name, known);
    else wanted.push(name);
    if (known === undefined) added += 1;
  }
  const changed = wanted.length - added;
  const sparse = sparseSegments(manifest.entries, entries);
  const repack = [...entries.values()].filter(({ segment }) => sparse.has(segment)).map(({ name }) => name);

  const away = new Map(manifest.away);
  const putter = createPutter(eves, replicas, away, signal);
  let segments = 0;
  const place = async ({ id: block, block: bytes, entries: made }: Segment) => {
    await putter.put(block, bytes);
    segments += 1;
    for (const entry of made) entries.set(entry.name, entry);
  };
  let gone = 0;
  const writer = createSegmentWriter(id, random);
  let done = 0;
  const total = wanted.length + repack.length;
  const underWay = new Set<Promise<void>>();
  const failed: unknown[] = [];
  const later = (segment: Segment) => {
    const placing: Promise<void> = place(segment)
      .catch((error: unknown) => void failed.push(error))
      .finally(() => underWay.delete(placing));
    underWay.add(placing);
  };
  for (const name of [...wanted, ...repack]) {
    throwIfAborted(signal);
    const object = await source.read(name);
    done += 1;
    if (object === null) {
      entries.delete(name);
      gone += 1;
      continue;
    }
    const full = writer.add(name, object);
    if (full !== null) later(full);
    while (underWay.size >= AT_ONCE) await Promise.race(underWay);
    if (failed.length > 0) break;
    told?.(done, total);
  }
  const last = failed.length === 0 ? writer.finish() : null;
  if (last !== null) later(last);
  await Promise.all(underWay);
  if (failed.length > 0) throw failed[0];

  const erased = [...manifest.entries.keys()].filter((name) => !entries.has(name)).length;
  const number = manifest.number + 1;
  const keys = root.keysOf(id, epoch);
  const count = pageCount(entries.size);
  const byPage: Entry[][] = Array.from({ length: count }, () => []);
  for (const entry of entries.values()) byPage[pageOf(entry.name, count)]!.push(entry);
  const kept = count === manifest.pages.length && epoch === manifest.epoch ? pagesOf(manifest, count) : null;
  const pages: string[] = [];
  await each(byPage.keys(), AT_ONCE, async (index) => {
    if (kept !== null && sameEntries(kept[index]!, byPage[index]!)) {
      pages[index] = manifest.pages[index]!;
      return;
    }
    const page = sealPage(keys, index, byPage[index]!, random);
    await putter.put(page.id, page.block);
    pages[index] = page.id;
  });

  const head = sealHead(keys, { number, mode, objects: entries.size, pages, everywhere, info }, random);
  await setHeads(options, manifest, { number, bytes: head }, away, signal);
  const referenced = new Set([
    ...pages,
    ...everywhere,
    ...[...entries.values()].map(({ segment }) => segment),
  ]);
  const removedBlocks = await removeOthers(options, referenced, away, signal);
  const report = {
    ...{ number, objects: entries.size, added: added - Math.min(added, gone), changed, erased },
    ...{ repacked: repack.length, segments, uploadedBytes: putter.bytes, removedBlocks, away },
  };
  log.debug('A collection was synced.', { number, objects: entries.size, bytes: putter.bytes });
  return report;
}

/** Segments of which so much is erased or replaced that the rest is worth sealing anew. */
function sparseSegments(
  before: ReadonlyMap<string, Entry>,
  now: ReadonlyMap<string, Entry>,
): ReadonlySet<string> {
  const sums = new Map<string, { all: number; live: number }>();
  for (const { name, segment, at, bytes } of before.values()) {
    const sum = sums.get(segment) ?? { all: 0, live: 0 };
    sum.all = Math.max(sum.all, at + bytes);
    if (now.get(name)?.segment === segment) sum.live += bytes;
    sums.set(segment, sum);
  }
  return new Set([...sums].filter(([, { all, live }]) => live < LIVE_SHARE * all).map(([id]) => id));
}

function pagesOf(manifest: Manifest, count: number): Entry[][] {
  const pages: Entry[][] = Array.from({ length: count }, () => []);
  for (const entry of manifest.entries.values()) pages[pageOf(entry.name, count)]!.push(entry);
  return pages;
}

/** Entries are never changed, only replaced. */
function sameEntries(before: readonly Entry[], now: readonly Entry[]): boolean {
  const known = new Set(before);
  return before.length === now.length && now.every((entry) => known.has(entry));
}

/**
 * All Eves get the head; those that are behind, too. First the one that comes first of those that answer, which is the same for all
 * writers: of two, one is told there that the other was before, and has changed nothing.
 */
async function setHeads(
  { eves, replicas, onReached }: Pick<CollectionOptions, 'eves' | 'replicas' | 'onReached'>,
  { heads }: Manifest,
  head: { readonly number: number; readonly bytes: Uint8Array },
  away: Map<string, string>,
  signal: AbortSignal | undefined,
): Promise<void> {
  let set = 0;
  const one = async ({ peer, tenant }: PlacedEve): Promise<boolean> => {
    try {
      const before = heads.get(peer) ?? (await tenant.head(HEAD_NAME, signal))?.number ?? 0;
      await tenant.setHead(HEAD_NAME, head, before, signal);
      // Not before one has it: a state that nobody took is none to wait for.
      if (set === 0) onReached(head.number);
      set += 1;
      return true;
    } catch (error) {
      throwIfAborted(signal);
      if (error instanceof KithError && error.code === 'storage_head_moved') throw error;
      away.set(peer, messageOf(error));
      return false;
    }
  };
  const order = eves.toSorted((a, b) => (a.peer < b.peer ? -1 : 1));
  while (order.length > 0 && !(await one(order.shift()!)));
  await Promise.all(order.map(one));
  if (set < Math.min(eves.length, replicas, 2))
    throw new KithError(
      'vault_not_placed',
      `The new state was taken by ${set} of ${eves.length} Eves. ${awayText(away)} Upload again when they are back (kith vpk upload).`,
      { status: 503 },
    );
}

/** What no manifest refers to goes; blocks of a writer who comes second are put again by them. */
export async function removeOthers(
  { eves }: Pick<CollectionOptions, 'eves'>,
  referenced: ReadonlySet<string>,
  away: Map<string, string>,
  signal: AbortSignal | undefined,
): Promise<number> {
  let removed = 0;
  await Promise.all(
    eves.map(async ({ peer, tenant }) => {
      try {
        for await (const rows of blocksOf(tenant, signal)) {
          const others = rows.filter(({ id }) => !referenced.has(id)).map(({ id }) => id);
          removed += await tenant.remove(others, signal);
        }
      } catch (error) {
        throwIfAborted(signal);
        away.set(peer, messageOf(error));
      }
    }),
  );
  return removed;
}

/**
 * Makes what the Eves have equal to what Bob has. Blocks first, then the manifest's pages, then the head by compare-and-set: who
 * is killed in between has changed nothing that anybody reads. What nobody refers to any more goes last.
 *
 * An object that is erased here is so from the moment the head stands: its key is in no manifest that Eve is to keep. Its segment is
 * sealed anew once half of it is gone.
 *
 * What Eves hold is asked before anything is put. Objects whose segments none of them has any more, though all answer, are placed again.
 *
 * @module vault/collection/sync
 */
import { KithError, throwIfAborted } from '../../base/index.ts';
import type { PlacedEve } from '../place/reader.ts';
import { pageCount, pageOf, sealHead, sealPage } from '../seal/manifest.ts';
import { createSegmentWriter, type Entry, type Segment } from '../seal/segment.ts';
import { maySweep, setHeads, stateOf } from './heads.ts';
import { type Holdings, holdingsOf, isHeld, ownersIn, referencedBy, sweep } from './holdings.ts';
import type { Manifest } from './manifest-view.ts';
import { createPutter, each } from './put.ts';
import type { CollectionOptions, ObjectSource, SyncOptions, SyncReport } from './types.ts';

/** A segment is sealed anew when less than this part of it is of use. */
const LIVE_SHARE = 0.5;
const AT_ONCE = 3;

export async function syncObjects(
  options: CollectionOptions,
  manifest: Manifest,
  source: ObjectSource,
  { info, mode = manifest.mode, everywhere = manifest.everywhere, from, signal, told }: SyncOptions,
  epoch = manifest.epoch,
): Promise<SyncReport> {
  const { id, root, eves, replicas, random, log } = options;
  if (from !== undefined && from !== manifest.number) throw overtaken(manifest.number, from);
  const away = new Map(manifest.away);
  const held = await holdingsOf(options, away, signal);
  // Who does not answer may have what the others do not.
  const isSure = eves.every(({ peer }) => held.has(peer));
  const isLost = (block: string): boolean => isSure && !isHeld(held, block);
  let again = 0;
  const entries = new Map<string, Entry>();
  const wanted: string[] = [];
  let added = 0;
  for await (const { name, digest } of source.list()) {
    throwIfAborted(signal);
    const known = manifest.entries.get(name);
    const isSame = known !== undefined && Buffer.compare(known.digest, digest) === 0;
    if (isSame && !isLost(known.segment)) entries.set(name, known);
    else {
      wanted.push(name);
      if (isSame) again += 1;
    }
    if (known === undefined) added += 1;
  }
  const changed = wanted.length - added - again;
  const sparse = sparseSegments(manifest.entries, entries);
  const repack = [...entries.values()].filter(({ segment }) => sparse.has(segment)).map(({ name }) => name);

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
    if (kept !== null && sameEntries(kept[index]!, byPage[index]!) && !isLost(manifest.pages[index]!)) {
      pages[index] = manifest.pages[index]!;
      return;
    }
    const page = sealPage(keys, index, byPage[index]!, random);
    await putter.put(page.id, page.block);
    pages[index] = page.id;
  });

  const head = { number, mode, objects: entries.size, pages, everywhere, info };
  const row = { number, bytes: sealHead(keys, head, random) };
  const state = stateOf({ ...head, epoch });
  options.onSealed?.(state);
  const taken = await setHeads(options, manifest.heads, row, away, signal);
  const referenced = referencedBy({ pages, everywhere, entries });
  const owners = ownersIn({ everywhere }, replicas);
  const removedBlocks = maySweep(taken, eves) ? await sweep(eves, held, taken, referenced, away, signal) : 0;
  const report = {
    ...{ number, objects: entries.size, added: added - Math.min(added, gone), changed, erased },
    ...{ again, repacked: repack.length, segments, uploadedBytes: putter.bytes, removedBlocks, away },
    ...{ state, before: manifest.state, fork: manifest.fork },
    thin: isSure ? thinIn(held, referenced, (block) => owners(block, eves)) : 0,
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

/** Blocks that were there before, but not at all Eves who are to have them. */
function thinIn(
  held: Holdings,
  referenced: ReadonlySet<string>,
  ownersOf: (block: string) => readonly PlacedEve[],
): number {
  const there = new Set(held.values().flatMap((own) => own.keys()));
  return [...referenced].filter(
    (block) => there.has(block) && ownersOf(block).some(({ peer }) => held.get(peer)?.has(block) !== true),
  ).length;
}

const overtaken = (number: number, from: number): KithError =>
  new KithError(
    'storage_head_moved',
    `Another machine with this key placed state ${number} meanwhile, on which this one (made from state ${from}) cannot stand. Do it again: it goes on from there.`,
    { status: 409, details: { number, before: from } },
  );

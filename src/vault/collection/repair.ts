/**
 * Brings every block to the Eves that are to have it: after a loss, after one joined or left, after one was away. Copies come from whoever
 * has them and are held against their names; what is not needed goes only when the others are there.
 *
 * @module vault/collection/repair
 */
import { messageOf, throwIfAborted } from '../../base/index.ts';
import { leafCount } from '../block.ts';
import { faultOf, readBlock } from '../place/reader.ts';
import { type Place, placesFor } from '../place/rendezvous.ts';
import { sealHead } from '../seal/manifest.ts';
import { HEAD_NAME, type Manifest } from './manifest-view.ts';
import { blocksOf, each } from './put.ts';
import type { CheckReport, CollectionOptions, RepairReport } from './types.ts';

const AT_ONCE = 3;

const referencedBy = ({ pages, everywhere, entries }: Manifest): string[] => [
  ...new Set([...pages, ...everywhere, ...[...entries.values()].map(({ segment }) => segment)]),
];

/** The Eves that are to have a block, of those given. */
function ownersIn(manifest: Manifest, replicas: number) {
  const everywhere = new Set(manifest.everywhere);
  return <T extends Place>(block: string, eves: readonly T[]): readonly T[] =>
    everywhere.has(block) ? eves : placesFor(block, eves, replicas).slice(0, replicas);
}

type Holdings = Map<string, Map<string, number>>;

/** Blocks with their bytes, by Eve; those that do not answer are not in it. */
async function holdingsOf(
  { eves }: CollectionOptions,
  away: Map<string, string>,
  signal: AbortSignal | undefined,
): Promise<Holdings> {
  const held: Holdings = new Map();
  await Promise.all(
    eves.map(async ({ peer, tenant }) => {
      try {
        const blocks = new Map<string, number>();
        for await (const rows of blocksOf(tenant, signal))
          for (const { id, bytes } of rows) blocks.set(id, bytes);
        held.set(peer, blocks);
      } catch (error) {
        throwIfAborted(signal);
        away.set(peer, messageOf(error));
      }
    }),
  );
  return held;
}

/** Those of these blocks that no Eve has that answers. */
export async function blocksLost(
  options: CollectionOptions,
  blocks: readonly string[],
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const held = await holdingsOf(options, new Map(), signal);
  return blocks.filter((block) => held.values().every((own) => !own.has(block)));
}

export async function repairBlocks(
  options: CollectionOptions,
  manifest: Manifest,
  told: ((done: number, of: number) => void) | undefined,
  signal: AbortSignal | undefined,
): Promise<RepairReport> {
  const { id, root, eves, replicas, random, clock } = options;
  const away = new Map<string, string>();
  const held = await holdingsOf(options, away, signal);
  const here = eves.filter(({ peer }) => held.has(peer));
  const blocks = referencedBy(manifest);
  const owners = ownersIn(manifest, replicas);
  const lost: string[] = [];
  let copied = 0;
  let copiedBytes = 0;
  let done = 0;
  const keep = new Map(here.map(({ peer }) => [peer, new Set<string>()]));
  await each(blocks, AT_ONCE, async (block) => {
    const targets = owners(block, here);
    const holders = here.filter(({ peer }) => held.get(peer)!.has(block));
    for (const { peer } of targets) keep.get(peer)!.add(block);
    const missing = targets.filter((eve) => !holders.includes(eve));
    if (missing.length > 0 && holders.length === 0) lost.push(block);
    else if (missing.length > 0) {
      try {
        const bytes = await readBlock(holders, block, null, (whole) => whole, {
          ...{ replicas, clock, signal, onFault: options.onFault },
          ...(options.hedgeMs === undefined ? {} : { hedgeMs: options.hedgeMs }),
        });
        for (const { peer, tenant } of missing)
          try {
            await tenant.put(bytes, signal);
            copied += 1;
            copiedBytes += bytes.length;
          } catch (error) {
            throwIfAborted(signal);
            away.set(peer, messageOf(error));
            // Its copies elsewhere stay.
            for (const holder of holders) keep.get(holder.peer)!.add(block);
          }
      } catch {
        throwIfAborted(signal);
        lost.push(block);
      }
    }
    told?.(++done, blocks.length);
  });
  // The head goes to those that are behind, sealed anew with the same number and state.
  const { number, mode, info, pages, everywhere, entries } = manifest;
  if (number > 0) {
    const keys = root.keysOf(id, manifest.epoch);
    const bytes = sealHead(keys, { number, mode, objects: entries.size, pages, everywhere, info }, random);
    for (const { peer, tenant } of here)
      try {
        const before = manifest.heads.get(peer) ?? (await tenant.head(HEAD_NAME, signal))?.number ?? 0;
        if (before < number) await tenant.setHead(HEAD_NAME, { number, bytes }, before, signal);
      } catch (error) {
        throwIfAborted(signal);
        away.set(peer, messageOf(error));
      }
  }
  let removed = 0;
  if (lost.length === 0)
    for (const { peer, tenant } of here) {
      const others = [...held.get(peer)!.keys()].filter((block) => !keep.get(peer)!.has(block));
      try {
        for (let at = 0; at < others.length; at += 1000)
          removed += await tenant.remove(others.slice(at, at + 1000), signal);
      } catch (error) {
        throwIfAborted(signal);
        away.set(peer, messageOf(error));
      }
    }
  return { blocks: blocks.length, copied, copiedBytes, removed, lost, away };
}

/**
 * Asks each Eve for leaves at random of blocks that she is to have. One who kept a part f of them passes n questions with a chance of
 * f^n; leaves are drawn over all bytes alike.
 */
export async function checkBlocks(
  options: CollectionOptions,
  manifest: Manifest,
  questions: number,
  signal: AbortSignal | undefined,
): Promise<CheckReport> {
  const { eves, replicas, random, onFault } = options;
  const away = new Map<string, string>();
  const held = await holdingsOf(options, away, signal);
  const blocks = referencedBy(manifest);
  const owners = ownersIn(manifest, replicas);
  const checked = await Promise.all(
    eves.map(async ({ peer, tenant }) => {
      const own = held.get(peer);
      if (own === undefined)
        return { peer, asked: 0, failed: 0, why: away.get(peer) ?? 'she did not answer' };
      const due = blocks.filter((block) => owners(block, eves).some((eve) => eve.peer === peer));
      const withBytes = due.map((block) => ({ block, leaves: leafCount(own.get(block) ?? 0) }));
      const all = withBytes.reduce((sum, { leaves }) => sum + leaves, 0);
      let failed = 0;
      let why: string | null = null;
      const asked = all === 0 ? 0 : questions;
      for (let i = 0; i < asked; i++) {
        const { block, leaf } = drawn(withBytes, Math.floor(random.float() * all));
        try {
          await tenant.prove(block, leaf, signal);
        } catch (error) {
          throwIfAborted(signal);
          failed += 1;
          why = messageOf(error);
          onFault?.(peer, faultOf(error), block);
        }
      }
      return { peer, asked, failed, why };
    }),
  );
  return { eves: checked };
}

/** The leaf with that number, counted over all blocks. */
function drawn(
  blocks: readonly { readonly block: string; readonly leaves: number }[],
  at: number,
): { readonly block: string; readonly leaf: number } {
  let leaf = at;
  for (const { block, leaves } of blocks) {
    if (leaf < leaves) return { block, leaf };
    leaf -= leaves;
  }
  throw new RangeError('There are fewer leaves.');
}

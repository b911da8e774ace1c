/**
 * Brings every block to the Eves that are to have it: after a loss, after one joined or left, after one was away. Copies come from whoever
 * has them and are held against their names; what is not needed goes only when the others are there.
 *
 * @module vault/collection/repair
 */
import { messageOf, throwIfAborted } from '../../base/index.ts';
import { leafCount } from '../block.ts';
import { faultOf, readBlock } from '../place/reader.ts';
import { sealHead } from '../seal/manifest.ts';
import { HEAD_NAME, maySweep, setHeads } from './heads.ts';
import { holdingsOf, ownersIn, referencedBy, sweep } from './holdings.ts';
import type { Manifest } from './manifest-view.ts';
import { each } from './put.ts';
import type { CheckReport, CollectionOptions, RepairReport } from './types.ts';

const AT_ONCE = 3;

export async function repairBlocks(
  options: CollectionOptions,
  manifest: Manifest,
  told: ((done: number, of: number) => void) | undefined,
  signal: AbortSignal | undefined,
): Promise<RepairReport> {
  const { id, root, eves, replicas, random, clock } = options;
  const away = new Map<string, string>();
  const held = await holdingsOf(options, away, signal);
  const here = eves.filter(({ peer }) => !away.has(peer));
  const referenced = referencedBy(manifest);
  const blocks = [...referenced];
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
  let removed = 0;
  if (lost.length === 0)
    for (const { peer, tenant } of here) {
      const own = [...held.get(peer)!.keys()].filter((block) => referenced.has(block));
      const others = own.filter((block) => !keep.get(peer)!.has(block));
      try {
        for (let at = 0; at < others.length; at += 1000)
          removed += await tenant.remove(others.slice(at, at + 1000), signal);
      } catch (error) {
        throwIfAborted(signal);
        away.set(peer, messageOf(error));
      }
    }
  const { mode, info, pages, everywhere, entries, row, fork } = manifest;
  let { number } = manifest;
  const { state } = manifest;
  const isLeft = here.some(({ peer }) => [...held.get(peer)!.keys()].some((block) => !referenced.has(block)));
  if (row !== null && (fork !== null || (isLeft && lost.length === 0 && here.length === eves.length))) {
    // A number on top of both states, so that all show one; or before blocks of former states go, so that nobody builds on these.
    number += 1;
    const keys = root.keysOf(id, manifest.epoch);
    const bytes = sealHead(keys, { number, mode, objects: entries.size, pages, everywhere, info }, random);
    const taken = await setHeads(options, manifest.heads, { number, bytes }, away, signal);
    if (lost.length === 0 && maySweep(taken, eves))
      removed += await sweep(eves, held, taken, referenced, away, signal);
  } else if (row !== null)
    // The head goes to those that are behind, as it lies at the others.
    for (const { peer, tenant } of here)
      try {
        const before = manifest.heads.get(peer) ?? (await tenant.head(HEAD_NAME, signal))?.number ?? 0;
        if (before < number) await tenant.setHead(HEAD_NAME, row, before, signal);
      } catch (error) {
        throwIfAborted(signal);
        away.set(peer, messageOf(error));
      }
  return { blocks: blocks.length, copied, copiedBytes, removed, lost, away, number, state, fork };
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
  const blocks = [...referencedBy(manifest)];
  const owners = ownersIn(manifest, replicas);
  // By the word of whoever lists it: who hides what she lost is asked for it as often as if she had it.
  const sizes = new Map<string, number>();
  for (const own of held.values())
    for (const [block, bytes] of own) sizes.set(block, Math.max(bytes, sizes.get(block) ?? 0));
  const checked = await Promise.all(
    eves.map(async ({ peer, tenant }) => {
      const own = held.get(peer);
      if (own === undefined || away.has(peer))
        return { ...nothing(peer), why: away.get(peer) ?? 'she did not answer' };
      const due = blocks.filter((block) => owners(block, eves).some((eve) => eve.peer === peer));
      const withBytes = due.map((block) => ({ block, leaves: leafCount(sizes.get(block) ?? 0) }));
      const all = withBytes.reduce((sum, { leaves }) => sum + leaves, 0);
      const faults = { missing: 0, damaged: 0, failed: 0 };
      let why: string | null = null;
      const asked = all === 0 ? 0 : questions;
      for (let i = 0; i < asked; i++) {
        const { block, leaf } = drawn(withBytes, Math.floor(random.float() * all));
        try {
          await tenant.prove(block, leaf, signal);
        } catch (error) {
          throwIfAborted(signal);
          const fault = faultOf(error);
          faults[fault] += 1;
          why = messageOf(error);
          onFault?.(peer, fault, block);
        }
      }
      const { missing, damaged } = faults;
      return { peer, asked, failed: missing + damaged + faults.failed, missing, damaged, why };
    }),
  );
  return { state: manifest.state, fork: manifest.fork, eves: checked };
}

const nothing = (peer: string) => ({ peer, asked: 0, failed: 0, missing: 0, damaged: 0 });

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

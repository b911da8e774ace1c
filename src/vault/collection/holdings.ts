/**
 * What the Eves of a collection hold, by their own word, beside what they are to hold.
 *
 * @module vault/collection/holdings
 */
import { isKithError, messageOf, throwIfAborted } from '../../base/index.ts';
import type { PlacedEve } from '../place/reader.ts';
import { type Place, placesFor } from '../place/rendezvous.ts';
import type { Manifest } from './manifest-view.ts';
import { blocksOf } from './put.ts';
import type { CollectionOptions } from './types.ts';

/** Blocks with their bytes, by Eve; those that do not answer are not in it. */
export type Holdings = Map<string, Map<string, number>>;

export async function holdingsOf(
  { eves }: Pick<CollectionOptions, 'eves'>,
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
        // Who has no tenant holds nothing: that is an answer.
        if (isKithError(error) && error.code === 'storage_no_tenant') held.set(peer, new Map());
      }
    }),
  );
  return held;
}

export const isHeld = (held: Holdings, block: string): boolean => held.values().some((own) => own.has(block));

export const referencedBy = ({
  pages,
  everywhere,
  entries,
}: Pick<Manifest, 'pages' | 'everywhere' | 'entries'>): Set<string> =>
  new Set([...pages, ...everywhere, ...[...entries.values()].map(({ segment }) => segment)]);

/** The Eves that are to have a block, of those given. */
export function ownersIn({ everywhere }: Pick<Manifest, 'everywhere'>, replicas: number) {
  const all = new Set(everywhere);
  return <T extends Place>(block: string, eves: readonly T[]): readonly T[] =>
    all.has(block) ? eves : placesFor(block, eves, replicas).slice(0, replicas);
}

/** Those of these blocks that no Eve has that answers. */
export async function blocksLost(
  options: Pick<CollectionOptions, 'eves'>,
  blocks: readonly string[],
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const held = await holdingsOf(options, new Map(), signal);
  return blocks.filter((block) => !isHeld(held, block));
}

/**
 * Removes blocks at the Eves that were seen there before a head was set, and that this head does not refer to. What is put later may belong to
 * a writer who goes on from that head: it stays.
 *
 * @param held before the head was set
 * @param at Eves that took the head
 */
export async function sweep(
  eves: readonly PlacedEve[],
  held: Holdings,
  at: ReadonlySet<string>,
  referenced: ReadonlySet<string>,
  away: Map<string, string>,
  signal: AbortSignal | undefined,
): Promise<number> {
  let removed = 0;
  await Promise.all(
    eves
      .filter(({ peer }) => at.has(peer))
      .map(async ({ peer, tenant }) => {
        const others = [...(held.get(peer)?.keys() ?? [])].filter((block) => !referenced.has(block));
        try {
          for (let from = 0; from < others.length; from += 1000)
            removed += await tenant.remove(others.slice(from, from + 1000), signal);
        } catch (error) {
          throwIfAborted(signal);
          away.set(peer, messageOf(error));
        }
      }),
  );
  return removed;
}

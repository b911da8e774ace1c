/**
 * Puts a block where it has to be: as many copies as wanted, on the Eves that come first for it; where one is away, the next one
 * takes her copy until `repair` moves it.
 *
 * @module vault/collection/put
 */
import { KithError, messageOf, throwIfAborted } from '../../base/index.ts';
import type { PlacedEve } from '../place/reader.ts';
import { placesFor } from '../place/rendezvous.ts';
import { type BlockRow, type EveTenant, TENANT_BOUNDS } from '../types.ts';
import { malformed } from '../wire/messages.ts';

export interface BlockPutter {
  /** Resolves when enough copies were acknowledged. @throws KithError `vault_not_placed` */
  put(id: string, block: Uint8Array): Promise<void>;
  /** Bytes of all copies. */
  readonly bytes: number;
  /** Eves that did not take one, and why. */
  readonly away: ReadonlyMap<string, string>;
}

export function createPutter(
  eves: readonly PlacedEve[],
  replicas: number,
  away: Map<string, string>,
  signal: AbortSignal | undefined,
): BlockPutter {
  let bytes = 0;

  async function one(eve: PlacedEve, block: Uint8Array): Promise<boolean> {
    try {
      await eve.tenant.put(block, signal);
      bytes += block.length;
      return true;
    } catch (error) {
      throwIfAborted(signal);
      away.set(eve.peer, messageOf(error));
      return false;
    }
  }

  return {
    get bytes() {
      return bytes;
    },
    away,
    async put(id, block) {
      const order = placesFor(id, eves, replicas);
      // Who did not take one is asked last for the next, so that each block does not wait for her anew.
      const usable = [
        ...order.filter(({ peer }) => !away.has(peer)),
        ...order.filter(({ peer }) => away.has(peer)),
      ];
      const wanted = Math.min(replicas, eves.length);
      let copies = 0;
      while (copies < wanted && usable.length > 0) {
        const batch = usable.splice(0, wanted - copies);
        const taken = await Promise.all(batch.map((eve) => one(eve, block)));
        copies += taken.filter(Boolean).length;
      }
      if (copies === 0 || copies < Math.min(wanted, 2))
        throw new KithError(
          'vault_not_placed',
          `${copies} of ${wanted} copies of a block found an Eve. ${awayText(away)} What was placed before stays as it is. ${TRY_AGAIN}`,
          { status: 503 },
        );
    },
  };
}

export interface EverywherePutter {
  /** Resolves when every Eve that took all blocks before has answered. @throws what `enough` does */
  put(id: string, block: Uint8Array): Promise<void>;
  /** In the order in which they were put. */
  readonly ids: readonly string[];
  readonly bytes: number;
  /** Eves that did not take one, and why: `repair` brings her the others. */
  readonly away: ReadonlyMap<string, string>;
}

/** Puts every block at every Eve. Who misses one is asked no more. */
export function createEverywhere(
  eves: readonly PlacedEve[],
  enough: (eves: readonly PlacedEve[]) => void,
  signal: AbortSignal | undefined,
): EverywherePutter {
  const ids: string[] = [];
  const away = new Map<string, string>();
  let bytes = 0;
  return {
    ids,
    away,
    get bytes() {
      return bytes;
    },
    async put(id, block) {
      await Promise.all(
        eves
          .filter(({ peer }) => !away.has(peer))
          .map(async ({ peer, tenant }) => {
            try {
              await tenant.put(block, signal);
              bytes += block.length;
            } catch (error) {
              throwIfAborted(signal);
              away.set(peer, messageOf(error));
            }
          }),
      );
      const left = eves.filter(({ peer }) => !away.has(peer));
      try {
        enough(left);
      } catch (error) {
        if (away.size === 0) throw error;
        throw new KithError(
          'vault_not_placed',
          `Too few Eves took a block. ${awayText(away)} What was placed before stays as it is. ${TRY_AGAIN}`,
          { status: 503, cause: error },
        );
      }
      ids.push(id);
    },
  };
}

/** What to do about too few Eves. */
export const TRY_AGAIN =
  'Upload again when they are back (kith vpk upload KB), or take another Eve in their place (kith vpk rebalance KB --add PEER).';

/** Who is away and why, as sentences. */
export const awayText = (away: ReadonlyMap<string, string>): string =>
  [...away].map(([peer, why]) => `${peer}: ${why.replace(/\.$/, '')}.`).join(' ');

/** Runs work on all items, some at a time, and ends at the first failure. */
export async function each<T>(
  items: Iterable<T>,
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  const lane = async () => {
    for (let next = iterator.next(); next.done !== true; next = iterator.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

/** More than any Eve keeps of one collection: some 2 TB. */
const MOST_BLOCKS = 1 << 21;

/**
 * All blocks of a tenant, page by page; what was given may be removed meanwhile.
 *
 * @throws InputError `vault_malformed`: her list has no end
 */
export async function* blocksOf(
  tenant: Pick<EveTenant, 'list'>,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly BlockRow[]> {
  let count = 0;
  for (let after: string | null = null; ; ) {
    const rows = await tenant.list(after, signal);
    if (rows.length === 0) return;
    after = rows.at(-1)!.id;
    count += rows.length;
    if (count > MOST_BLOCKS) throw malformed(`more than ${MOST_BLOCKS} blocks are listed`);
    yield rows;
    // Only the last page is not full: who gives one row at a time would go on for ever.
    if (rows.length < TENANT_BOUNDS.page) return;
  }
}

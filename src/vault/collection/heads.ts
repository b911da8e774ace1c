/**
 * The heads that Eves show of a collection: which states there are, and which of them counts.
 *
 * Two machines with one key, each of which misses another Eve, can write two states of the same number. Both are whole when they are
 * written, and neither is a mix; one of them counts, the same for everybody who sees the same heads (`byWeight`), until the next
 * writer puts a higher number on top of it.
 *
 * @module vault/collection/heads
 */
import { hash } from 'node:crypto';
import { encodeCbor, isKithError, KithError, messageOf, throwIfAborted } from '../../base/index.ts';
import type { KeyRing } from '../keys/keys.ts';
import type { PlacedEve } from '../place/reader.ts';
import { type Head, headNumber, MANIFEST_BOUNDS, openHead, packedIds } from '../seal/manifest.ts';
import { damaged } from '../seal/record.ts';
import type { HeadRow } from '../types.ts';
import { awayText, TRY_AGAIN } from './put.ts';
import type { CollectionOptions } from './types.ts';

export const HEAD_NAME = 'main';

/** One state, as some of the Eves show it. */
export interface ShownState {
  readonly head: Head;
  /** As it lies there. */
  readonly row: HeadRow;
  /** Names what it says, whoever sealed it under which number: 64 hex digits. */
  readonly state: string;
  readonly peers: readonly string[];
}

export interface Heads {
  /** The states of the highest number; empty when nothing was placed yet. Of several the first one counts, if it is whole. */
  readonly newest: readonly ShownState[];
  /** The number that each Eve showed; those that did not answer are not here. */
  readonly heads: ReadonlyMap<string, number>;
  /** Why the others did not. */
  readonly away: ReadonlyMap<string, string>;
  /** Those of the others that have no tenant any more: nothing is there that could come back. */
  readonly gone: ReadonlySet<string>;
}

const CBOR = { maxBytes: MANIFEST_BOUNDS.headBytes, maxItems: 4096, maxDepth: 8 };

export function stateOf({
  epoch,
  mode,
  objects,
  pages,
  everywhere,
  info,
}: Omit<Head, 'signed' | 'number'>): string {
  const told = { epoch, mode, objects, info };
  return hash(
    'sha256',
    encodeCbor({ ...told, pages: packedIds(pages), everywhere: packedIds(everywhere) }, CBOR),
  );
}

/** Keys that were changed count before those that were not, what more Eves show before what fewer do, then the digest. */
function byWeight(a: ShownState, b: ShownState): number {
  return b.head.epoch - a.head.epoch || b.peers.length - a.peers.length || (a.state < b.state ? 1 : -1);
}

/** @throws KithError `vault_unreachable`: no Eve answered */
export async function readHeads(
  collection: string,
  root: KeyRing,
  eves: readonly PlacedEve[],
  signal?: AbortSignal,
): Promise<Heads> {
  const heads = new Map<string, number>();
  const away = new Map<string, string>();
  const gone = new Set<string>();
  let notGiven: KithError | null = null;
  const states = new Map<string, ShownState & { readonly peers: string[] }>();
  await Promise.all(
    eves.map(async ({ peer, tenant }) => {
      try {
        const row = await tenant.head(HEAD_NAME, signal);
        if (row === null) return void heads.set(peer, 0);
        const head = openHead((epoch) => root.keysOf(collection, epoch), row.bytes);
        if (headNumber(row.bytes).number !== row.number) throw damaged('the head');
        heads.set(peer, head.number);
        const state = stateOf(head);
        // A repair puts the same under a higher number.
        const key = `${head.number} ${state}`;
        const known = states.get(key);
        if (known === undefined) states.set(key, { state, head, row, peers: [peer] });
        else known.peers.push(peer);
      } catch (error) {
        away.set(peer, messageOf(error));
        if (isKithError(error) && error.code === 'storage_no_tenant') gone.add(peer);
        if (isKithError(error) && error.code === 'vault_grant_keys') notGiven = error;
      }
    }),
  );
  throwIfAborted(signal);
  // What one Eve says of the epoch counts only where no other shows a head that opens.
  if (heads.size === 0 && notGiven !== null) throw notGiven;
  if (heads.size === 0)
    throw new KithError(
      'vault_unreachable',
      `No Eve of this collection answered. ${awayText(away) || 'It has none.'}`,
      { status: 503 },
    );
  const number = Math.max(...heads.values());
  const newest = [...states.values()]
    .map(({ state, head, row, peers }) => ({ state, head, row, peers: peers.sort() }))
    .filter(({ head }) => head.number === number)
    .sort(byWeight);
  return { newest, heads, away, gone };
}

/** Another writer was before, as an Eve shows. */
class Overtaken extends Error {
  override readonly cause: KithError;
  constructor(cause: KithError) {
    super(cause.message);
    this.cause = cause;
  }
}

/** The number of the head that she shows, if it opens; 0 for none. @throws KithError `vault_damaged`; what she answers */
async function shownBy(
  { tenant }: PlacedEve,
  { id, root }: Pick<CollectionOptions, 'id' | 'root'>,
  signal: AbortSignal | undefined,
): Promise<number> {
  const row = await tenant.head(HEAD_NAME, signal);
  if (row === null) return 0;
  const { number } = openHead((epoch) => root.keysOf(id, epoch), row.bytes);
  if (number !== row.number) throw damaged('the head');
  return number;
}

/**
 * All Eves get the head; those that are behind, too. First the one that comes first of those that answer, which is the same for all
 * writers: of two, one is told there that the other was before, and has changed nothing. An Eve is believed that another was
 * before when she shows what he put: who says so alone is as good as away.
 *
 * @returns those that took it
 * @throws KithError `storage_head_moved`, `vault_not_placed`
 */
export async function setHeads(
  options: Pick<CollectionOptions, 'id' | 'root' | 'eves' | 'replicas' | 'onReached'>,
  heads: ReadonlyMap<string, number>,
  head: HeadRow,
  away: Map<string, string>,
  signal: AbortSignal | undefined,
): Promise<ReadonlySet<string>> {
  const { eves, replicas, onReached } = options;
  const taken = new Set<string>();
  const put = async (eve: PlacedEve): Promise<void> => {
    const { peer, tenant } = eve;
    const before = heads.get(peer) ?? (await tenant.head(HEAD_NAME, signal))?.number ?? 0;
    try {
      await tenant.setHead(HEAD_NAME, head, before, signal);
    } catch (error) {
      if (!isKithError(error) || error.code !== 'storage_head_moved') throw error;
      const shown = await shownBy(eve, options, signal);
      if (shown >= head.number) throw new Overtaken(error);
      await tenant.setHead(HEAD_NAME, head, shown, signal);
    }
  };
  const one = async (eve: PlacedEve): Promise<boolean> => {
    const { peer } = eve;
    try {
      await put(eve);
      // Not before one has it: a state that nobody took is none to wait for.
      if (taken.size === 0) onReached(head.number);
      taken.add(peer);
      return true;
    } catch (error) {
      throwIfAborted(signal);
      if (error instanceof Overtaken) throw error.cause;
      away.set(peer, messageOf(error));
      return false;
    }
  };
  const order = eves.toSorted((a, b) => (a.peer < b.peer ? -1 : 1));
  while (order.length > 0 && !(await one(order.shift()!)));
  await Promise.all(order.map(one));
  if (taken.size < Math.min(eves.length, replicas, 2))
    throw new KithError(
      'vault_not_placed',
      `The new state was taken by ${taken.size} of ${eves.length} Eves. ${awayText(away)} ${TRY_AGAIN}`,
      { status: 503 },
    );
  return taken;
}

/**
 * Whether what nobody refers to may go, after a head was set: when more than half of the Eves took it. Of two writers of one number one
 * at most has so many, so that one state stays whole whatever the other one did.
 */
export const maySweep = (taken: ReadonlySet<string>, eves: readonly PlacedEve[]): boolean =>
  2 * taken.size > eves.length;

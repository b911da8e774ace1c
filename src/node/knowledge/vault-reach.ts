/**
 * What every part of the vault's area needs: the root of the owner's keys, ways to Eves, what is placed, and collections over both.
 *
 * @module node/knowledge/vault-reach
 */
import { join } from 'node:path';
import { isKithError, KithError } from '../../base/index.ts';
import {
  type AskEve,
  BLOCK_MAX_BYTES,
  type Collection,
  createCollection,
  type KeyRing,
  type OwnTenant,
  type Place,
  type PlacedEve,
  rootOfIdentity,
  tenantAt,
  termsOf,
  VAULT_METHOD,
  type VaultRoot,
} from '../../vault/index.ts';
import type { AreaParts } from './areas.ts';
import type { SharingParts } from './share.ts';
import { type Meter, meteredAsk } from './vault-meter.ts';
import { createVaultReputation, type VaultReputation } from './vault-reputation.ts';
import { openReadCache, type ReadCache } from './vault-sealed-cache.ts';
import { openPlacedStore, type PlacedRow, type PlacedStore } from './vault-store.ts';
import type { TenantWay } from './vault-tenants.ts';

const CALL_MS = 60_000;
/** For questions that an Eve answers at once or not at all. */
export const ASK_MS = 10_000;

/** A node that lends no space knows no method for it. */
const lendsNone = ({ code, status, details }: KithError): KithError =>
  new KithError(
    code,
    'This node lends no space now. Ask its owner to lend again, or let another Eve keep it: kith vpk rebalance KB --add OTHER, then --drop this one.',
    { ...(status === undefined ? {} : { status }), details },
  );

export interface VaultReach extends Disposable {
  /** @throws KithError `vault_off`: this node is not running */
  need(): SharingParts & { readonly root: VaultRoot };
  /** Where it stands what is placed. */
  readonly file: string;
  store(): Promise<PlacedStore>;
  /** The keys of what is placed from here: of the identity, and of a passphrase where it has one. */
  ringOf(id: string): KeyRing;
  /** Null before anything of the vault was asked for. */
  readonly kept: PlacedStore | null;
  /** @throws KithError `vault_not_kept` */
  rowOf(name: string): Promise<PlacedRow>;
  /** Calls of one Eve. What is sent is copied: the network takes what it is given. */
  askOf(peer: string, deadlineMs?: number): AskEve;
  tenantOf(id: string, peer: string): OwnTenant;
  evesOf(placed: Pick<PlacedRow, 'id' | 'eves'>): PlacedEve[];
  waysTo(id: string, eves: readonly Place[]): TenantWay[];
  /** @param placed where the newest state that is met is written down; null: nowhere */
  collectionOf(
    row: Pick<PlacedRow, 'id' | 'eves' | 'replicas' | 'reached'> & {
      /** @default what opens what is placed from here */
      readonly ring?: KeyRing;
    },
    placed: PlacedStore | null,
    /** For who searches: what it asks is measured, and what it reads is kept. */
    meter?: Meter,
  ): Collection;
  /** What this node thinks of Eves, and saw of them. */
  readonly reputation: VaultReputation;
  /** What was read of Eves before. */
  reads(): ReadCache;
}

export function createVaultReach({ config, clock, random, log, opened, sharing }: AreaParts): VaultReach {
  const file = join(config.home, 'vault', 'bob.sqlite');
  let kept: PlacedStore | null = null;
  let reads: ReadCache | null = null;
  let root: VaultRoot | null = null;

  async function store(): Promise<PlacedStore> {
    await opened();
    kept ??= openPlacedStore(file);
    return kept;
  }

  function need(): SharingParts & { readonly root: VaultRoot } {
    if (sharing === undefined)
      throw new KithError(
        'vault_off',
        'Only a running node keeps knowledge bases on the disks of peers. Start it with kith start.',
        { status: 409 },
      );
    root ??= rootOfIdentity(sharing.identity);
    return { ...sharing, root };
  }

  const reputation = createVaultReputation(() => need().peers.reputation, clock);

  const askOf = (peer: string, deadlineMs = CALL_MS): AskEve => {
    const { peers } = need();
    return (metadata, payload, signal) =>
      peers.swarm
        .call(peer, VAULT_METHOD, metadata, Uint8Array.from(payload), {
          ...{ deadlineMs, maxReplyBytes: BLOCK_MAX_BYTES },
          ...(signal === undefined ? {} : { signal }),
        })
        .catch((error: unknown) => {
          throw isKithError(error) && error.code === 'swarm_unknown_method' ? lendsNone(error) : error;
        });
  };

  const tenantOf = (id: string, peer: string): OwnTenant =>
    tenantAt(peer, need().root.label(id), askOf(peer));

  const evesOf = ({ id, eves }: Pick<PlacedRow, 'id' | 'eves'>): PlacedEve[] =>
    eves.map((eve) => ({ ...eve, tenant: tenantOf(id, eve.peer) }));
  const metered = ({ id, eves }: Pick<PlacedRow, 'id' | 'eves'>, meter: Meter): PlacedEve[] =>
    eves.map((eve) => ({
      ...eve,
      tenant: tenantAt(eve.peer, need().root.label(id), meteredAsk(eve.peer, askOf(eve.peer), meter)),
    }));
  function ringOf(id: string): KeyRing {
    kept ??= openPlacedStore(file);
    const secret = kept.secrets.of('placed', id);
    const { root } = need();
    return secret === null ? root : root.beside(secret.key);
  }
  const readsOf = (): ReadCache => (reads ??= openReadCache(join(config.home, 'vault', 'read.sqlite')));

  return {
    need,
    file,
    store,
    ringOf,
    get kept() {
      return kept;
    },
    async rowOf(name) {
      const row = (await store()).of(name);
      if (row !== null) return row;
      throw new KithError(
        'vault_not_kept',
        `${name} is on no peer's disk. Place it: kith rag connect-eve ${name} --eve PEER`,
        { status: 404 },
      );
    },
    askOf,
    tenantOf,
    evesOf,
    waysTo: (id, eves) =>
      eves.map(({ peer }) => ({
        tenant: tenantOf(id, peer),
        terms: (signal) => termsOf(askOf(peer, ASK_MS), signal),
      })),
    reputation,
    reads: readsOf,
    collectionOf: ({ id, eves, replicas, reached, ring = ringOf(id) }, placed, meter) =>
      createCollection({
        ...{ id, root: ring, replicas, reached, random, clock, log },
        ...(meter === undefined
          ? { eves: evesOf({ id, eves }) }
          : { eves: metered({ id, eves }, meter), cache: readsOf().of(id) }),
        onReached: (number) => placed?.reach(id, number),
        onSealed: (state) => placed?.upkeep.writing(id, state),
        isLast: reputation.isLast,
        onFault(peer, fault, block) {
          log.warn('An Eve did not give what she took.', { peer, fault, block });
          sharing?.onVaultFault?.(fault);
          if (placed !== null) reputation.gave(placed.upkeep, peer, fault);
        },
      }),
    [Symbol.dispose]() {
      kept?.[Symbol.dispose]();
      kept = null;
      reads?.[Symbol.dispose]();
      reads = null;
    },
  };
}

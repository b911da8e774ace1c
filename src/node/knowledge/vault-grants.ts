/**
 * Grants by which others read what peers keep of knowledge bases of this node: given, listed, revoked at every Eve.
 *
 * @module node/knowledge/vault-grants
 */
import { stat } from 'node:fs/promises';
import { KithError } from '../../base/index.ts';
import { didOf, publicKeyOf } from '../../identity/index.ts';
import type { VaultGrantDesk, VaultGrantView } from '../../server/index.ts';
import { isSignedHead, type Place, readingKeys, sealGrantFile, signVaultGrant } from '../../vault/index.ts';
import type { AreaParts } from './areas.ts';
import type { GivenVaultGrant } from './vault-grant-store.ts';
import { createGrantTelling, type GrantTelling } from './vault-grant-telling.ts';
import type { VaultReach } from './vault-reach.ts';
import type { PlacedRow } from './vault-store.ts';

const DAY_MS = 86_400_000;
/** Clocks of Eves may be behind this one, ms: a grant holds from so much before. */
const BEFORE_MS = 600_000;
const ID = /^[0-9a-f]{32}$/;

export interface VaultGrants extends Disposable {
  readonly desk: Pick<VaultGrantDesk, 'give' | 'given' | 'revoke'>;
  readonly telling: GrantTelling;
  /** Its Eves that were not there before have tenants that are empty of what was said before: they are told what is revoked. */
  placed(row: PlacedRow, before: readonly Place[], signal: AbortSignal): Promise<void>;
  /** As `placed`, of tenants that an Eve had lost. */
  madeAnew(collection: string, peers: readonly string[], signal: AbortSignal): Promise<void>;
  gone(collection: string, peers: readonly string[]): Promise<void>;
  /** Goes on telling what could not be told before this node started. @param file of what is placed, which may be missing */
  goOn(file: string): Promise<void>;
}

export function createVaultGrants(
  { clock, random, log }: Pick<AreaParts, 'clock' | 'random' | 'log'>,
  { need, store, rowOf, tenantOf, collectionOf }: VaultReach,
): VaultGrants {
  const grants = async () => (await store()).grants;
  const now = () => Math.floor(clock.now());
  const telling = createGrantTelling({
    ...{ store: grants, tenantOf, clock, log },
    isPlace: async (collection, peer) =>
      (await store())
        .all()
        .some(({ id, eves }) => id === collection && eves.some((eve) => eve.peer === peer)),
  });

  function stateOf(
    { until, epoch, revoked }: GivenVaultGrant,
    current: number | null,
  ): VaultGrantView['state'] {
    if (revoked !== null) return 'revoked';
    if (now() >= until) return 'expired';
    return current !== null && current > epoch ? 'old_keys' : 'holds';
  }

  async function viewOf(given: GivenVaultGrant): Promise<VaultGrantView> {
    const placed = await store();
    const { id, collection, kb, holder, until, revoked } = given;
    return {
      ...{ id, kb, holder, until, revoked, untold: placed.grants.untoldOf(id) },
      state: stateOf(given, placed.grants.epochOf(collection)),
    };
  }

  async function madeAnew(id: string, peers: readonly string[], signal: AbortSignal): Promise<void> {
    if (peers.length === 0) return;
    const given = await grants();
    given.placing(id, peers, now());
    if (given.untold(now()).length === 0) return;
    await telling.tellAll(signal);
    telling.goOn();
  }

  return {
    telling,
    madeAnew,
    desk: {
      async give(name, { to, days }, signal) {
        const { identity, root } = need();
        const placed = await store();
        const row = await rowOf(name);
        const { id, mode, replicas, eves } = row;
        const holder = didOf(publicKeyOf(to));
        const collection = collectionOf(row, placed);
        const manifest = await collection.open(signal);
        if (manifest.row === null || !isSignedHead(manifest.row.bytes)) throw notSigned(name);
        const { number, epoch } = manifest;
        const [from, until] = [now() - BEFORE_MS, now() + days * DAY_MS];
        const label = root.label(id);
        const grant = signVaultGrant(identity, { holder, label, rights: ['read'], from, until }, random);
        const keys = readingKeys(collection.keysOf(epoch));
        const text = sealGrantFile(
          identity,
          { grant, name, mode, replicas, eves, number, reading: keys },
          random,
        );
        const given = { id: grant.id, collection: id, kb: name, holder: to, since: now(), until, epoch };
        // Before anybody has it, so that it can always be revoked.
        placed.grants.give(
          { ...given, revoked: null },
          eves.map(({ peer }) => peer),
          now(),
        );
        return { ...(await viewOf(placed.grants.byId(grant.id)!)), text };
      },
      given: async (name) => Promise.all((await grants()).given(name).map(viewOf)),
      async revoke(name, id, signal) {
        need();
        const given = await grants();
        const known = ID.test(id) ? given.byId(id) : null;
        if (known === null || known.kb !== name) throw unknown(name, id);
        given.revoke(id, now());
        // Also when nobody waits for it any more.
        try {
          await telling.tellAll(signal);
        } finally {
          telling.goOn();
        }
        return viewOf(given.byId(id)!);
      },
    },
    placed: ({ id, eves }, before, signal) =>
      madeAnew(
        id,
        eves.map(({ peer }) => peer).filter((peer) => before.every((eve) => eve.peer !== peer)),
        signal,
      ),
    async goOn(file) {
      if ((await stat(file).catch(() => null)) !== null) telling.goOn();
    },
    async gone(collection, peers) {
      const given = await grants();
      for (const peer of peers) given.gone(collection, peer);
    },
    [Symbol.dispose]: () => telling[Symbol.dispose](),
  };
}

const notSigned = (name: string): KithError =>
  new KithError(
    'vault_grant_state',
    `What peers keep of ${name} is not of a form that others can be let read. Bring it up to date first: kith vpk upload ${name}`,
    { status: 409 },
  );

const unknown = (name: string, id: string): KithError =>
  new KithError(
    'vault_grant_unknown',
    `No grant ${JSON.stringify(id.slice(0, 64))} was given to ${name} from here. kith vpk grant list ${name} shows those there are.`,
    { status: 404, param: 'id' },
  );

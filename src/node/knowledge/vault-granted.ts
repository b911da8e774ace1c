/**
 * What others let this node read of what peers keep for them: the holder's end of a grant. Nothing of it is written down here, and
 * nothing is ever changed there.
 *
 * @module node/knowledge/vault-granted
 */
import { isKithError, KithError, messageOf } from '../../base/index.ts';
import { peerIdOfDid } from '../../identity/index.ts';
import type { GrantedView } from '../../server/index.ts';
import {
  type AskEve,
  type Collection,
  createCollection,
  type KeyRing,
  noteOf,
  openGrantFile,
  type PlacedEve,
  ringOf,
  tenantAt,
  type VaultAccess,
} from '../../vault/index.ts';
import type { AreaParts } from './areas.ts';
import { ASK_MS, type VaultReach } from './vault-reach.ts';

export interface Granted {
  readonly access: VaultAccess;
  readonly eves: readonly PlacedEve[];
  readonly ring: KeyRing;
  readonly collection: Collection;
}

export interface VaultGranted {
  /** @throws InputError `vault_grant_file`, `vault_grant_not_yours` */
  open(text: string, by?: AskBy): Granted;
  /** As `open`, once an Eve honours it. @param source its name or id @throws KithError `vault_not_found`; what Eves answer */
  admitted(text: string, source: string, signal: AbortSignal, by?: AskBy): Promise<Granted>;
  resolve(text: string, signal: AbortSignal): Promise<GrantedView>;
}

/** What is to be between the collection and an Eve. */
export type AskBy = (peer: string, ask: AskEve) => AskEve;

/** What Eves answer that says more than that they are away; what comes first says most. */
const TELLING = ['storage_grant_time', 'storage_denied', 'storage_no_tenant'] as const;

export function createVaultGranted(
  { random, clock, log }: Pick<AreaParts, 'random' | 'clock' | 'log'>,
  { need, askOf }: Pick<VaultReach, 'need' | 'askOf'>,
): VaultGranted {
  function open(text: string, by: AskBy = (_peer, ask) => ask): Granted {
    const access = openGrantFile(need().identity, text);
    const { grant, reading, replicas, number } = access;
    const eves = access.eves.map((eve) => ({
      ...eve,
      tenant: tenantAt(eve.peer, grant.label, by(eve.peer, askOf(eve.peer)), grant.bytes),
    }));
    const ring = ringOf(reading);
    const collection = createCollection({
      ...{ id: reading.collection, root: ring, eves, replicas, random, clock, log },
      ...{ reached: number, onReached: () => undefined },
      onFault: (peer, fault, block) => log.warn('An Eve did not give what she took.', { peer, fault, block }),
    });
    return { access, eves, ring, collection };
  }

  /** Why each Eve gives nothing; null for those that honour it. */
  async function knock({ access }: Granted, signal: AbortSignal): Promise<ReadonlyMap<string, unknown>> {
    const { grant, eves } = access;
    const told = await Promise.all(
      eves.map(async ({ peer }): Promise<[string, unknown]> => {
        try {
          await tenantAt(peer, grant.label, askOf(peer, ASK_MS), grant.bytes).info(signal);
          return [peer, null];
        } catch (error) {
          signal.throwIfAborted();
          return [peer, error];
        }
      }),
    );
    return new Map(told);
  }

  return {
    open,
    async admitted(text, source, signal, by) {
      const granted = open(text, by);
      const { name, reading } = granted.access;
      if (source !== name && source !== reading.collection)
        throw new KithError(
          'vault_not_found',
          `The grant is for ${JSON.stringify(name)}, not for ${JSON.stringify(source.slice(0, 200))}.`,
          { status: 404 },
        );
      const told = await knock(granted, signal);
      if (!told.values().some((error) => error === null)) throw refusedBy(told);
      return granted;
    },
    async resolve(text, signal) {
      const granted = open(text);
      const { grant, name, mode, replicas, eves, reading } = granted.access;
      const told = await knock(granted, signal);
      const state = { number: null as number | null, trouble: null as string | null };
      try {
        if (!told.values().some((error) => error === null)) throw refusedBy(told);
        state.number = (await granted.collection.open(signal)).number;
      } catch (error) {
        signal.throwIfAborted();
        state.trouble = messageOf(error);
      }
      return {
        ...{ id: grant.id, kb: name, collection: reading.collection, issuer: peerIdOfDid(grant.issuer) },
        ...{ rights: ['read'], from: grant.from, until: grant.until, replicas },
        ...{ mode, ...noteOf(mode) },
        eves: eves.map(({ peer, operator }) => {
          const error = told.get(peer);
          return { peer, operator, trouble: error === null ? null : messageOf(error) };
        }),
        ...state,
      };
    },
  };
}

/** What says most of what they answered, with who says it. */
function refusedBy(told: ReadonlyMap<string, unknown>): KithError {
  const errors = [...told].flatMap(([peer, error]) => (isKithError(error) ? [{ peer, error }] : []));
  for (const code of TELLING) {
    const found = errors.find(({ error }) => error.code === code);
    if (found === undefined) continue;
    const { peer, error } = found;
    return new KithError(error.code, `${peer}: ${error.message}`, { status: error.status, cause: error });
  }
  const why = [...told].map(([peer, error]) => `${peer}: ${messageOf(error).replace(/\.$/, '')}.`).join(' ');
  return new KithError('vault_unreachable', `No Eve of the grant answered. ${why}`, { status: 503 });
}

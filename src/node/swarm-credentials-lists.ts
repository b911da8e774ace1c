/**
 * Status lists between peers: they are signed, so whoever has one may pass it on.
 *
 * A list is looked for when a credential names it and its time to live is over: at its issuer where that is connected, at
 * the peer that showed the credential, at two more; last under its https URL where the policy names its issuer. A newer one
 * is told to all connected peers, who fetch it if they keep credentials on it and tell it on: so a revocation spreads in
 * seconds among connected nodes, and within the list's time to live and the interval between looks elsewhere.
 *
 * @module node/swarm-credentials-lists
 */
import { type Clock, isKithError, type Logger, messageOf, type Random } from '../base/index.ts';
import { FOR_CAUSE, fetchStatusList, learnStatus, peerIdOfDid, type Wallet } from '../identity/index.ts';
import type { Swarm } from '../swarm/index.ts';
import type { Trust } from '../trust/index.ts';
import { createShares } from './swarm-credentials-shares.ts';
import {
  CREDENTIAL_BOUNDS,
  CREDENTIAL_METHODS,
  encodeListAsk,
  type ListNews,
} from './swarm-credentials-wire.ts';

export interface ListParts {
  readonly swarm: Pick<Swarm, 'call'>;
  readonly wallet: Pick<Wallet, 'lists' | 'others'>;
  readonly trust: Pick<Trust, 'policy'>;
  readonly linked: ReadonlySet<string>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** A newer list is known: look at what is on it, and tell others but the one that it came from. */
  readonly onNewer: (list: ListNews, from: string | null) => Promise<void>;
}

export interface ListSource {
  /** Looks for a newer list where one is due. Never throws. */
  refresh(issuer: string, id: string, from: string | null): Promise<void>;
  /** A peer says where lists stand: those that matter here and are newer are fetched from it. */
  hear(peer: string, news: readonly ListNews[]): Promise<void>;
  /** Looks for newer ones of all lists that credentials of others name. */
  refreshAll(): Promise<void>;
}

const ASK_MS = 10_000;
/** A list that was looked for in vain is looked for again after this long. */
const RETRY_MS = 60_000;
/** Lists that are fetched from one peer within a minute. */
const PER_MINUTE = 32;
const OTHERS_ASKED = 2;
const MAX_REMEMBERED = 2048;

export function createListSource(parts: ListParts): ListSource {
  const { swarm, wallet, trust, linked, clock, random, log, signal } = parts;
  const { lists, others } = wallet;
  const tried = new Map<string, number>();
  const running = new Map<string, Promise<void>>();
  const fetched = createShares(clock, PER_MINUTE);
  const keyOf = (issuer: string, id: string) => `${issuer} ${id}`;

  /**
   * True when a newer list came from this peer. What was revoked for cause is learned first: once a credential is known to be
   * revoked, it is let go.
   */
  async function fetchFrom(peer: string, issuer: string, id: string): Promise<boolean> {
    const before = lists.times(issuer, id)?.from ?? null;
    if (!id.endsWith(FOR_CAUSE)) await fetch(peer, issuer, `${id}${FOR_CAUSE}`);
    await fetch(peer, issuer, id);
    return announce(issuer, id, before, peer);
  }

  async function fetch(peer: string, issuer: string, id: string): Promise<void> {
    if (!fetched.take(peer)) return;
    try {
      const { payload } = await swarm.call(
        peer,
        CREDENTIAL_METHODS.list,
        encodeListAsk({ issuer, id }),
        undefined,
        {
          deadlineMs: ASK_MS,
          maxReplyBytes: CREDENTIAL_BOUNDS.listBytes,
          signal,
        },
      );
      if (payload.length === 0) return;
      const fault = lists.take(payload, { id, issuer });
      if (fault !== null) log.debug('a status list from a peer is not used', { peer, fault });
    } catch (error) {
      if (!isKithError(error)) throw error;
      log.debug('a status list was not had from a peer', { peer, code: error.code });
    }
  }

  async function announce(
    issuer: string,
    id: string,
    before: number | null,
    from: string | null,
  ): Promise<boolean> {
    const now = lists.times(issuer, id)?.from ?? null;
    if (now === null || now === before) return false;
    await parts.onNewer({ issuer, id, from: now }, from);
    return true;
  }

  /** The issuer first: nobody has a newer one. */
  function placesOf(issuer: string, from: string | null): string[] {
    const own = [peerIdOfDid(issuer)].filter((peer) => linked.has(peer));
    const rest = [...linked].filter((peer) => peer !== from && !own.includes(peer));
    const more = Array.from({ length: Math.min(OTHERS_ASKED, rest.length) }, () =>
      rest.splice(random.uint32() % rest.length, 1),
    ).flat();
    return [...new Set([...own, ...(from === null ? [] : [from]), ...more])];
  }

  async function look(issuer: string, id: string, from: string | null): Promise<void> {
    for (const peer of placesOf(issuer, from)) {
      if (signal.aborted) return;
      if (await fetchFrom(peer, issuer, id)) break;
    }
    // Anybody may name a URL; only those whom the owner named make this node ask one.
    const isNamed = trust.policy.issuers.some(({ issuerDid }) => issuerDid === issuer);
    if (!isNamed || !lists.isDue(issuer, id)) return;
    const before = lists.times(issuer, id)?.from ?? null;
    const fault = await learnStatus({ status: { list: id, index: 0 }, issuer }, lists, (url) =>
      fetchStatusList(url, { signal }),
    );
    if (fault !== null) log.debug('a status list was not fetched', { fault });
    await announce(issuer, id, before, null);
  }

  async function refresh(issuer: string, id: string, from: string | null): Promise<void> {
    const key = keyOf(issuer, id);
    const now = clock.monotonic();
    const under = running.get(key);
    if (under !== undefined) return under;
    // A peer that was not asked yet may have what others had not.
    const mark = `${key} ${from ?? ''}`;
    if (!lists.isDue(issuer, id) || now - (tried.get(mark) ?? Number.NEGATIVE_INFINITY) < RETRY_MS) return;
    tried.delete(mark);
    tried.set(mark, now);
    if (tried.size > MAX_REMEMBERED) tried.delete(tried.keys().next().value!);
    const work = look(issuer, id, from)
      .catch((error: unknown) => log.warn('a status list was not looked for', { err: messageOf(error) }))
      .finally(() => running.delete(key));
    running.set(key, work);
    return work;
  }

  return {
    refresh,
    async hear(peer, news) {
      const wanted = new Set(others.lists().map(({ issuer, list }) => keyOf(issuer, list)));
      for (const { issuer, id, from } of news) {
        const known = lists.times(issuer, id);
        if (known === null && !wanted.has(keyOf(issuer, id))) continue;
        if (known !== null && from <= known.from) continue;
        // Who has not what it told of is not listened to any longer: each fetch may take its time.
        if (signal.aborted || !(await fetchFrom(peer, issuer, id))) return;
      }
    },
    async refreshAll() {
      for (const { issuer, list } of others.lists()) {
        if (signal.aborted) return;
        await refresh(issuer, list, null);
      }
    },
  };
}

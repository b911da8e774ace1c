/**
 * Credentials between peers while the swarm runs: each shows what its owner published, asks those that connect for theirs,
 * and keeps up with what issuers revoke. What a peer says is taken in by `swarm-credentials-take.ts`, status lists come and
 * go by `swarm-credentials-lists.ts`.
 *
 * A peer is asked when it connects, when it says that what it shows has changed, when this node's policy changes, and once
 * an hour. Changes that another process makes to the wallet or the policy (`kith identity`, `kith reputation`) are seen
 * within `LOOK_MS`.
 *
 * @module node/swarm-credentials
 */
import { type Clock, isKithError, type Logger, messageOf, type Random } from '../base/index.ts';
import {
  createCredentialVerifier,
  type Identity,
  openWallet,
  peerIdOfDid,
  readHandOvers,
  type Wallet,
} from '../identity/index.ts';
import type { Swarm } from '../swarm/index.ts';
import type { Trust } from '../trust/index.ts';
import { createAsking } from './swarm-credentials-asking.ts';
import { createListSource } from './swarm-credentials-lists.ts';
import { createShares } from './swarm-credentials-shares.ts';
import { createTaking } from './swarm-credentials-take.ts';
import {
  CREDENTIAL_BOUNDS,
  CREDENTIAL_METHODS,
  decodeListAsk,
  decodeNews,
  decodeShown,
  encodeNews,
  encodeShown,
  type ListNews,
  type News,
} from './swarm-credentials-wire.ts';

export interface SwarmCredentialsOptions {
  readonly home: string;
  readonly swarm: Pick<Swarm, 'handle' | 'call' | 'onPeer' | 'links'>;
  readonly identity: Identity;
  readonly trust: Trust;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** A peer's key was handed over to another: it is to be refused from now on. */
  readonly refuse: (predecessor: string) => Promise<void>;
}

const DAY_MS = 86_400_000;
/** How soon changes by other processes are seen, ms. */
export const LOOK_MS = 1_000;
/** An endorsement is in the wallet before it is in the trust store: after a change it is looked again so often. */
const SETTLE_LOOKS = 10;
/** What this node shows is put together again after this time at most, ms. */
const SHOWN_MS = 1_000;
/** Status lists that one peer gets within a minute. */
const LISTS_PER_MINUTE = 32;
/** Lists whose time to live is over are looked for so often. */
const LISTS_MS = 300_000;
const ASK_MS = 15_000;
const NEWS_MS = 5_000;
/** News of one peer that wait. */
const NEWS_WAITING = 4;
const MAX_STOOD = 4096;

export async function exchangeCredentials(options: SwarmCredentialsOptions): Promise<AsyncDisposable> {
  const { home, swarm, identity, trust, clock, random, log } = options;
  const ending = new AbortController();
  const { signal } = ending;
  const wallet: Wallet = openWallet(home, {
    clock,
    random,
    statusGraceMs: trust.policy.statusGraceDays * DAY_MS,
  });
  const verifier = createCredentialVerifier({ clock, policy: trust.policy, status: wallet.lists });
  const linked = new Set<string>();
  const running = new Set<Promise<void>>();
  /** What goes on behind this node's back; it ends before the wallet is closed. */
  const behind = (what: string, work: () => Promise<void>): void => {
    const task: Promise<void> = work()
      .catch((error: unknown) => {
        if (!signal.aborted) log.warn(what, { err: messageOf(error) });
      })
      .finally(() => running.delete(task));
    running.add(task);
  };

  const listsGiven = createShares(clock, LISTS_PER_MINUTE);

  /** Where lists stood when what is on them was looked at last, and when others were told. */
  const stood = new Map<string, number>();
  const standing = ({ issuer, id }: Omit<ListNews, 'from'>) => `${issuer} ${id}`;

  function note(list: ListNews): void {
    stood.delete(standing(list));
    stood.set(standing(list), list.from);
    if (stood.size > MAX_STOOD) stood.delete(stood.keys().next().value!);
  }

  const source = createListSource({
    ...{ swarm, wallet, trust, linked, clock, random, log, signal },
    onNewer: async (list, from) => {
      note(list);
      await taking.review(wallet.others.on(list.issuer, list.id));
      tell({ lists: [list], shown: false }, from);
    },
  });
  const taking = createTaking({
    ...{ wallet, verifier, trust, clock, log, signal },
    refresh: (issuer, list, from) => source.refresh(issuer, list, from),
    onHandedOver: (predecessor) =>
      behind('a key that was handed over was not cut', () => options.refuse(predecessor)),
  });

  /** Tells all connected peers but one. They lose nothing by missing it. */
  function tell(news: News, except: string | null = null): void {
    const payload = encodeNews(news);
    for (const peer of linked) {
      if (peer === except) continue;
      behind('news were not told', async () => {
        await swarm
          .call(peer, CREDENTIAL_METHODS.news, {}, payload.slice(), { deadlineMs: NEWS_MS, signal })
          .catch(quiet);
      });
    }
  }

  /** A peer that does not know the call, or leaves, is no fault of this node. */
  function quiet(error: unknown): void {
    if (!isKithError(error)) throw error;
    log.debug('a peer was not reached about credentials', { code: error.code });
  }

  // A key is replaced only while its node does not run.
  const handOvers = await readHandOvers(home);
  function shown(lists: readonly ListNews[]): Uint8Array {
    return encodeShown({
      credentials: wallet.held.shown(identity.did).map(({ bytes }) => bytes),
      // Those that were withdrawn here are not spread.
      endorsements: wallet.issued
        .endorsements(identity, CREDENTIAL_BOUNDS.endorsements)
        .filter(({ digest, subject }) => trust.endorsing(peerIdOfDid(subject)).includes(digest))
        .map(({ bytes }) => bytes),
      handOvers: handOvers.map(({ bytes }) => bytes),
      lists,
    });
  }
  let kept: { readonly at: number; readonly payload: Uint8Array } | null = null;
  /** However often it is asked for. */
  function shownNow(): Uint8Array {
    if (kept === null || clock.monotonic() - kept.at >= SHOWN_MS)
      kept = { at: clock.monotonic(), payload: shown(knownLists()) };
    return kept.payload.slice();
  }
  const knownLists = () => wallet.lists.since(0, CREDENTIAL_BOUNDS.lists);

  async function ask(peer: string): Promise<void> {
    const { payload } = await swarm.call(peer, CREDENTIAL_METHODS.credentials, {}, undefined, {
      deadlineMs: ASK_MS,
      maxReplyBytes: CREDENTIAL_BOUNDS.shownBytes,
      signal,
    });
    const said = decodeShown(payload);
    const { learned, refused, againAfter } = await taking.take(peer, said);
    await source.hear(peer, said.lists);
    if (againAfter !== null) asking.soon(peer, againAfter * 1000);
    log.debug('a peer showed credentials', { peer, learned, refused: refused.join(' ') });
  }

  const asking = createAsking({
    ask: (peer) => ask(peer).catch(quiet),
    isLinked: (peer) => linked.has(peer),
    ...{ clock, random, log, signal },
  });

  /** Sees what other processes changed, and what time changes. */
  async function looking(): Promise<void> {
    let version = 0;
    let looks = 0;
    let epoch = trust.policy.epoch;
    let said: Uint8Array | null = null;
    let listsAt = clock.monotonic();
    for (; !signal.aborted; await clock.sleep(LOOK_MS, signal).catch(() => {})) {
      try {
        if (said === null) {
          version = wallet.version();
          await taking.review(wallet.others.all());
          for (const list of knownLists()) note(list);
          said = shown([]);
          continue;
        }
        // It looks at its files by itself whenever it is asked.
        trust.tier(identity.peerId);
        if (trust.policy.epoch !== epoch) {
          epoch = trust.policy.epoch;
          for (const peer of linked) asking.soon(peer, 0);
        }
        if (wallet.version() !== version) {
          version = wallet.version();
          looks = SETTLE_LOOKS;
        }
        if (looks > 0) {
          looks--;
          const newer = knownLists().filter((list) => stood.get(standing(list)) !== list.from);
          for (const list of newer) {
            note(list);
            await taking.review(wallet.others.on(list.issuer, list.id));
          }
          kept = null;
          const now = shown([]);
          const isOther = Buffer.compare(now, said) !== 0;
          if (newer.length > 0 || isOther) tell({ lists: newer, shown: isOther });
          said = now;
        }
        if (clock.monotonic() - listsAt >= LISTS_MS) {
          listsAt = clock.monotonic();
          wallet.others.sweep();
          behind('status lists were not looked for', () => source.refreshAll());
        }
      } catch (error) {
        // A store may be busy for a moment; the next look is another try.
        log.warn('changes of the wallet were not seen', { err: messageOf(error) });
      }
    }
  }

  const hearing = new Map<string, number>();
  const handlers = [
    swarm.handle(CREDENTIAL_METHODS.credentials, {
      caps: { maxPayloadBytes: 0, maxMetadataBytes: 64, maxConcurrent: 2 },
      handler: () => ({ payload: shownNow() }),
    }),
    swarm.handle(CREDENTIAL_METHODS.list, {
      caps: { maxPayloadBytes: 0, maxMetadataBytes: 2048, maxConcurrent: 4 },
      handler: ({ peer, metadata }) => {
        const { issuer, id } = decodeListAsk(metadata);
        const bytes = listsGiven.take(peer) ? wallet.lists.bytes(issuer, id) : null;
        return { payload: Uint8Array.from(bytes ?? []) };
      },
    }),
    swarm.handle(CREDENTIAL_METHODS.news, {
      caps: { maxPayloadBytes: CREDENTIAL_BOUNDS.newsBytes, maxMetadataBytes: 64, maxConcurrent: 2 },
      handler: ({ peer, payload }) => {
        const news = decodeNews(payload);
        if (!linked.has(peer)) return {};
        if (news.shown) asking.soon(peer, 0);
        const waiting = hearing.get(peer) ?? 0;
        // The hourly ask makes up for what is not heard.
        if (news.lists.length === 0 || waiting >= NEWS_WAITING) return {};
        hearing.set(peer, waiting + 1);
        behind('news of a peer were not followed', () =>
          source.hear(peer, news.lists).finally(() => {
            const left = (hearing.get(peer) ?? 1) - 1;
            if (left === 0) hearing.delete(peer);
            else hearing.set(peer, left);
          }),
        );
        return {};
      },
    }),
  ];
  const listening = swarm.onPeer((peer, connected) => {
    if (signal.aborted) return;
    if (!connected) {
      linked.delete(peer);
      asking.left(peer);
    } else if (!linked.has(peer)) {
      linked.add(peer);
      asking.soon(peer, random.float() * 100);
    }
  });
  for (const { peer } of await swarm.links())
    if (!linked.has(peer)) {
      linked.add(peer);
      asking.soon(peer, 0);
    }
  behind('credentials of peers are asked for no longer', asking.run);
  behind('changes of the wallet are seen no longer', looking);

  return {
    async [Symbol.asyncDispose]() {
      ending.abort();
      listening[Symbol.dispose]();
      for (const handler of handlers) handler[Symbol.dispose]();
      await Promise.all(running);
      wallet[Symbol.dispose]();
    },
  };
}

/**
 * How the gateway's backends reach peers: over the swarm of this node while it runs. They are made before the swarm and
 * outlive each of its starts, so that nothing of it is looked up before a request asks.
 *
 * @module node/swarm-asking
 */
import {
  type Clock,
  isKithError,
  KithError,
  type Logger,
  type Meeting,
  messageOf,
  type PeerRequirements,
  type Tier,
} from '../base/index.ts';
import type {
  PeerBackendOptions,
  PeerProviderOptions,
  PeerStanding,
  Receipts,
  SignedReceipt,
} from '../gateway/index.ts';
import type { Announcement, Discoverer, Registry, SpaceTerms, Swarm } from '../swarm/index.ts';
import type { Counted, Trust } from '../trust/index.ts';
import type { BanFile } from './swarm-bans.ts';
import type { NoteConduct } from './swarm-trust.ts';
import type { PeerWatch } from './swarm-trust-watch.ts';

type Meets = NonNullable<PeerProviderOptions['meets']>;

/** A peer that lends space, on terms as it announces them; null where it does not say. */
export interface PeerLending {
  readonly peer: string;
  readonly terms: SpaceTerms | null;
}

/** What this node thinks of a peer. */
export interface PeerRepute {
  /** 0 to 1. */
  readonly score: number;
  readonly tier: Tier;
  /** 1: nothing bad was seen of it; what was takes the score down to this part of it. */
  readonly conduct: number;
}

/** What this node thinks of its peers, and what it saw of them. */
export interface PeerReputation {
  of(peer: string): PeerRepute;
  /** @param x 0 (bad) to 1 (good) @param weight how much of an observation it is, above 0 and up to 1. Never throws. */
  observe(peer: string, dimension: Counted, x: number, weight: number): void;
}

const lendsSpace = ({ model, serves }: Announcement): boolean => model === null && serves.includes('storage');

/** What is known of peers and the way to them, of a swarm that runs. */
export interface PeerAsking {
  readonly swarm: Pick<Swarm, 'call' | 'openSession' | 'state'>;
  /** Tells the network where the peer said that it is. */
  introduce(peer: string): Promise<void>;
  standing(peer: string): PeerStanding;
  /** Who announces chats or embeddings now and is not banned. */
  serving(): readonly string[];
  /** Who announces that it lends space and is not banned. */
  lending(): readonly PeerLending[];
  meets(peer: string, ...asked: Parameters<Meets>): ReturnType<Meets>;
  /** It sent what it may not. Never throws. */
  misconduct(peer: string, what: string): void;
  readonly reputation: PeerReputation;
  /** Sees how peers answer. */
  readonly watch: PeerWatch;
}

export interface AskingParts {
  readonly swarm: Swarm;
  readonly registry: Pick<Registry, 'of' | 'byPeer'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly bans: Pick<BanFile, 'list'>;
  readonly discovery: Pick<Discoverer, 'introduce'>;
  readonly trust: Pick<Trust, 'tier' | 'meets' | 'score' | 'observe'>;
  readonly noteConduct: NoteConduct;
  readonly watch: PeerWatch;
  /** Of the swarm's room, which is not loaded for this file. */
  readonly readSpace: (serves: readonly string[]) => SpaceTerms | null;
  readonly log: Logger;
}

export function peerAsking(parts: AskingParts): PeerAsking {
  const { swarm, registry, discovery, trust, noteConduct, clock, bans, log } = parts;
  /** As it says itself. */
  const regionsOf = (peer: string): readonly string[] => [
    ...new Set(registry.of(peer).flatMap(({ regions }) => regions)),
  ];
  /** Peers that say so now, are there, and are not banned. */
  function announcing(matches: (said: Announcement) => boolean): readonly string[] {
    const now = clock.now();
    const banned = new Set(bans.list().map(({ peer }) => peer));
    return [...registry.byPeer()].flatMap(([peer, records]) => {
      if (banned.has(peer) || records.get('')?.announcement.state === 'offline') return [];
      const said = [...records.values()].some(
        ({ announcement }) =>
          announcement.exp > now && announcement.state === 'online' && matches(announcement),
      );
      return said ? [peer] : [];
    });
  }

  return {
    swarm,
    introduce: (peer) => discovery.introduce(peer),
    standing: (peer) => ({
      tier: trust.tier(peer),
      pledge: trust.meets(peer, { pledge: true }, { latencyMs: null, region: null }).ok,
      region: regionsOf(peer)[0] ?? null,
    }),
    serving: () =>
      announcing(
        ({ model, serves }) => model !== null && (serves.includes('chat') || serves.includes('embeddings')),
      ),
    lending: () =>
      announcing(lendsSpace).map((peer) => ({
        peer,
        terms: parts.readSpace(registry.of(peer).find(lendsSpace)?.serves ?? []),
      })),
    meets(peer, requirements, facts) {
      const said = regionsOf(peer);
      const region = said.find((one) => requirements.regions?.includes(one)) ?? said[0] ?? null;
      return trust.meets(peer, requirements, { ...facts, region });
    },
    misconduct(peer, what) {
      log.warn('a peer answered what it may not', { peer, what });
      noteConduct(peer, 'bad_answer');
    },
    reputation: {
      of(peer) {
        const { score, tier, terms } = trust.score(peer);
        return { score, tier, conduct: terms.find(({ name }) => name === 'moderation')?.value ?? 1 };
      },
      observe(peer, dimension, x, weight) {
        try {
          trust.observe(peer, dimension, x, weight);
        } catch (error) {
          // A store full of peers in quarantine has no place for one more.
          if (!isKithError(error))
            log.warn('what was seen of a peer was not noted', { peer, err: messageOf(error) });
        }
      },
    },
    watch: parts.watch,
  };
}

/** The swarm of a node, as it starts, runs and ends. */
export interface AskingSource {
  /** Waits while the swarm starts for the first time. Throws `swarm_off`, `swarm_down`. */
  asking(): Promise<PeerAsking>;
  /** Null: it does not run now. */
  readonly askingNow: PeerAsking | null;
}

export interface PeerNetwork {
  /** PeerId of this node; null where there is none, as in a command without a node. */
  readonly self: string | null;
  readonly swarm: PeerBackendOptions['swarm'];
  /** Without a swarm nothing is known of anybody. */
  standing(peer: string): PeerStanding;
  /** Who announces chats or embeddings now; nobody without a swarm. */
  serving(): readonly string[];
  /** Who announces that it lends space; nobody without a swarm. */
  lending(): readonly PeerLending[];
  meets: PeerAsking['meets'];
  misconduct: PeerAsking['misconduct'];
  /** Nothing is known, and nothing noted, without a swarm. */
  readonly reputation: PeerReputation;
  readonly watch: PeerWatch;
  /** Why peers may become backends in a moment that are none yet; null once those that are near were asked. */
  looking: string | null;
  /** Keeps a receipt of what a peer did for this node. */
  keep(receipt: SignedReceipt): void;
}

export interface BoundNetwork extends PeerNetwork, Disposable {
  /** Asks wait for this. */
  bind(source: AskingSource): void;
}

const NOTHING: PeerStanding = { tier: 'unknown', pledge: false, region: null };
const NO_REPUTE: PeerRepute = { score: 0, tier: 'unknown', conduct: 1 };

/** @param self PeerId of this node */
export function createPeerNetwork(self: string, receipts: Pick<Receipts, 'add'> | null): BoundNetwork {
  const bound = Promise.withResolvers<AskingSource>();
  const end = Promise.withResolvers<never>();
  // Often nobody waits for it.
  end.promise.catch(() => {});
  let source: AskingSource | null = null;
  const now = () => source?.askingNow ?? null;
  // A node that leaves does not wait until its swarm has started; leases are given back while it runs.
  const need = async () =>
    now() ?? (await Promise.race([bound.promise.then((from) => from.asking()), end.promise]));
  return {
    self,
    swarm: {
      peer: self,
      get state() {
        return now()?.swarm.state ?? 'closed';
      },
      async call(peer, ...rest) {
        const { swarm, introduce } = await need();
        await introduce(peer);
        return swarm.call(peer, ...rest);
      },
      openSession: async (...args) => (await need()).swarm.openSession(...args),
    },
    standing: (peer) => now()?.standing(peer) ?? NOTHING,
    serving: () => now()?.serving() ?? [],
    lending: () => now()?.lending() ?? [],
    meets: (peer, requirements, facts) =>
      now()?.meets(peer, requirements, facts) ??
      nothingKnown(requirements, 'the swarm of this node does not run, so that nothing is known of the peer'),
    misconduct: (peer, what) => now()?.misconduct(peer, what),
    reputation: {
      of: (peer) => now()?.reputation.of(peer) ?? NO_REPUTE,
      observe: (...seen) => now()?.reputation.observe(...seen),
    },
    watch: {
      wantsText: (...asked) => now()?.watch.wantsText(...asked) ?? false,
      answered: (...seen) => now()?.watch.answered(...seen),
      embedded: (peer) => now()?.watch.embedded(peer),
      failed: (peer) => now()?.watch.failed(peer),
    },
    looking: null,
    keep: (receipt) => receipts?.add('got', receipt),
    bind(from) {
      source = from;
      bound.resolve(from);
    },
    [Symbol.dispose]() {
      end.reject(noSwarm('The node is leaving, and its swarm with it.'));
    },
  };
}

const noSwarm = (message: string) => new KithError('swarm_down', message, { status: 503 });

/** What is not known meets nothing, where something is asked. */
function nothingKnown(requirements: PeerRequirements, why: string): Meeting {
  const ok = Object.keys(requirements).length === 0;
  return { ok, reasons: ok ? [] : [why] };
}

/** Where no node runs: peers are asked by nobody. */
export function noPeerNetwork(): PeerNetwork {
  const fail = async (): Promise<never> => {
    throw noSwarm('Only a running node reaches its peers: start it with kith start.');
  };
  return {
    self: null,
    swarm: { peer: '', state: 'closed', call: fail, openSession: fail },
    standing: () => NOTHING,
    serving: () => [],
    lending: () => [],
    meets: (_peer, requirements) => nothingKnown(requirements, 'only a running node knows its peers'),
    misconduct: () => {},
    reputation: { of: () => NO_REPUTE, observe() {} },
    watch: { wantsText: () => false, answered() {}, embedded() {}, failed() {} },
    looking: null,
    keep: () => {},
  };
}

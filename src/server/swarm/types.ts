/**
 * What the routes of the swarm answer, and what they are given to answer from. Times are ms, moments ms since 1970,
 * null = unknown.
 *
 * @module server/swarm/types
 */
import type {
  BlockRange,
  CounterName,
  LeftOutReason,
  NatReport,
  OutboxMessage,
  PeerLink,
  Serves,
} from '../../swarm/index.ts';
import type { Profile, Tier, TrustTerm } from '../../trust/index.ts';
import type { HivemindDesk } from './hivemind.ts';

export type * from './hivemind.ts';

/**
 * - `off`: the owner has not switched it on.
 * - `starting`: it opens its port and looks for its first peers.
 * - `running`: peers can connect, calls are answered.
 * - `restarting`: its thread ended and is being started again.
 * - `failed`: it could not start, or its thread died again and again; `message` says why. The node does without.
 */
export const SWARM_STATES = ['off', 'starting', 'running', 'restarting', 'failed'] as const;
export type SwarmState = (typeof SWARM_STATES)[number];

/**
 * As far as its own addresses tell. `public`: an address that the world can dial, or a name. `relay`: over a relay only.
 * `local`: on this machine or its network only. `none`: nobody can dial it; it dials others.
 */
export const REACHES = ['public', 'relay', 'local', 'none'] as const;
export type Reach = (typeof REACHES)[number];

export type SwarmCounters = Readonly<Record<CounterName, number>>;

/** What status, health and metrics tell of the swarm: no waiting, no addresses. */
export interface SwarmSummary {
  readonly state: SwarmState;
  /** What is wrong, for people; null when nothing is. */
  readonly message: string | null;
  readonly peer: string;
  readonly reach: Reach;
  readonly counters: SwarmCounters | null;
  /** Records and peers of the registry, and messages for the owner. */
  readonly records: number;
  readonly peers: number;
  readonly messages: number;
  readonly unread: number;
}

/** `GET /kith/v1/swarm`. */
/** How a node is a relay. */
export interface RelayServing {
  readonly reservations: number;
  /** No bounds for anybody. */
  readonly unlimited: boolean;
  /** No bounds for links to peers of this tier and above. */
  readonly unlimitedTier: Tier | 'nobody';
  /** Peers below may not be reached over it. */
  readonly minTier: Tier;
}

export interface SwarmView extends SwarmSummary {
  readonly did: string;
  readonly addresses: readonly string[];
  readonly network: {
    readonly kind: 'public' | 'lan';
    /** First 16 hex digits of the SHA-256 of the private network's key; null in an open network. */
    readonly key: string | null;
  };
  readonly relay: {
    /** Relays that are used, by address. */
    readonly uses: readonly string[];
    /** Null: this node is none. */
    readonly serves: RelayServing | null;
  };
  readonly regions: readonly string[];
  /** Where the world sees the node, as learnt last; null before. */
  readonly nat: Pick<NatReport, 'mapping' | 'address'> | null;
  readonly links: readonly PeerLink[];
}

export interface ServedModel {
  /** SHA-256 of its file. */
  readonly hash: string;
  readonly quant: string;
  /** Its id on this node; null when it is not here. */
  readonly id: string | null;
  readonly serves: readonly string[];
  readonly blocks: readonly BlockRange[];
}

export interface PeerView {
  readonly peer: string;
  readonly tier: Tier;
  /** 0 to 1. */
  readonly score: number;
  readonly connected: boolean;
  /** Of the best link; null without one. */
  readonly address: string | null;
  readonly direct: boolean | null;
  /** What the best link's bytes go over; null without one. */
  readonly path: PeerLink['path'] | null;
  readonly rttMs: number | null;
  /** `joining`, `online`, `draining`; null when it announces nothing. */
  readonly state: string | null;
  readonly regions: readonly string[];
  /** What it says that it does, models aside: `storage`. */
  readonly serves: readonly string[];
  readonly models: readonly ServedModel[];
  readonly banned: boolean;
}

/** `GET /kith/v1/swarm/peers`: connected ones first, then by tier. */
export interface PeersView {
  readonly peers: readonly PeerView[];
  /** Peers that were left out of the list for its length. */
  readonly more: number;
}

export interface FindQuery {
  /** Id of a model on this node, or the SHA-256 of its file; null: no model. */
  readonly model: string | null;
  readonly serves: Serves;
  readonly blocks: BlockRange | null;
  readonly minTier: Tier | null;
  readonly maxLatencyMs: number | null;
  /** Any of them; empty: any at all. */
  readonly regions: readonly string[];
  readonly pledge: boolean;
}

/** `GET /kith/v1/swarm/find`. */
export interface FindView {
  /** SHA-256 that was looked for. */
  readonly model: string | null;
  /** Best first. */
  readonly found: readonly {
    readonly peer: string;
    readonly tier: Tier;
    readonly score: number;
    readonly latencyMs: number | null;
    readonly latencySource: 'measured' | 'claimed' | 'unknown';
    readonly regions: readonly string[];
    readonly blocks: readonly BlockRange[];
    /** A claim. */
    readonly tokensPerSecond: number | null;
  }[];
  readonly leftOut: readonly {
    readonly peer: string;
    readonly reason: LeftOutReason;
    readonly detail: string;
  }[];
  /** Peers left out that the list is too short for. */
  readonly more: number;
}

/** `POST /kith/v1/swarm/messages`, and each of `GET /kith/v1/swarm/outbox`. Without its text, which is no longer kept. */
export type SentView = OutboxMessage;

/** `GET /kith/v1/swarm/outbox`: newest first. */
export interface OutboxView {
  readonly messages: readonly SentView[];
}

export interface MessageView {
  readonly id: string;
  readonly from: string;
  /** When the sender says that it was written, and when it came. */
  readonly sentAt: number;
  readonly receivedAt: number;
  readonly read: boolean;
  readonly text: string;
}

/** `GET /kith/v1/swarm/messages`: newest first. */
export interface InboxView {
  readonly messages: readonly MessageView[];
  readonly total: number;
  readonly unread: number;
}

/** `GET /kith/v1/swarm/peers/{peer}/trust`: what `kith reputation show` tells. */
export interface PeerTrustView {
  readonly peer: string;
  /** 0 to 1. */
  readonly score: number;
  readonly tier: Tier;
  /** The profile in force, and the tier under each. */
  readonly profile: Profile;
  readonly tiers: Readonly<Record<Profile, Tier>>;
  /** What the score is made of: score = M * S * A * [C + (1 - C) * 0.35 * (r + (1 - c) * 0.25 * p)]. */
  readonly terms: readonly TrustTerm[];
  /** Why the tier is lower than the score alone would give. */
  readonly gates: readonly string[];
  readonly quarantineUntil: number | null;
  /** How often this node dealt with the peer: what an endorsement may say. */
  readonly dealings: number;
  /** This node endorses it. */
  readonly endorsed: boolean;
}

/** A place that a peer holds at this node's engine. */
export interface LeaseView {
  readonly peer: string;
  readonly model: string;
  readonly task: 'chat' | 'embedding';
  /** A request is under way. */
  readonly running: boolean;
  /** ms until it ends. */
  readonly ms: number;
}

/** `GET /kith/v1/swarm/leases`. */
export interface LeasesView {
  readonly leases: readonly LeaseView[];
  /** Places that there are; 0: this node serves nobody. */
  readonly most: number;
}

/** A receipt that counts; see gateway/peers/receipt.ts for what is signed. */
export interface ReceiptView {
  /** `given`: this node answered. `got`: the peer did. */
  readonly way: 'given' | 'got';
  readonly peer: string;
  /** The asking node's name for the request, hex. */
  readonly request: string;
  readonly task: 'chat' | 'embedding';
  readonly model: string;
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  readonly outcome: 'answered' | 'failed' | 'left';
  /** By the clock of the node that answered. */
  readonly at: number;
  /** The bytes that are signed, and the signature: base64. */
  readonly receipt: string;
  readonly signature: string;
}

/** `GET /kith/v1/swarm/receipts`: newest first. */
export interface ReceiptsView {
  readonly receipts: readonly ReceiptView[];
  readonly total: number;
}

export interface ReceiptsQuery {
  readonly peer?: string;
  readonly way?: 'given' | 'got';
  readonly limit: number;
}

export interface BanView {
  readonly peer: string;
  /** Null: for good. */
  readonly until: number | null;
}

/** A message has come: what the event stream tells. */
export interface MessageNews {
  readonly id: string;
  readonly from: string;
  readonly receivedAt: number;
}

/** The swarm as its routes see it. Every call throws `swarm_off` (409) or `swarm_down` (503) when there is none. */
export interface SwarmDesk {
  view(): Promise<SwarmView>;
  /** At most `limit` peers. */
  peers(limit: number): Promise<PeersView>;
  find(query: FindQuery, limit: number): Promise<FindView>;
  /** @param target a PeerId, or a multiaddr that ends in one */
  connect(target: string, signal: AbortSignal, deadlineMs: number): Promise<PeerLink>;
  disconnect(peer: string): Promise<void>;
  /** Round trip, ms. */
  ping(peer: string, signal: AbortSignal, deadlineMs: number): Promise<number>;
  send(to: string, text: string, signal: AbortSignal): Promise<SentView>;
  /** Newest first. */
  inbox(query: { readonly unread: boolean; readonly limit: number }): Promise<InboxView>;
  /** What was sent, newest first. */
  outbox(limit: number): Promise<readonly SentView[]>;
  /** The message, marked as read; null when there is none of that id. */
  read(id: string): Promise<MessageView | null>;
  /** Removes a message that came, or takes back one that waits to be delivered. False when there is none of that id. */
  remove(id: string): Promise<boolean>;
  trust(peer: string): Promise<PeerTrustView>;
  /** This node's signed word for the peer. Throws `endorsement_unfounded` where it never dealt with it. */
  endorse(peer: string): Promise<PeerTrustView>;
  /** Throws `endorsement_not_found` (404). */
  unendorse(peer: string): Promise<PeerTrustView>;
  leases(): Promise<LeasesView>;
  receipts(query: ReceiptsQuery): Promise<ReceiptsView>;
  bans(): Promise<readonly BanView[]>;
  ban(peer: string, until: number | null): Promise<void>;
  /** False when it was not banned. */
  unban(peer: string): Promise<boolean>;
  readonly hivemind: HivemindDesk;
  /** Told of every message that comes, also before the swarm has started. */
  onMessage(listener: (news: MessageNews) => void): Disposable;
}

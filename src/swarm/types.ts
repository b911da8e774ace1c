/**
 * What the swarm room gives to the rooms above it, and its host to the room's other folders: calls, sessions, gossip,
 * provider records, links to peers. No type of libp2p is among them.
 *
 * @module swarm/types
 */
import type { CborMap, Clock, Logger } from '../base/index.ts';
import type { Tier } from '../trust/index.ts';

/**
 * Bytes beside the metadata. Handed to the swarm they are moved, not copied, when the view spans its whole buffer: do not
 * use them afterwards. A view of a part is copied.
 */
export type Payload = Uint8Array;

export interface CallOptions {
  /** Time for the whole call, dialling included; the peer learns what is left. @default 30000 */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
  /** The peer is asked only when it has this tier at least; checked before a byte leaves. */
  readonly minTier?: Tier;
  /**
   * 16 bytes that name the call. A peer that gets them again within a minute runs nothing twice: it gives the answer it
   * gave. Drawn at random when absent.
   */
  readonly id?: Uint8Array;
  /** Longest answer taken, bytes of payload. @default 16 MiB */
  readonly maxReplyBytes?: number;
}

export interface Reply {
  readonly metadata: CborMap;
  /** Owned by the receiver; empty when the peer sent none. */
  readonly payload: Uint8Array;
}

/** What a handler answers. */
export interface ReplyInit {
  readonly metadata?: CborMap;
  readonly payload?: Payload;
}

/** A call that has passed the gate and its method's caps. */
export interface IncomingCall {
  /** PeerId of the caller, authenticated. */
  readonly peer: string;
  readonly metadata: CborMap;
  readonly payload: Uint8Array;
  /** Fires when the caller leaves, its deadline passes, or the connection ends. */
  readonly signal: AbortSignal;
  /** Ms the caller still waits; null when it named none. */
  readonly deadlineMs: number | null;
}

/** Bounds of one method, kept in the swarm thread before anything is allocated. */
export interface MethodCaps {
  /** Bytes of payload in a request or a session's message. @default 1 MiB */
  readonly maxPayloadBytes?: number;
  /** Bytes of metadata. @default 16 KiB, at most 64 KiB */
  readonly maxMetadataBytes?: number;
  /** Running at once for one peer. @default 16 */
  readonly maxConcurrent?: number;
  /** Callers below are refused with `swarm_denied`. @default 'unknown' */
  readonly minTier?: Tier;
}

export interface Method {
  readonly caps?: MethodCaps;
  readonly handler: (call: IncomingCall) => ReplyInit | Promise<ReplyInit>;
}

export interface SessionMethod {
  readonly caps?: MethodCaps;
  /** The session ends when this returns; what it throws reaches the peer as a typed error. */
  readonly session: (session: Session) => Promise<void>;
}

export interface SessionMessage {
  readonly metadata: CborMap;
  readonly payload: Uint8Array;
}

/**
 * A stream of its own between two nodes, kept open: a message and its answer cost one round trip. Messages arrive once,
 * in order. A side that does not read stops the other within the window.
 */
export interface Session extends AsyncIterable<SessionMessage>, AsyncDisposable {
  readonly peer: string;
  readonly method: string;
  /** What the opening side said. */
  readonly metadata: CborMap;
  /** What its bytes go over: a stream of the link, or a lane beside it (a TLS socket of its own, several times as fast). */
  readonly path: 'stream' | 'lane';
  /** Fires when the session is over, with the reason. */
  readonly signal: AbortSignal;
  /** Resolves when the message may leave: at once while the window has room. */
  send(metadata: CborMap, payload?: Payload): Promise<void>;
  /** The next message; null after the peer's end. Throws the peer's error, or `swarm_reset` when the link broke. */
  receive(options?: { readonly signal?: AbortSignal }): Promise<SessionMessage | null>;
  /** No more messages from this side; the other may go on. */
  end(): Promise<void>;
  /** Ends both directions at once; the peer's handler is aborted. */
  cancel(): void;
}

export interface SessionOptions {
  readonly signal?: AbortSignal;
  /** Time until the stream stands. @default 15000 */
  readonly openMs?: number;
  readonly minTier?: Tier;
  /** Bounds of what the peer sends. */
  readonly caps?: Pick<MethodCaps, 'maxPayloadBytes' | 'maxMetadataBytes'>;
}

/** A connection to a peer. */
export interface PeerLink {
  readonly peer: string;
  /** Multiaddr of the other end. */
  readonly address: string;
  readonly direction: 'in' | 'out';
  /** What the bytes go over: a private address, TCP, WebRTC, or a relay. */
  readonly path: 'lan' | 'tcp' | 'webrtc' | 'relay';
  /** False over a relay. */
  readonly direct: boolean;
  /** True when a relay bounds the bytes or the time. */
  readonly limited: boolean;
  /** `/tls/1.0.0`, `/noise`; `/dtls` over WebRTC. */
  readonly encryption: string;
  /** Last measured round trip, ms; null before the first. */
  readonly rttMs: number | null;
  /** Lanes with the peer now, of either side. */
  readonly lanes: number;
  /** Ms since 1970. */
  readonly since: number;
}

/** What STUN told of this node's place in the network. */
export interface NatReport {
  /**
   * `none`: the address is this machine's own. `independent`: the NAT keeps one port for all destinations, so that WebRTC
   * can cross it. `dependent`: another port for each (symmetric). `unknown`: fewer than two answers came.
   */
  readonly mapping: 'none' | 'independent' | 'dependent' | 'unknown';
  /** This node's IP address as the world sees it: by STUN, else as three peers or more agree; null when nobody told. */
  readonly address: string | null;
  /** The server that told, `stun:host:port`; null when none did. */
  readonly server: string | null;
}

export interface ProviderRecord {
  readonly peer: string;
  /** Multiaddrs that the network tells of it; may be empty. */
  readonly addresses: readonly string[];
}

/** What a validator says of a gossip message: `reject` counts against who passed it on, `ignore` does not. */
export type GossipVerdict = 'accept' | 'ignore' | 'reject';

export interface GossipMessage {
  readonly topic: string;
  /** PeerId that signed the message. */
  readonly from: string;
  /** PeerId of the neighbour it came through. */
  readonly via: string;
  readonly data: Uint8Array;
}

export interface Subscription {
  /** Longest message, bytes; longer ones are rejected in the swarm thread. @default 16384 */
  readonly maxBytes?: number;
  /** Messages a second from one neighbour, with a burst of ten times as many; more are ignored. @default 50 */
  readonly maxPerSecond?: number;
  /**
   * Called once for each new message before it is passed on; what it accepts spreads. Must be quick: at most 256 wait, and
   * one that takes over 5 s is ignored. It takes the message in itself: there is no other delivery.
   */
  readonly validate: (message: GossipMessage) => GossipVerdict | Promise<GossipVerdict>;
}

/** What the host offers to announcements and discovery. */
export interface Discovery {
  /** Joins a topic. Dispose to leave. Survives a restart of the swarm thread. */
  subscribe(topic: string, subscription: Subscription): Promise<AsyncDisposable>;
  /** Signs and spreads; resolves to the number of neighbours it went to, which may be 0. */
  publish(topic: string, data: Uint8Array): Promise<number>;
  /** Neighbours of a topic that this node knows of. */
  subscribers(topic: string): Promise<readonly string[]>;
  /** Tells the DHT that this node provides `key` (32 bytes, a SHA-256), and again until disposed. */
  provide(key: Uint8Array, options?: { readonly signal?: AbortSignal }): Promise<AsyncDisposable>;
  /** Others that provide `key`, each once, never this node. Ends after the walk, `limit`, or the signal. */
  findProviders(
    key: Uint8Array,
    options?: { readonly signal?: AbortSignal; readonly limit?: number; readonly deadlineMs?: number },
  ): AsyncIterable<ProviderRecord>;
}

export interface ForeignOptions {
  /** Multiaddrs of the peer, for when no link to it stands; without any, those that were learnt. */
  readonly addresses?: readonly string[];
  /** @default 1 MiB, at most 16 MiB */
  readonly maxReplyBytes?: number;
  /** Time for all of it, dialling included. @default 10000 */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
}

export interface ForeignHandler {
  /** @default 1 MiB, at most 16 MiB */
  readonly maxRequestBytes?: number;
  /** Requests of one connection at once. @default 8 */
  readonly maxConcurrent?: number;
  /** `data` has passed the gate and the bound. Null cuts the stream without an answer. */
  answer(peer: string, data: Uint8Array): Promise<Uint8Array | null> | Uint8Array | null;
}

/** Protocols of other programs that ask once and answer once, each time a length as a varint and so many bytes. */
export interface ForeignProtocols {
  /** @throws {KithError} `swarm_unreachable`, `swarm_lost`, `swarm_breaker` */
  askForeign(
    peer: string,
    protocol: string,
    request: Uint8Array,
    options?: ForeignOptions,
  ): Promise<Uint8Array>;
  /** Answers until disposed. One handler for each protocol. Survives a restart of the swarm thread. */
  handleForeign(protocol: string, handler: ForeignHandler): Promise<AsyncDisposable>;
  /** Multiaddrs that peers told of themselves, or that were learnt: at most 8 of each, of those that are known. */
  addressesOf(peers: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>;
}

export interface Swarm extends Discovery, ForeignProtocols, AsyncDisposable {
  readonly peer: string;
  /** Where this node can be reached, each ending in `/p2p/<peer>`; as last told by the swarm thread. */
  readonly addresses: readonly string[];

  /**
   * One request, one answer. `peer` is a PeerId; its addresses come from `dial`, the DHT, or a link that stands.
   *
   * @throws {KithError} the peer's own error (`PeerError`); `swarm_unreachable`, `swarm_reset`, `swarm_timeout`,
   * `swarm_denied`, `swarm_lost` (the swarm thread died), `swarm_breaker` (it dies again and again)
   */
  call(
    peer: string,
    method: string,
    metadata?: CborMap,
    payload?: Payload,
    options?: CallOptions,
  ): Promise<Reply>;
  /** With this node itself, too: then no byte leaves it. */
  openSession(peer: string, method: string, metadata?: CborMap, options?: SessionOptions): Promise<Session>;
  /** Answers calls of a method until disposed. One handler for each. Survives a restart of the swarm thread. */
  handle(method: string, what: Method | SessionMethod): Disposable;

  /** Connects to a multiaddr with `/p2p/`, or to a PeerId. */
  dial(
    target: string,
    options?: { readonly signal?: AbortSignal; readonly deadlineMs?: number },
  ): Promise<PeerLink>;
  /** Remembers addresses of a peer for later calls, without connecting. */
  learn(peer: string, addresses: readonly string[]): Promise<void>;
  disconnect(peer: string): Promise<void>;
  links(): Promise<readonly PeerLink[]>;
  /** Asks the STUN servers that are configured, or the relays; measured again after 30 s. */
  nat(): Promise<NatReport>;
  /** Round trip, ms. */
  ping(
    peer: string,
    options?: { readonly signal?: AbortSignal; readonly deadlineMs?: number },
  ): Promise<number>;
  /** Called after a peer's first link stands and after its last one is gone. */
  onPeer(listener: (peer: string, connected: boolean) => void): Disposable;

  /** Cuts the peer and refuses it until then (ms since 1970; null: for good). The caller persists bans. */
  ban(peer: string, until: number | null): Promise<void>;
  unban(peer: string): Promise<void>;
  bans(): readonly Ban[];
  /** Counters since the start, without waiting for the swarm thread. */
  counters(): Readonly<Record<CounterName, number>>;
  /** Whether the swarm thread runs. */
  readonly state: 'running' | 'restarting' | 'broken' | 'closed';
}

export interface Ban {
  readonly peer: string;
  readonly until: number | null;
}

/** What a peer did wrong, for trust. The swarm has cut the stream or the peer already. */
export const MISBEHAVIOURS = [
  'garbage',
  'oversize',
  'protocol',
  'window',
  'rate',
  'stream_flood',
  'half_open',
  'slow_reader',
  'gossip',
] as const;
export type Misbehaviour = (typeof MISBEHAVIOURS)[number];

export const COUNTERS = [
  'framesIn',
  'framesOut',
  'bytesIn',
  'bytesOut',
  'callsIn',
  'callsOut',
  'sessionsIn',
  'sessionsOut',
  'lanesIn',
  'lanesOut',
  'lanesRefused',
  'connections',
  'bytesInFlight',
  'refusedConnections',
  'refusedRequests',
  'misbehaviours',
  'gossipIn',
  'gossipRefused',
  'restarts',
] as const;
export type CounterName = (typeof COUNTERS)[number];

export interface GateOptions {
  readonly bans?: readonly Ban[];
  /** `10.0.0.0/8`, `fd00::/8`. When there are any, only these may connect; relayed links have no address of their own. */
  readonly allowAddresses?: readonly string[];
  readonly denyAddresses?: readonly string[];
  /** Peers below may not connect, nor are they dialled. @default 'unknown' */
  readonly minTier?: Tier;
  /** How far this node trusts a peer. Asked in the node thread, for each connection and each request. */
  readonly tierOf?: (peer: string) => Tier | Promise<Tier>;
  /** Requests a second of one peer, and burst. @default 500, 2000 */
  readonly requestsPerSecond?: number;
  readonly requestBurst?: number;
  /** Bytes a second from one peer, and burst. @default 256 MiB, 512 MiB */
  readonly bytesPerSecond?: number;
  readonly byteBurst?: number;
  /** Payload bytes of all peers that wait in this process. @default 256 MiB */
  readonly maxBytesInFlight?: number;
  /** Sessions of one peer at once. @default 32 */
  readonly maxSessionsPerPeer?: number;
  /** Cut connections after this many misbehaviours of a peer within ten minutes. @default 3 */
  readonly strikes?: number;
}

export interface SwarmOptions {
  /** 32-byte Ed25519 seed of the node. */
  readonly seed: Uint8Array;
  /** Multiaddrs. @default ['/ip4/0.0.0.0/tcp/4001', '/ip6/::/tcp/4001'] */
  readonly listen?: readonly string[];
  /** What others are told beside or instead of what is listened on. */
  readonly announce?: readonly string[];
  /** Multiaddrs with `/p2p/`, dialled at the start and until one answers. */
  readonly bootstrap?: readonly string[];
  /** Swarm key file of a private network (`/key/swarm/psk/1.0.0/`), as bytes. Excludes WebRTC. */
  readonly psk?: Uint8Array;
  /** `lan` keeps private addresses in the DHT and serves it from the start. @default 'public' */
  readonly network?: 'public' | 'lan';
  /** @default 'auto' */
  readonly dht?: 'auto' | 'client' | 'server' | 'off';
  readonly relay?: {
    /** Reserve on these relays (multiaddrs with `/p2p/`) and use relayed links. */
    readonly use?: readonly string[];
    /** Be a relay for others. */
    readonly serve?: {
      readonly maxReservations?: number;
      /** No limits of bytes and time for anybody. */
      readonly unlimited?: boolean;
      /** None for links to peers of this tier at least, and to nobody else. */
      readonly unlimitedTier?: Tier;
      /** Peers below may not reserve. @default 'unknown' */
      readonly minTier?: Tier;
    };
  };
  /** `stun:host:port`. Without any the relays that are used are asked, which answer on the UDP port beside their TCP port. */
  readonly webrtc?: { readonly stun?: readonly string[] } | false;
  readonly mdns?: boolean;
  readonly upnp?: boolean;
  /**
   * Sockets of TLS 1.3 beside direct TCP links, for sessions and busy calls. `auto`: not in a private network, whose key does
   * not encrypt them; `always`: there too. @default 'auto'
   */
  readonly lanes?: 'auto' | 'always' | 'off';
  /** TCP port on which peers' lanes come in, 0 for any free one; open only while one is expected. @default 0 */
  readonly lanePort?: number;
  readonly gate?: GateOptions;
  readonly limits?: {
    /** @default 200 */
    readonly maxConnections?: number;
    /** New connections a second from one address. @default 5 */
    readonly connectionsPerSecond?: number;
    /** Streams for calls and sessions of one connection. @default 64 */
    readonly maxStreams?: number;
    /** Heap of the swarm thread, MiB. @default 512 */
    readonly heapMb?: number;
  };
  readonly onMisbehaviour?: (peer: string, kind: Misbehaviour) => void;
  readonly clock?: Clock;
  readonly log?: Logger;
}

/**
 * The libp2p node at work: links to peers, streams of the call protocol, gossip, provider records.
 *
 * @module swarm/libp2p/host
 */
import { TopicValidatorResult } from '@libp2p/gossipsub';
import type { ConnectionGater, PeerId, Stream } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import { multiaddr } from '@multiformats/multiaddr';
import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import type { Tier } from '../../trust/index.ts';
import { CALL_PROTOCOL } from '../frames/format.ts';
import { TokenBucket } from '../gate/bucket.ts';
import type { Counters } from '../gate/counters.ts';
import type { Gate } from '../gate/gate.ts';
import type { Channel } from '../rpc/channel.ts';
import type { GossipMessage, GossipVerdict, NatReport, PeerLink, ProviderRecord } from '../types.ts';
import { type LanePath, LISTEN, lanePath } from './addresses.ts';
import { createNode, type Node, type NodeSettings } from './config.ts';
import { connect } from './connect.ts';
import { ForeignStreams } from './foreign.ts';
import { bestConnection, isProven, linkOf } from './paths.ts';
import { Nat, Reach } from './reach.ts';
import { settleLimit } from './relay-limits.ts';
import { StreamChannel } from './stream-channel.ts';

export interface HostEvents {
  stream(channel: Channel, peer: string): void;
  /** Whether trust lets this peer connect. */
  admit(peer: string): Promise<boolean>;
  /** Whether its tier is this one at least. */
  trusts(peer: string, tier: Tier): Promise<boolean>;
  /** New streams to the peer take a better path than those that stand. */
  better(peer: string): void;
  peer(peer: string, connected: boolean): void;
  addresses(addresses: readonly string[]): void;
  gossip(message: GossipMessage): Promise<GossipVerdict>;
}

export interface TopicLimits {
  readonly maxBytes: number;
  readonly maxPerSecond: number;
}

const SHA2_256 = 0x12;
const RAW = 0x55;
/** Connections of one peer at once; two nodes that dial each other at the same time have two. */
const MAX_LINKS = 4;
/** Neighbours with a bucket of their own for each topic. */
const MAX_BUCKETS = 1024;
const MAX_VALIDATING = 256;

export class Host {
  readonly foreign: ForeignStreams;
  readonly #node: Node;
  readonly #reach: Reach;
  readonly #gate: Gate;
  readonly #counters: Counters;
  readonly #events: HostEvents;
  readonly #maxStreams: number;
  readonly #listenOn: readonly string[];
  readonly #inbound = new Map<string, number>();
  #validating = 0;

  private constructor(
    node: Node,
    reach: Reach,
    gate: Gate,
    counters: Counters,
    events: HostEvents,
    settings: NodeSettings,
  ) {
    this.foreign = new ForeignStreams(node, gate);
    this.#node = node;
    this.#reach = reach;
    this.#gate = gate;
    this.#counters = counters;
    this.#events = events;
    this.#maxStreams = settings.limits?.maxStreams ?? 64;
    this.#listenOn = settings.listen ?? LISTEN;
  }

  static async start(
    settings: NodeSettings,
    gate: Gate,
    counters: Counters,
    events: HostEvents,
  ): Promise<Host> {
    const refuse = (denied: boolean) => {
      if (denied) counters.add('refusedConnections');
      return denied;
    };
    let node: Node | undefined;
    const denyPeer = async (peer: PeerId, address: string, inbound: boolean) => {
      const name = peer.toString();
      if (gate.banned(name) || !gate.admitsAddress(address)) return refuse(true);
      if (inbound && (node?.getConnections(peer).length ?? 0) >= MAX_LINKS) {
        gate.strike(name, 'stream_flood');
        return refuse(true);
      }
      return refuse(!(await events.admit(name)));
    };
    const gater: ConnectionGater = {
      denyDialPeer: async (peer) => gate.banned(peer.toString()) || !(await events.admit(peer.toString())),
      // The default refuses private addresses, which a node on a LAN is made of.
      denyDialMultiaddr: (address) => !gate.admitsAddress(address.toString()),
      denyInboundConnection: (connection) => refuse(!gate.admitsAddress(connection.remoteAddr.toString())),
      denyInboundEncryptedConnection: (peer, connection) =>
        denyPeer(peer, connection.remoteAddr.toString(), true),
      denyOutboundEncryptedConnection: (peer, connection) =>
        denyPeer(peer, connection.remoteAddr.toString(), false),
      denyInboundRelayReservation: async (peer) =>
        gate.banned(peer.toString()) ||
        !(await events.admit(peer.toString())) ||
        !(await events.trusts(peer.toString(), settings.relay?.serve?.minTier ?? 'unknown')),
      denyOutboundRelayedConnection: async (source, holder) => {
        const tier = settings.relay?.serve?.unlimitedTier;
        if (node !== undefined && tier !== undefined)
          await settleLimit(node, holder, (peer) => events.trusts(peer, tier));
        return gate.banned(source.toString());
      },
      denyInboundRelayedConnection: (_relay, peer) => gate.banned(peer.toString()),
    };
    const nat = new Nat(settings);
    node = await createNode(settings, gater, () => nat.iceServers());
    const reach = new Reach(node, settings, nat, { better: (peer) => events.better(peer) });
    const host = new Host(node, reach, gate, counters, events, settings);
    await host.#listen();
    await reach.start();
    return host;
  }

  async #listen(): Promise<void> {
    const node = this.#node;
    await node.handle(
      CALL_PROTOCOL,
      (stream, connection) => this.#accept(stream, connection.remotePeer.toString()),
      {
        // The muxer's own bound lies above ours, which tells trust when a peer passes it.
        maxInboundStreams: this.#maxStreams + 32,
        maxOutboundStreams: this.#maxStreams,
        runOnLimitedConnection: true,
      },
    );
    const count = () => this.#counters.set('connections', node.getConnections().length);
    node.addEventListener('connection:open', ({ detail: connection }) => {
      count();
      // A ban may have come between the gater's question and now.
      if (this.#gate.banned(connection.remotePeer.toString()))
        connection.abort(new Error('The peer is banned.'));
    });
    node.addEventListener('connection:close', count);
    node.addEventListener('peer:connect', (event) => this.#events.peer(event.detail.toString(), true));
    node.addEventListener('peer:disconnect', (event) => this.#events.peer(event.detail.toString(), false));
    node.addEventListener('self:peer:update', () => this.#events.addresses(this.addresses()));
  }

  #accept(stream: Stream, peer: string): void {
    const count = (this.#inbound.get(peer) ?? 0) + 1;
    if (count > this.#maxStreams) {
      stream.abort(new Error('The peer has too many streams.'));
      this.#gate.strike(peer, 'stream_flood');
      return;
    }
    this.#inbound.set(peer, count);
    stream.addEventListener('close', () => {
      const left = this.#inbound.get(peer)! - 1;
      if (left > 0) this.#inbound.set(peer, left);
      else this.#inbound.delete(peer);
    });
    this.#events.stream(new StreamChannel(stream), peer);
  }

  get peer(): string {
    return this.#node.peerId.toString();
  }

  addresses(): string[] {
    return this.#node.getMultiaddrs().map((address) => address.toString());
  }

  async stop(): Promise<void> {
    await this.#reach.stop();
    await this.#node.stop();
  }

  /** Closes every link of a peer at once. */
  cut(peer: string): void {
    for (const connection of this.#node.getConnections())
      if (connection.remotePeer.toString() === peer) connection.abort(new Error('The peer was cut.'));
  }

  async dial(target: string, signal: AbortSignal): Promise<PeerLink> {
    // A wrong network key shows in nothing but silence: only the signal ends such a dial.
    return linkOf(await connect(this.#node, target, signal));
  }

  async learn(peer: string, addresses: readonly string[]): Promise<void> {
    await this.#node.peerStore.merge(peerIdFromString(peer), {
      multiaddrs: addresses.map((address) => multiaddr(address)),
    });
  }

  async disconnect(peer: string): Promise<void> {
    await this.#node.hangUp(peerIdFromString(peer));
  }

  links(): PeerLink[] {
    return this.#node.getConnections().filter(isProven).map(linkOf);
  }

  /** Where a lane to the peer may stand. A peer without a link is dialled first when this node asks. */
  async lanePath(peer: string, asking: boolean, signal: AbortSignal): Promise<LanePath | null> {
    const id = peerIdFromString(peer);
    if (asking && bestConnection(this.#node.getConnections(id)) === undefined)
      await connect(this.#node, peer, signal);
    return lanePath(this.#node.getConnections(id), asking, this.#listenOn);
  }

  nat(): Promise<NatReport> {
    return this.#reach.nat();
  }

  async openStream(peer: string, signal: AbortSignal): Promise<Channel> {
    const connection =
      bestConnection(this.#node.getConnections(peerIdFromString(peer))) ??
      (await connect(this.#node, peer, signal));
    const stream = await connection.newStream(CALL_PROTOCOL, {
      signal,
      runOnLimitedConnection: true,
      maxOutboundStreams: this.#maxStreams,
    });
    return new StreamChannel(stream);
  }

  subscribe(topic: string, limits: TopicLimits): void {
    const { pubsub } = this.#node.services;
    const buckets = new Map<string, TokenBucket>();
    pubsub.topicValidators.set(topic, async (source, message) => {
      const via = source.toString();
      this.#counters.add('gossipIn');
      let bucket = buckets.get(via);
      if (bucket === undefined) {
        bucket = new TokenBucket(limits.maxPerSecond, limits.maxPerSecond * 10, performance.now());
        buckets.set(via, bucket);
        if (buckets.size > MAX_BUCKETS) buckets.delete(buckets.keys().next().value!);
      }
      const verdict = await this.#judge(topic, via, message, limits, bucket);
      if (verdict !== 'accept') this.#counters.add('gossipRefused');
      if (verdict === 'reject') this.#gate.strike(via, 'gossip');
      return RESULT[verdict];
    });
    pubsub.subscribe(topic);
  }

  async #judge(
    topic: string,
    via: string,
    message: { readonly data: Uint8Array; readonly type: string; readonly from?: PeerId },
    limits: TopicLimits,
    bucket: TokenBucket,
  ): Promise<GossipVerdict> {
    // StrictSign leaves no unsigned message; the type says so for each.
    if (message.type !== 'signed' || message.from === undefined || message.data.length > limits.maxBytes)
      return 'reject';
    if (!bucket.take(1, performance.now()) || this.#validating >= MAX_VALIDATING) return 'ignore';
    this.#validating++;
    try {
      // Its own copy: the message's bytes are a view of what the socket gave.
      return await this.#events.gossip({
        topic,
        from: message.from.toString(),
        via,
        data: message.data.slice(),
      });
    } finally {
      this.#validating--;
    }
  }

  unsubscribe(topic: string): void {
    this.#node.services.pubsub.unsubscribe(topic);
    this.#node.services.pubsub.topicValidators.delete(topic);
  }

  async publish(topic: string, data: Uint8Array): Promise<number> {
    return (await this.#node.services.pubsub.publish(topic, data)).recipients.length;
  }

  subscribers(topic: string): string[] {
    return this.#node.services.pubsub.getSubscribers(topic).map(String);
  }

  async provide(key: Uint8Array, signal: AbortSignal): Promise<void> {
    const { dht } = this.#node.services;
    if (dht === undefined) return;
    for await (const _ of dht.provide(cidOf(key), { signal })) signal.throwIfAborted();
  }

  async unprovide(key: Uint8Array): Promise<void> {
    await this.#node.services.dht?.cancelReprovide(cidOf(key));
  }

  async *findProviders(key: Uint8Array, limit: number, signal: AbortSignal): AsyncGenerator<ProviderRecord> {
    const { dht } = this.#node.services;
    if (dht === undefined) return;
    const seen = new Set<string>([this.peer]);
    for await (const event of dht.findProviders(cidOf(key), { signal })) {
      if (event.name !== 'PROVIDER' && event.name !== 'PEER_RESPONSE') continue;
      for (const provider of event.providers) {
        const peer = provider.id.toString();
        if (seen.has(peer)) continue;
        seen.add(peer);
        yield { peer, addresses: provider.multiaddrs.slice(0, 16).map(String) };
        if (seen.size > limit) return;
      }
    }
  }
}

const RESULT = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
} as const;

function cidOf(key: Uint8Array): CID {
  return CID.createV1(RAW, Digest.create(SHA2_256, key));
}

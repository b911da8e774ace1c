/**
 * Being reached: reservations on relays are held, relayed links are made direct, streams leave the worse path, a relay
 * answers STUN and says who may relay without limits.
 *
 * @module swarm/libp2p/reach
 */
import { setMaxListeners } from 'node:events';
import type { Connection, IdentifyResult, PeerId } from '@libp2p/interface';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { type Clock, systemClock, systemRandom } from '../../base/index.ts';
import { CALL_PROTOCOL } from '../frames/format.ts';
import type { NatReport } from '../types.ts';
import type { Node, NodeSettings } from './config.ts';
import { attempt, endAttempt } from './connect.ts';
import { NO_REPORT, parseStunUrl, probeNat, stunOfRelays } from './nat.ts';
import { Observed } from './observed.ts';
import { bestConnection, isLocalAddress, isProven, pathOf, prove } from './paths.ts';
import { holdReservations } from './reservations.ts';
import type { StunServer } from './stun-server.ts';

const SIGNALING = '/webrtc-signaling/0.0.1';
/** Pauses before each try to make a relayed link direct. */
const TRIES_MS = [0, 30_000, 300_000];
/** Peers at once; the links of others stay relayed. */
const MAX_IMPROVING = 32;
const DIRECT_MS = 5000;
const WEBRTC_MS = 20_000;
/** How often it is looked whether a relayed link beside a direct one is free of calls and sessions. */
const LEAVE_MS = 2000;
/** A link over WebRTC on which nothing has come by then is closed. */
const PROOF_MS = 10_000;
const FRESH_MS = 30_000;

export interface ReachEvents {
  /** A direct link stands beside a relayed one. */
  better(peer: string): void;
}

/** Addresses that servers of STUN are asked at: those named, else the relays'. */
function stunServers({ webrtc, relay }: NodeSettings) {
  const named = webrtc ? (webrtc.stun ?? []).map(parseStunUrl).filter((one) => one !== null) : [];
  return named.length > 0 ? named : stunOfRelays(relay?.use ?? []);
}

/** This node's NAT, measured again when the last answer is older than 30 s; where no STUN tells, by what peers see. */
export class Nat {
  readonly observed = new Observed();
  readonly #settings: NodeSettings;
  readonly #end = new AbortController();
  #last: { readonly at: number; readonly report: Promise<NatReport> } | undefined;

  constructor(settings: NodeSettings) {
    this.#settings = settings;
  }

  async report(): Promise<NatReport> {
    const report = await this.#measured();
    return report.address === null ? { ...report, address: this.observed.agreed() } : report;
  }

  #measured(): Promise<NatReport> {
    const now = performance.now();
    if (this.#last !== undefined && now - this.#last.at < FRESH_MS) return this.#last.report;
    const report = probeNat(stunServers(this.#settings), systemRandom, this.#end.signal).catch(
      () => NO_REPORT,
    );
    this.#last = { at: now, report };
    return report;
  }

  /** For WebRTC, whose library asks one server alone: one that answers. None leaves the addresses of this machine. */
  async iceServers(): Promise<{ urls: string }[]> {
    const { server } = await this.report();
    return server === null ? [] : [{ urls: server }];
  }

  stop(): void {
    this.#end.abort();
  }
}

export class Reach {
  readonly #node: Node;
  readonly #settings: NodeSettings;
  readonly #events: ReachEvents;
  readonly #nat: Nat;
  readonly #clock: Clock;
  readonly #end = new AbortController();
  readonly #improving = new Set<string>();
  readonly #leaving = new Set<string>();
  #stun: StunServer | null = null;

  constructor(node: Node, settings: NodeSettings, nat: Nat, events: ReachEvents, clock: Clock = systemClock) {
    this.#node = node;
    this.#settings = settings;
    this.#nat = nat;
    this.#events = events;
    this.#clock = clock;
    // Each link that is waited for listens.
    setMaxListeners(0, this.#end.signal);
  }

  async start(): Promise<void> {
    const node = this.#node;
    node.addEventListener('connection:open', ({ detail }) => {
      if (isProven(detail)) this.#onOpen(detail);
      else this.#expectProof(detail);
    });
    node.addEventListener('connection:close', ({ detail }) => this.#onClose(detail.remotePeer));
    node.addEventListener('peer:identify', ({ detail }) => {
      if (!isProven(detail.connection)) {
        prove(detail.connection);
        this.#onOpen(detail.connection);
      }
      this.#nat.observed.onIdentify(detail);
      void this.#improve(detail);
    });
    void holdReservations(node, this.#settings.relay?.use ?? [], this.#end.signal, this.#clock);
    if (this.#settings.relay?.serve !== undefined) await this.#serveStun();
  }

  nat(): Promise<NatReport> {
    return this.#nat.report();
  }

  async stop(): Promise<void> {
    this.#end.abort();
    this.#nat.stop();
    await this.#stun?.[Symbol.asyncDispose]();
  }

  async #serveStun(): Promise<void> {
    const { StunServer } = await import('./stun-server.ts');
    const listen = this.#settings.listen?.[0] ?? '/ip4/0.0.0.0/tcp/4001';
    const [, , host, , port] = listen.split('/');
    // Where the port is another program's, the relay relays all the same.
    this.#stun = await StunServer.listen(host!, Number(port)).catch(() => null);
  }

  #relayedBeside(peer: PeerId): Connection[] {
    const all = this.#node
      .getConnections(peer)
      .filter((connection) => connection.status === 'open' && isProven(connection));
    const relayed = all.filter(({ remoteAddr }) => pathOf(remoteAddr.toString()) === 'relay');
    return relayed.length === all.length ? [] : relayed;
  }

  #expectProof(connection: Connection): void {
    this.#clock.sleep(PROOF_MS, this.#end.signal).then(
      () => {
        if (!isProven(connection)) connection.abort(new Error('Nothing came over the link.'));
      },
      () => {
        // This node ends, and its links with it.
      },
    );
  }

  #onOpen({ remotePeer }: Connection): void {
    if (this.#relayedBeside(remotePeer).length === 0) return;
    this.#events.better(remotePeer.toString());
    void this.#leaveRelay(remotePeer);
  }

  /** Closes relayed links once no call and no session runs on them. */
  async #leaveRelay(peer: PeerId): Promise<void> {
    const name = peer.toString();
    if (this.#leaving.has(name)) return;
    this.#leaving.add(name);
    try {
      for (;;) {
        await this.#clock.sleep(LEAVE_MS, this.#end.signal);
        const relayed = this.#relayedBeside(peer);
        if (relayed.length === 0) return;
        for (const connection of relayed)
          if (!connection.streams.some(({ protocol }) => protocol === CALL_PROTOCOL))
            await connection.close({ signal: AbortSignal.timeout(LEAVE_MS) });
      }
    } catch {
      // This node ends, or the link went by itself.
    } finally {
      this.#leaving.delete(name);
    }
  }

  /** Gossip keeps one stream to a peer and opens no other when the link under it ends while another stands. */
  #onClose(peer: PeerId): void {
    const left = bestConnection(this.#node.getConnections(peer));
    if (left === undefined) {
      void endAttempt(this.#node, peer.toString());
      return;
    }
    const pubsub = this.#node.services.pubsub as unknown as {
      onPeerConnected?(peer: PeerId, connection: Connection): void;
    };
    setImmediate(() => {
      if (left.status === 'open') pubsub.onPeerConnected?.(peer, left);
    });
  }

  async #improve({ connection, peerId, protocols }: IdentifyResult): Promise<void> {
    const name = peerId.toString();
    if (pathOf(connection.remoteAddr.toString()) !== 'relay') return;
    if (this.#improving.has(name) || this.#improving.size >= MAX_IMPROVING) return;
    this.#improving.add(name);
    try {
      for (const pause of TRIES_MS) {
        await this.#clock.sleep(pause, this.#end.signal);
        const open = connection.status === 'open';
        if (!open || this.#relayedBeside(peerId).length > 0) return;
        if (await this.#dialDirectly(peerId)) return;
        // One side asks, so that there are not two links: the one that dialled over the relay.
        const asks = connection.direction === 'outbound' && this.#hasWebRtc();
        if (asks && protocols.includes(SIGNALING) && (await this.#dialWebRtc(connection))) return;
      }
    } catch {
      // This node ends.
    } finally {
      this.#improving.delete(name);
    }
  }

  #hasWebRtc(): boolean {
    return this.#node.getProtocols().includes(SIGNALING);
  }

  async #dialDirectly(peer: PeerId): Promise<boolean> {
    const lan = this.#settings.network === 'lan';
    const { addresses } = await this.#node.peerStore.get(peer);
    const direct = addresses
      .map((address) => address.multiaddr)
      .filter((address) => {
        const path = pathOf(address.toString());
        return path === 'tcp' || (path === 'lan' && lan && isLocalAddress(address.toString()));
      })
      .map((address) => toPeer(address, peer));
    return direct.length > 0 && this.#dial(peer, direct, DIRECT_MS);
  }

  #dialWebRtc(relayed: Connection): Promise<boolean> {
    const [relay] = relayed.remoteAddr.toString().split('/p2p-circuit');
    return this.#dial(
      relayed.remotePeer,
      [multiaddr(`${relay}/p2p-circuit/webrtc/p2p/${relayed.remotePeer.toString()}`)],
      WEBRTC_MS,
    );
  }

  #dial(peer: PeerId, to: Multiaddr[], ms: number): Promise<boolean> {
    const signal = AbortSignal.any([AbortSignal.timeout(ms), this.#end.signal]);
    return attempt(this.#node, peer.toString(), to, signal);
  }
}

function toPeer(address: Multiaddr, peer: PeerId): Multiaddr {
  const end = `/p2p/${peer.toString()}`;
  return address.toString().endsWith(end) ? address : address.encapsulate(end);
}

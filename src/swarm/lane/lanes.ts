/**
 * Lanes: plain TLS 1.3 sockets to peers that a direct TCP link stands to, which end in the node thread. Each carries what a
 * stream would: the calls of the side that opened it, or one session. A lane needs the link it came from and ends with it.
 *
 * @module swarm/lane/lanes
 */
import type { TLSSocket } from 'node:tls';
import type { CborMap, Clock, Random } from '../../base/index.ts';
import type { Counters } from '../gate/counters.ts';
import { type Ledger, sharedMonotonic } from '../gate/ledger.ts';
import type { MeterSettings } from '../gate/meter.ts';
import type { Channel } from '../rpc/channel.ts';
import { Endpoint } from '../rpc/endpoint.ts';
import type { StreamContext, StreamLimits } from '../rpc/framed-stream.ts';
import type { Acceptor } from '../rpc/inbound.ts';
import type { IncomingCall, Misbehaviour, ReplyInit } from '../types.ts';
import { answerOf, offerOf, readAnswer, readOffer, refused } from './agreement.ts';
import { createLaneIdentity, type LaneIdentity } from './certificate.ts';
import { LaneGate } from './lane-gate.ts';
import { LaneListener } from './listener.ts';
import { Rest } from './rest.ts';
import { dialLane } from './secure.ts';
import { SocketChannel } from './socket-channel.ts';

/** Lanes with one peer, both sides' together, and with all. */
const MAX_PER_PEER = 32;
const MAX_LANES = 512;
/** Time for agreeing and connecting; then the stream serves. */
export const LANE_MS = 2500;
const SWEEP_MS = 15_000;

/** The direct link of a peer, as the swarm thread knows it. */
export interface LaneLink {
  /** IP addresses where its TCP links end, best first. */
  readonly addresses: readonly string[];
  /** The peer's place in the ledger, pinned once for this answer. */
  readonly place: number;
  /** Address of this machine to listen on; null without one. */
  readonly listen: string | null;
}

export interface LanesOptions {
  /** Fixed TCP port to listen on, 0 for any free one. */
  readonly port: number;
  readonly settings: MeterSettings;
  readonly limits: StreamLimits;
  readonly counters: Counters;
  readonly acceptor: Acceptor;
  readonly clock: Clock;
  readonly random: Random;
  /** `asking`: this node wants to connect. Null without a link that a lane can stand beside. */
  link(peer: string, asking: boolean, signal: AbortSignal | undefined): Promise<LaneLink | null>;
  unpin(peer: string, pins: number): void;
  /** One call of the lane method over the link. */
  agree(peer: string, metadata: CborMap, signal: AbortSignal): Promise<CborMap>;
  admits(peer: string): Promise<boolean>;
  misbehaved(peer: string, kind: Misbehaviour): void;
}

/** What holds for one life of the swarm thread. */
interface Life {
  readonly gate: LaneGate;
  readonly context: StreamContext;
  readonly endpoint: Endpoint;
}

export class Lanes {
  readonly #options: LanesOptions;
  readonly #lanes = new Map<string, Set<TLSSocket>>();
  readonly #opening = new Map<string, Set<AbortController>>();
  readonly #rest: Rest;
  readonly #listener: LaneListener;
  readonly #sweeping: NodeJS.Timeout;
  #identity: LaneIdentity | undefined;
  #life: Life | undefined;
  #total = 0;

  constructor(options: LanesOptions) {
    this.#options = options;
    const { clock, counters, port, random } = options;
    this.#rest = new Rest(clock);
    this.#listener = new LaneListener({
      identity: () => this.#own(),
      port,
      random,
      now: () => clock.monotonic(),
      refusedOne: () => counters.add('lanesRefused'),
    });
    this.#sweeping = setInterval(() => this.#sweep(), SWEEP_MS);
    this.#sweeping.unref();
  }

  /** A new swarm thread counts in this ledger. */
  born(ledger: Ledger): void {
    const { settings, counters, limits, acceptor, clock } = this.#options;
    const gate = new LaneGate({
      ledger,
      settings,
      counters,
      now: sharedMonotonic,
      misbehaved: (peer, kind) => this.#options.misbehaved(peer, kind),
      unpin: (peer, pins) => this.#options.unpin(peer, pins),
    });
    const context = { gate, counters, limits };
    const openStream = (peer: string, signal: AbortSignal) => this.#open(peer, signal);
    this.#life = {
      gate,
      context,
      endpoint: new Endpoint({ ...context, acceptor, clock, again: false, openStream }),
    };
  }

  /** The thread is gone, and with it the links that lanes stand on. */
  died(): void {
    for (const peer of new Set([...this.#lanes.keys(), ...this.#opening.keys()])) this.cut(peer);
    this.#listener.close();
    this.#life = undefined;
  }

  close(): void {
    clearInterval(this.#sweeping);
    this.died();
  }

  /** Ends the peer's lanes at once, those on their way too. */
  cut(peer: string): void {
    this.#listener.forget(peer);
    this.#rest.forget(peer);
    for (const opening of this.#opening.get(peer) ?? []) opening.abort();
    for (const socket of this.#lanes.get(peer) ?? []) socket.destroy();
  }

  /** Lanes that stand. */
  count(peer: string): number {
    return this.#lanes.get(peer)?.size ?? 0;
  }

  /** What carries calls to the peer over a lane that stands; null without one. */
  forCalls(peer: string): Endpoint | null {
    const endpoint = this.#life?.endpoint;
    return endpoint?.standing(peer) ? endpoint : null;
  }

  /** A call went over a stream. Where a lane would be worth its opening, one is opened for later calls. */
  called(peer: string, bytes: number): void {
    if (this.#life === undefined || !this.#rest.busy(peer, bytes) || this.#rest.rests(peer)) return;
    this.#life.endpoint.warm(peer);
  }

  /** A lane for one session and what its frames need; null when the session is better off with a stream. */
  async forSession(
    peer: string,
    signal: AbortSignal,
  ): Promise<{ readonly channel: Channel; readonly context: StreamContext } | null> {
    const life = this.#life;
    if (life === undefined || this.#rest.rests(peer)) return null;
    try {
      return { channel: await this.#open(peer, signal), context: life.context };
    } catch {
      // Why a lane is not there is nothing that the session's caller can act on.
      return null;
    }
  }

  /** Answers the lane method. */
  async answer({ peer, metadata, signal }: IncomingCall): Promise<ReplyInit> {
    const fingerprint = readOffer(metadata);
    const life = this.#life;
    if (life === undefined || this.#full(peer)) throw refused('too many are open');
    if (!(await this.#options.admits(peer))) throw refused('the caller is below the tier that connects', 403);
    const link = await this.#options.link(peer, false, signal);
    if (link === null) throw refused('no direct link over TCP joins them');
    life.gate.enter(peer, link.place);
    let arrived = false;
    const gone = () => {
      if (!arrived) life.gate.leave(peer);
    };
    if (link.listen === null) {
      gone();
      throw refused('the other one listens to nobody');
    }
    try {
      const given = await this.#listener.expect(link.listen, {
        peer,
        addresses: link.addresses,
        fingerprint,
        arrived: (socket) => {
          arrived = true;
          if (life !== this.#life) socket.destroy();
          life.endpoint.accept(this.#adopt(life, peer, socket, 'in'), peer);
        },
        missed: gone,
      });
      return { metadata: answerOf({ fingerprint: this.#own().fingerprint, ...given }) };
    } catch (error) {
      gone();
      throw error;
    }
  }

  #own(): LaneIdentity {
    this.#identity ??= createLaneIdentity();
    return this.#identity;
  }

  #full(peer: string): boolean {
    const own = this.count(peer) + this.#listener.expected(peer) + (this.#opening.get(peer)?.size ?? 0);
    return own >= MAX_PER_PEER || this.#total >= MAX_LANES;
  }

  async #open(peer: string, signal: AbortSignal): Promise<Channel> {
    const life = this.#life;
    if (life === undefined || this.#full(peer)) throw refused('too many are open');
    const left = new AbortController();
    const under = this.#opening.get(peer) ?? new Set();
    this.#opening.set(peer, under.add(left));
    let entered = false;
    try {
      // To dial the peer, where nothing stands, takes as long as it takes: the stream would need the link too.
      const link = await this.#options.link(peer, true, AbortSignal.any([signal, left.signal]));
      if (link === null) throw refused('no direct link over TCP joins them');
      life.gate.enter(peer, link.place);
      entered = true;
      const inTime = AbortSignal.any([signal, left.signal, AbortSignal.timeout(LANE_MS)]);
      const own = this.#own();
      const terms = readAnswer(await this.#options.agree(peer, offerOf(own.fingerprint), inTime));
      const socket = await dialLane(link.addresses[0]!, terms, own, inTime);
      if (left.signal.aborted || life !== this.#life) {
        socket.destroy();
        throw refused('the link ended');
      }
      this.#rest.forget(peer);
      return this.#adopt(life, peer, socket, 'out');
    } catch (error) {
      if (entered) {
        life.gate.leave(peer);
        // Whoever gave up says nothing about the way.
        if (!signal.aborted && !left.signal.aborted) this.#rest.failed(peer);
      }
      throw error;
    } finally {
      under.delete(left);
      if (under.size === 0) this.#opening.delete(peer);
    }
  }

  #adopt(life: Life, peer: string, socket: TLSSocket, direction: 'in' | 'out'): Channel {
    const own = this.#lanes.get(peer) ?? new Set();
    this.#lanes.set(peer, own.add(socket));
    this.#total++;
    this.#options.counters.add(direction === 'in' ? 'lanesIn' : 'lanesOut');
    const channel = new SocketChannel(socket, direction);
    socket.once('close', () => {
      this.#total--;
      own.delete(socket);
      if (own.size === 0 && this.#lanes.get(peer) === own) this.#lanes.delete(peer);
      // After the frames have let go of what they held.
      setImmediate(() => life.gate.leave(peer));
    });
    return channel;
  }

  #sweep(): void {
    this.#life?.endpoint.sweep();
    this.#life?.gate.sweep();
    for (const peer of this.#lanes.keys())
      void this.#options.admits(peer).then((admitted) => {
        if (!admitted) this.cut(peer);
      });
  }
}

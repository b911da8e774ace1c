/**
 * Who may connect and how much a peer may ask: bans, strikes, token buckets, bytes in flight, sessions at once. Lives in
 * the swarm thread and knows peers by their authenticated PeerId only.
 *
 * @module swarm/gate/gate
 */
import type { Clock } from '../../base/index.ts';
import type { Ban, GateOptions, Misbehaviour } from '../types.ts';
import { AddressRules } from './addresses.ts';
import { TokenBucket } from './bucket.ts';
import { ByteBudget } from './budget.ts';
import type { Counters } from './counters.ts';

const MIB = 1024 * 1024;
const STRIKE_MS = 10 * 60_000;
/** How long a peer that was struck out is refused, unless the owner bans it for longer. */
export const STRIKE_OUT_MS = 60_000;
/** Peers with a state of their own here; the ones idle longest go first. */
const MAX_PEERS = 4096;

/** The options of a gate that cross to the swarm thread. */
export type GateSettings = Omit<GateOptions, 'tierOf' | 'minTier'>;

interface PeerState {
  readonly requests: TokenBucket;
  readonly bytes: TokenBucket;
  sessions: number;
  strikes: number[];
}

export interface GateEvents {
  /** The peer did something that trust should know of; when it was one too many, until when it is refused (ms). */
  misbehaved(peer: string, kind: Misbehaviour, bannedUntil: number | null): void;
  /** The peer is to be cut now. */
  cut(peer: string): void;
}

export class Gate {
  readonly budget: ByteBudget;
  readonly #addresses: AddressRules;
  readonly #settings: GateSettings;
  readonly #clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly #counters: Counters;
  readonly #events: GateEvents;
  readonly #bans = new Map<string, number | null>();
  readonly #peers = new Map<string, PeerState>();

  constructor(
    settings: GateSettings,
    clock: Pick<Clock, 'now' | 'monotonic'>,
    counters: Counters,
    events: GateEvents,
  ) {
    this.#settings = settings;
    this.#clock = clock;
    this.#counters = counters;
    this.#events = events;
    this.#addresses = new AddressRules(settings.allowAddresses ?? [], settings.denyAddresses ?? []);
    this.budget = new ByteBudget(settings.maxBytesInFlight ?? 256 * MIB, (held) =>
      counters.set('bytesInFlight', held),
    );
    for (const ban of settings.bans ?? []) this.#bans.set(ban.peer, ban.until);
  }

  ban(peer: string, until: number | null): void {
    this.#bans.set(peer, until);
    this.#events.cut(peer);
  }

  unban(peer: string): void {
    this.#bans.delete(peer);
  }

  bans(): Ban[] {
    const now = this.#clock.now();
    return [...this.#bans]
      .filter(([, until]) => until === null || until > now)
      .map(([peer, until]) => ({ peer, until }));
  }

  banned(peer: string): boolean {
    const until = this.#bans.get(peer);
    if (until === undefined) return false;
    if (until === null || until > this.#clock.now()) return true;
    this.#bans.delete(peer);
    return false;
  }

  admitsAddress(multiaddr: string): boolean {
    return this.#addresses.admits(multiaddr);
  }

  /** 0 when the peer may ask now, else the ms until it may. */
  request(peer: string): number {
    const now = this.#clock.monotonic();
    const bucket = this.#of(peer).requests;
    if (bucket.take(1, now)) return 0;
    this.#counters.add('refusedRequests');
    return Math.max(1, bucket.wait(1, now));
  }

  /** Ms for which the peer's bytes should not be read, 0 for none. */
  bytes(peer: string, count: number): number {
    return this.#of(peer).bytes.spend(count, this.#clock.monotonic());
  }

  openSession(peer: string): boolean {
    const state = this.#of(peer);
    if (state.sessions >= (this.#settings.maxSessionsPerPeer ?? 32)) return false;
    state.sessions++;
    return true;
  }

  closeSession(peer: string): void {
    const state = this.#peers.get(peer);
    if (state !== undefined && state.sessions > 0) state.sessions--;
  }

  /** Counts a misbehaviour; the peer that has too many is cut and refused for a while. */
  strike(peer: string, kind: Misbehaviour): void {
    this.#counters.add('misbehaviours');
    const now = this.#clock.monotonic();
    const state = this.#of(peer);
    state.strikes = state.strikes.filter((at) => now - at < STRIKE_MS);
    state.strikes.push(now);
    if (state.strikes.length < (this.#settings.strikes ?? 3)) {
      this.#events.misbehaved(peer, kind, null);
      return;
    }
    state.strikes = [];
    const until = this.#clock.now() + STRIKE_OUT_MS;
    const standing = this.#bans.get(peer);
    const longer = standing !== null && (standing === undefined || standing < until);
    if (longer) this.#bans.set(peer, until);
    this.#events.misbehaved(peer, kind, longer ? until : null);
    this.#events.cut(peer);
  }

  #of(peer: string): PeerState {
    const known = this.#peers.get(peer);
    if (known !== undefined) {
      // Last in the map's order is last used.
      this.#peers.delete(peer);
      this.#peers.set(peer, known);
      return known;
    }
    const now = this.#clock.monotonic();
    const { requestsPerSecond = 500, bytesPerSecond = 256 * MIB } = this.#settings;
    const state: PeerState = {
      requests: new TokenBucket(requestsPerSecond, this.#settings.requestBurst ?? 4 * requestsPerSecond, now),
      bytes: new TokenBucket(bytesPerSecond, this.#settings.byteBurst ?? 2 * bytesPerSecond, now),
      sessions: 0,
      strikes: [],
    };
    this.#peers.set(peer, state);
    if (this.#peers.size > MAX_PEERS) this.#forgetOne();
    return state;
  }

  #forgetOne(): void {
    for (const [peer, state] of this.#peers) {
      if (state.sessions > 0) continue;
      this.#peers.delete(peer);
      return;
    }
  }
}

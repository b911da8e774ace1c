/**
 * Who may connect and how much a peer may ask: bans, strikes, token buckets, bytes in flight, sessions at once. Lives in
 * the swarm thread and knows peers by their authenticated PeerId only. What peers use is counted in the ledger, where lanes
 * in the node thread count it too.
 *
 * @module swarm/gate/gate
 */
import type { Clock } from '../../base/index.ts';
import type { Ban, GateOptions, Misbehaviour } from '../types.ts';
import { AddressRules } from './addresses.ts';
import type { Counters } from './counters.ts';
import { Ledger } from './ledger.ts';
import { type ByteBudget, Meter } from './meter.ts';

const STRIKE_MS = 10 * 60_000;
/** How long a peer that was struck out is refused, unless the owner bans it for longer. */
export const STRIKE_OUT_MS = 60_000;
/** Peers with a state of their own here; the ones idle longest go first. */
export const MAX_PEERS = 4096;

/** What streams of calls ask of a gate. */
export interface StreamGate {
  readonly budget: ByteBudget;
  /** 0 when the peer may ask now, else the ms until it may. */
  request(peer: string): number;
  /** Ms for which the peer's bytes should not be read, 0 for none. */
  bytes(peer: string, count: number): number;
  openSession(peer: string): boolean;
  closeSession(peer: string): void;
  /** Counts a misbehaviour. */
  strike(peer: string, kind: Misbehaviour): void;
}

/** The options of a gate that cross to the swarm thread. */
export type GateSettings = Omit<GateOptions, 'tierOf' | 'minTier'>;

interface PeerState {
  /** In the ledger. */
  readonly place: number;
  /** Lanes of the peer, which count in the place too. */
  pins: number;
  strikes: number[];
}

export interface GateEvents {
  /** The peer did something that trust should know of; when it was one too many, until when it is refused (ms). */
  misbehaved(peer: string, kind: Misbehaviour, bannedUntil: number | null): void;
  /** The peer is to be cut now. */
  cut(peer: string): void;
}

export class Gate implements StreamGate {
  readonly budget: Meter;
  readonly #addresses: AddressRules;
  readonly #settings: GateSettings;
  readonly #ledger: Ledger;
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
    ledger = new Ledger(MAX_PEERS),
  ) {
    this.#settings = settings;
    this.#ledger = ledger;
    this.#clock = clock;
    this.#counters = counters;
    this.#events = events;
    this.#addresses = new AddressRules(settings.allowAddresses ?? [], settings.denyAddresses ?? []);
    this.budget = new Meter({
      ledger,
      settings,
      now: () => clock.monotonic(),
      placeOf: (peer, make) => (make ? this.#of(peer) : this.#peers.get(peer))?.place,
    });
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

  request(peer: string): number {
    const wait = this.budget.request(peer);
    if (wait > 0) this.#counters.add('refusedRequests');
    return wait;
  }

  bytes(peer: string, count: number): number {
    return this.budget.spend(peer, count);
  }

  openSession(peer: string): boolean {
    return this.budget.openSession(peer);
  }

  closeSession(peer: string): void {
    this.budget.closeSession(peer);
  }

  /** The peer's place in the ledger, its own until it was unpinned as often. */
  pin(peer: string): number {
    const state = this.#of(peer);
    state.pins++;
    return state.place;
  }

  unpin(peer: string): void {
    const state = this.#peers.get(peer);
    if (state !== undefined && state.pins > 0) state.pins--;
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
    const state: PeerState = { place: this.#freePlace(), pins: 0, strikes: [] };
    this.#ledger.clear(state.place);
    this.#peers.set(peer, state);
    return state;
  }

  #freePlace(): number {
    if (this.#peers.size < this.#ledger.places) return this.#peers.size + 1;
    for (const [peer, { place, pins }] of this.#peers) {
      if (pins > 0 || this.#ledger.sessions(place) > 0 || this.#ledger.held(place) > 0) continue;
      this.#peers.delete(peer);
      return place;
    }
    // More peers than any bound of connections allows are at work: the one idle longest counts anew.
    const [peer, { place }] = this.#peers.entries().next().value!;
    this.#peers.delete(peer);
    return place;
  }
}

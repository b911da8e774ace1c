/**
 * The gate of lanes, in the node thread: the swarm thread's bounds over the ledger that both share. Strikes and bans are the
 * swarm thread's, which is told.
 *
 * @module swarm/lane/lane-gate
 */
import type { Counters } from '../gate/counters.ts';
import type { StreamGate } from '../gate/gate.ts';
import type { Ledger } from '../gate/ledger.ts';
import { Meter, type MeterSettings } from '../gate/meter.ts';
import type { Misbehaviour } from '../types.ts';

export interface LaneGateOptions {
  readonly ledger: Ledger;
  readonly settings: MeterSettings;
  readonly counters: Counters;
  /** Ms on the clock that both threads read. */
  now(): number;
  misbehaved(peer: string, kind: Misbehaviour): void;
  /** The peer's place may be given to another, as far as so many pins kept it. */
  unpin(peer: string, pins: number): void;
}

interface Pinned {
  readonly place: number;
  pins: number;
  lanes: number;
}

export class LaneGate implements StreamGate {
  readonly budget: Meter;
  readonly #options: LaneGateOptions;
  readonly #peers = new Map<string, Pinned>();

  constructor(options: LaneGateOptions) {
    this.#options = options;
    const { ledger, settings, now } = options;
    this.budget = new Meter({ ledger, settings, now, placeOf: (peer) => this.#peers.get(peer)?.place });
  }

  /** A lane of the peer begins; the swarm thread has pinned its place once for it. */
  enter(peer: string, place: number): void {
    const known = this.#peers.get(peer);
    if (known === undefined) this.#peers.set(peer, { place, pins: 1, lanes: 1 });
    else {
      known.pins++;
      known.lanes++;
    }
  }

  /** It ended. What its calls hold is let go of when they are answered: until then the place stays. */
  leave(peer: string): void {
    const pinned = this.#peers.get(peer);
    if (pinned === undefined) return;
    pinned.lanes--;
    this.#letGo(peer, pinned);
  }

  /** Gives back the places that nothing of a lane counts in any more. */
  sweep(): void {
    for (const [peer, pinned] of this.#peers) this.#letGo(peer, pinned);
  }

  #letGo(peer: string, { place, pins, lanes }: Pinned): void {
    const { ledger } = this.#options;
    if (lanes > 0 || ledger.held(place) > 0 || ledger.sessions(place) > 0) return;
    this.#peers.delete(peer);
    this.#options.unpin(peer, pins);
  }

  request(peer: string): number {
    const wait = this.budget.request(peer);
    if (wait > 0) this.#options.counters.add('refusedRequests');
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

  strike(peer: string, kind: Misbehaviour): void {
    this.#options.misbehaved(peer, kind);
  }
}

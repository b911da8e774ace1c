/**
 * What one peer may ask, send, hold and open, counted in the ledger that both threads share.
 *
 * @module swarm/gate/meter
 */
import type { GateOptions } from '../types.ts';
import type { Ledger, Rate } from './ledger.ts';

const MIB = 1024 * 1024;
/** The ledger's place for all peers together. */
const ALL = 0;

/** Bytes in flight: payloads that came from peers and wait for whoever asked or answers. One peer may hold a quarter. */
export interface ByteBudget {
  /** False, and nothing is taken, when the peer's share or the whole would be passed. */
  reserve(peer: string, bytes: number): boolean;
  release(peer: string, bytes: number): void;
}

/** The options that bound one peer. */
export type MeterSettings = Pick<
  GateOptions,
  | 'requestsPerSecond'
  | 'requestBurst'
  | 'bytesPerSecond'
  | 'byteBurst'
  | 'maxBytesInFlight'
  | 'maxSessionsPerPeer'
>;

export interface MeterInit {
  readonly ledger: Ledger;
  readonly settings: MeterSettings;
  /** Ms on a clock that all who share the ledger read. */
  now(): number;
  /** The peer's place in the ledger; `make` gives one to who has none. */
  placeOf(peer: string, make: boolean): number | undefined;
}

export class Meter implements ByteBudget {
  readonly #init: MeterInit;
  readonly #requests: Rate;
  readonly #bytes: Rate;
  readonly #limit: number;
  readonly #share: number;
  readonly #maxSessions: number;

  constructor(init: MeterInit) {
    this.#init = init;
    const { settings } = init;
    const { requestsPerSecond = 500, bytesPerSecond = 256 * MIB } = settings;
    this.#requests = {
      perSecond: requestsPerSecond,
      burst: settings.requestBurst ?? 4 * requestsPerSecond,
    };
    this.#bytes = { perSecond: bytesPerSecond, burst: settings.byteBurst ?? 2 * bytesPerSecond };
    this.#limit = settings.maxBytesInFlight ?? 256 * MIB;
    this.#share = Math.floor(this.#limit / 4);
    this.#maxSessions = settings.maxSessionsPerPeer ?? 32;
  }

  /** 0 when the peer may ask now, else the ms until it may. */
  request(peer: string): number {
    const { ledger, now, placeOf } = this.#init;
    return ledger.request(placeOf(peer, true)!, this.#requests, now());
  }

  /** Ms for which the peer's bytes should not be read, 0 for none. */
  spend(peer: string, count: number): number {
    const { ledger, now, placeOf } = this.#init;
    return ledger.spend(placeOf(peer, true)!, count, this.#bytes, now());
  }

  reserve(peer: string, bytes: number): boolean {
    if (bytes === 0) return true;
    const { ledger, placeOf } = this.#init;
    const place = placeOf(peer, true)!;
    if (!ledger.hold(place, bytes, this.#share)) return false;
    if (ledger.hold(ALL, bytes, this.#limit)) return true;
    ledger.letGo(place, bytes);
    return false;
  }

  release(peer: string, bytes: number): void {
    if (bytes === 0) return;
    const { ledger, placeOf } = this.#init;
    ledger.letGo(ALL, bytes);
    const place = placeOf(peer, false);
    if (place !== undefined) ledger.letGo(place, bytes);
  }

  /** Bytes that all peers hold. */
  get held(): number {
    return this.#init.ledger.held(ALL);
  }

  heldBy(peer: string): number {
    const place = this.#init.placeOf(peer, false);
    return place === undefined ? 0 : this.#init.ledger.held(place);
  }

  openSession(peer: string): boolean {
    return this.#init.ledger.openSession(this.#init.placeOf(peer, true)!, this.#maxSessions);
  }

  closeSession(peer: string): void {
    const place = this.#init.placeOf(peer, false);
    if (place !== undefined) this.#init.ledger.closeSession(place);
  }
}

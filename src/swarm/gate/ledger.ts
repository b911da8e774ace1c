/**
 * What peers have used, as numbers in memory that the node thread and the swarm thread share: a peer's budget is one,
 * whichever thread its bytes come through. Every change is atomic; there is no lock that a dying thread could keep.
 *
 * A place holds four numbers: two rates, each as the time (ns) until which what was taken is paid for; bytes that are held;
 * sessions that are open. Place 0 is all peers together.
 *
 * @module swarm/gate/ledger
 */

const FIELDS = 4;
const REQUESTS = 0;
const BYTES = 1;
const HELD = 2;
const SESSIONS = 3;
const NS = 1e9;

/** So many a second, and at most so many at once. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

export class Ledger {
  readonly buffer: SharedArrayBuffer;
  readonly places: number;
  readonly #numbers: BigInt64Array;

  constructor(given: number | SharedArrayBuffer) {
    this.buffer = typeof given === 'number' ? new SharedArrayBuffer((given + 1) * FIELDS * 8) : given;
    this.#numbers = new BigInt64Array(this.buffer);
    this.places = this.#numbers.length / FIELDS - 1;
  }

  /** For another peer. */
  clear(place: number): void {
    for (let field = 0; field < FIELDS; field++) Atomics.store(this.#numbers, place * FIELDS + field, 0n);
  }

  /** Ms until a request is allowed; 0 when it is, and then it is counted. `now` in ms, the same clock in both threads. */
  request(place: number, rate: Rate, now: number): number {
    return this.#pay(place * FIELDS + REQUESTS, 1, rate, now, false);
  }

  /** Counts bytes; ms until they are paid for, 0 when they are. */
  spend(place: number, bytes: number, rate: Rate, now: number): number {
    return this.#pay(place * FIELDS + BYTES, bytes, rate, now, true);
  }

  #pay(at: number, count: number, { perSecond, burst }: Rate, now: number, always: boolean): number {
    const numbers = this.#numbers;
    const nowNs = Math.round(now * 1e6);
    for (;;) {
      const paid = Atomics.load(numbers, at);
      const until = Math.max(Number(paid), nowNs) + Math.round((count / perSecond) * NS);
      const wait = until - nowNs - Math.round((burst / perSecond) * NS);
      if (wait > 0 && !always) return wait / 1e6;
      if (Atomics.compareExchange(numbers, at, paid, BigInt(until)) === paid) return Math.max(0, wait) / 1e6;
    }
  }

  held(place: number): number {
    return Number(Atomics.load(this.#numbers, place * FIELDS + HELD));
  }

  /** Takes bytes unless the sum would pass the limit. */
  hold(place: number, bytes: number, limit: number): boolean {
    return this.#raise(place * FIELDS + HELD, bytes, limit);
  }

  letGo(place: number, bytes: number): void {
    this.#lower(place * FIELDS + HELD, bytes);
  }

  sessions(place: number): number {
    return Number(Atomics.load(this.#numbers, place * FIELDS + SESSIONS));
  }

  openSession(place: number, limit: number): boolean {
    return this.#raise(place * FIELDS + SESSIONS, 1, limit);
  }

  closeSession(place: number): void {
    this.#lower(place * FIELDS + SESSIONS, 1);
  }

  #raise(at: number, by: number, limit: number): boolean {
    for (;;) {
      const was = Atomics.load(this.#numbers, at);
      const sum = Number(was) + by;
      if (sum > limit) return false;
      if (Atomics.compareExchange(this.#numbers, at, was, BigInt(sum)) === was) return true;
    }
  }

  /** Not below zero: the place may have been given to another peer since it was raised. */
  #lower(at: number, by: number): void {
    for (;;) {
      const was = Atomics.load(this.#numbers, at);
      const left = Math.max(0, Number(was) - by);
      if (Atomics.compareExchange(this.#numbers, at, was, BigInt(left)) === was) return;
    }
  }
}

/** Ms on a clock that is the same in all threads of the process, which `performance.now()` is not. */
export function sharedMonotonic(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}

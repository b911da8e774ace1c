/**
 * Stops asking a backend that fails, and finds out with one call at a time when it has recovered.
 *
 * ```
 * closed ──5 failures in a row──▶ open ──60 s──▶ half_open ──3 successes──▶ closed
 *                                  ▲                │
 *                                  └────a failure───┘
 * ```
 *
 * Whoever asks the backend takes a ticket first and settles it once. A ticket from before the last change of state is
 * settled without effect: a call that began while all was well says nothing about the recovery.
 *
 * @module gateway/resilience/breaker
 */

export interface BreakerOptions {
  /** Failed calls in a row that open it. @default 5 */
  readonly failures?: number;
  /** ms it stays open. @default 60_000 */
  readonly openMs?: number;
  /** Successes in a row that close it again. @default 3 */
  readonly successes?: number;
  /** Monotonic ms. */
  readonly now: () => number;
  readonly onChange?: (state: BreakerState) => void;
}

export type BreakerState = 'closed' | 'open' | 'half_open';

/** A call that was let through; opaque. 0 is none. */
export type BreakerTicket = number;

export interface Breaker {
  /** As of now: an open breaker whose time is over reads `half_open`. */
  readonly state: BreakerState;
  /** Failures in a row while closed; those that opened it while not. */
  readonly failures: number;
  /** Successes in a row since it was half open. */
  readonly successes: number;
  /** ms until it lets a call through to try; 0 when it would let one through now, or a trial is under way. */
  readonly waitMs: number;
  /** True when `admit` would give a ticket. */
  readonly admits: boolean;
  /** A ticket, or 0 when the call must not be made. */
  admit(): BreakerTicket;
  /** `neutral`: the call says nothing about the backend (its caller left, the request was at fault). */
  settle(ticket: BreakerTicket, outcome: 'success' | 'failure' | 'neutral'): void;
  /** Closes it by hand. */
  reset(): void;
}

export function createBreaker(options: BreakerOptions): Breaker {
  const { failures: limit = 5, openMs = 60_000, successes: needed = 3, now, onChange } = options;
  let state: BreakerState = 'closed';
  let failures = 0;
  let successes = 0;
  let openedAt = 0;
  let trial = false;
  /** Names the current stay in a state; a ticket is the number of the stay it was given in. */
  let stay = 1;

  function enter(next: BreakerState): void {
    state = next;
    stay++;
    trial = false;
    successes = 0;
    if (next === 'open') openedAt = now();
    if (next === 'closed') failures = 0;
    onChange?.(next);
  }

  const due = (): boolean => state === 'open' && now() - openedAt >= openMs;

  return {
    get state() {
      return due() ? 'half_open' : state;
    },
    get failures() {
      return failures;
    },
    get successes() {
      return successes;
    },
    get waitMs() {
      return state === 'open' ? Math.max(0, openedAt + openMs - now()) : 0;
    },
    get admits() {
      return state === 'closed' || due() || (state === 'half_open' && !trial);
    },
    admit() {
      if (state === 'closed') return stay;
      if (due()) enter('half_open');
      if (state === 'open' || trial) return 0;
      trial = true;
      return stay;
    },
    settle(ticket, outcome) {
      if (ticket !== stay) return;
      if (state === 'closed') {
        if (outcome === 'success') failures = 0;
        else if (outcome === 'failure' && ++failures >= limit) enter('open');
      } else {
        trial = false;
        if (outcome === 'failure') enter('open');
        else if (outcome === 'success' && ++successes >= needed) enter('closed');
      }
    },
    reset() {
      enter('closed');
    },
  };
}

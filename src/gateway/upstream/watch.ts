/**
 * The five time limits of one request on one timer.
 *
 * A token comes every few ms, so nothing is armed per token: the timer is set for the nearest moment at which a limit
 * could have passed, and looks then whether one has. Time in which the caller does not read is not the server's.
 *
 * @module gateway/upstream/watch
 */
import type { FailureClass } from './errors.ts';
import type { UpstreamLimits } from './limits.ts';

export type TimeLimits = Pick<
  UpstreamLimits,
  'connectMs' | 'headersMs' | 'firstTokenMs' | 'interTokenMs' | 'totalMs'
>;

type Phase = 'connect' | 'headers' | 'first_token' | 'inter_token' | 'body' | 'ending' | 'over';

export interface Passed {
  readonly failure: Extract<FailureClass, `timeout_${string}`>;
  readonly limit: keyof TimeLimits;
  readonly ms: number;
}

/** A whole answer does not wait longer than this for its figures. */
const endingMs = 2000;
const MAX_TIMER_MS = 2_147_483_647;

export class Watch {
  readonly #limits: TimeLimits;
  readonly #now: () => number;
  readonly #onPassed: (passed: Passed) => void;
  readonly #startedAt: number;
  #phase: Phase = 'connect';
  #phaseAt: number;
  /** ms waited since the last token, before `#waitingSince`. */
  #waited = 0;
  #waitingSince: number | null = null;
  #timer: NodeJS.Timeout | null = null;

  /**
   * @param startedAt when the whole request began, which may be before this try of it
   * @param now monotonic ms
   */
  constructor(limits: TimeLimits, startedAt: number, now: () => number, onPassed: (passed: Passed) => void) {
    this.#limits = limits;
    this.#now = now;
    this.#onPassed = onPassed;
    this.#startedAt = startedAt;
    this.#phaseAt = now();
    this.#arm();
  }

  /** `body`: bytes count as tokens do. `ending`: all tokens are here, only figures and the end may follow. */
  enter(phase: Phase): void {
    if (this.#phase === 'over') return;
    this.#phase = phase;
    this.#phaseAt = this.#now();
    this.#waited = 0;
    if (this.#waitingSince !== null) this.#waitingSince = this.#phaseAt;
    this.#arm();
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** A token came. */
  token(): void {
    if (this.#phase === 'inter_token') this.#waited = 0;
    else if (this.#phase === 'first_token') this.enter('inter_token');
  }

  waiting(): void {
    this.#waitingSince = this.#now();
  }

  served(): void {
    if (this.#waitingSince === null) return;
    this.#waited = this.#phase === 'body' ? 0 : this.#waited + this.#now() - this.#waitingSince;
    this.#waitingSince = null;
  }

  stop(): void {
    this.#phase = 'over';
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** The limits that hold now, and the ms left of each. */
  #left(now: number): { readonly passed: Passed; readonly left: number }[] {
    const list: { passed: Passed; left: number }[] = [];
    const add = (failure: Passed['failure'], limit: keyof TimeLimits, spent: number) => {
      const ms = this.#limits[limit];
      if (ms !== null) list.push({ passed: { failure, limit, ms }, left: ms - spent });
    };
    const phase = this.#phase;
    if (phase === 'connect') add('timeout_connect', 'connectMs', now - this.#phaseAt);
    if (phase === 'headers') add('timeout_headers', 'headersMs', now - this.#phaseAt);
    const starting = phase === 'connect' || phase === 'headers' || phase === 'first_token';
    if (starting) {
      // What lies here unread may hold the first token: it is the caller who keeps it waiting then.
      const unread = phase === 'first_token' && this.#waitingSince === null;
      const spent = now - this.#startedAt;
      const ms = this.#limits.firstTokenMs ?? 0;
      add('timeout_first_token', 'firstTokenMs', unread ? Math.min(spent, ms - 1) : spent);
    }
    if (phase === 'inter_token' || phase === 'body' || phase === 'ending') {
      const limit = this.#limits.interTokenMs;
      const ms = phase === 'ending' ? Math.min(endingMs, limit ?? endingMs) : limit;
      const waiting = this.#waitingSince !== null;
      const spent = this.#waited + (this.#waitingSince === null ? 0 : now - this.#waitingSince);
      const passed = { failure: 'timeout_inter_token', limit: 'interTokenMs' } as const;
      if (ms !== null)
        list.push({ passed: { ...passed, ms }, left: ms - (waiting ? spent : Math.min(spent, ms - 1)) });
    }
    add('timeout_total', 'totalMs', now - this.#startedAt);
    return list;
  }

  #arm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#phase === 'over') return;
    const left = Math.min(...this.#left(this.#now()).map((each) => each.left));
    if (left === Number.POSITIVE_INFINITY) return;
    // One ms more: timers may fire up to one ms early.
    this.#timer = setTimeout(() => this.#look(), Math.min(Math.max(0, Math.ceil(left)) + 1, MAX_TIMER_MS));
  }

  #look(): void {
    if (this.#over() === undefined) {
      this.#arm();
      return;
    }
    // Timers run before sockets are read: where this process was busy, what it waits for may be here already.
    setImmediate(() => {
      if (this.#phase === 'over') return;
      const over = this.#over();
      if (over === undefined) {
        this.#arm();
        return;
      }
      this.stop();
      this.#onPassed(over.passed);
    });
  }

  #over() {
    return this.#left(this.#now()).find((each) => each.left <= 0);
  }
}

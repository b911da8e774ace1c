/**
 * One call of a backend: its events under three time limits, and an end that always closes what was opened.
 *
 * A backend that ignores its signal cannot hold the caller: waiting for it ends when a limit or the caller says so, and
 * what it does afterwards is not looked at.
 *
 * @module gateway/resilience/attempt
 */
import { KithError } from '../../base/index.ts';
import type { TimeLimits } from './limits.ts';
import type { Timers } from './timers.ts';

export class Attempt<E> {
  readonly #timers: Timers;
  readonly #limits: TimeLimits;
  readonly #name: string;
  readonly #controller = new AbortController();
  readonly #began: number;
  /** Monotonic ms at which the whole answer must be there. */
  readonly #totalEnd: number;
  /** Monotonic ms at which the caller's own limit is over. */
  readonly #end: number;
  #iterator: AsyncIterator<E> | null = null;
  /** Monotonic ms at which the wait under way is over. */
  #deadline: number;
  #committed = false;
  #cancelAlarm: (() => void) | null = null;
  #alarmAt = Number.POSITIVE_INFINITY;
  #resolve: ((result: IteratorResult<E>) => void) | null = null;
  /** Ends the wait under way; null while nothing waits. */
  #reject: ((error: unknown) => void) | null = null;
  /** Why no more events may be asked for. */
  #failure: unknown = null;
  #done = false;
  #closed = false;

  /** `end`: monotonic ms at which the caller's own limit is over. */
  constructor(name: string, timers: Timers, limits: TimeLimits, end: number) {
    this.#name = name;
    this.#timers = timers;
    this.#limits = limits;
    this.#began = timers.monotonic();
    this.#end = end;
    this.#totalEnd = Math.min(this.#began + limits.totalMs, end);
    this.#deadline = this.#began + limits.firstTokenMs;
  }

  /** ms since it began. */
  get ms(): number {
    return this.#timers.monotonic() - this.#began;
  }

  /** Asks. The signal given to `ask` fires when the attempt is given up. */
  start(ask: (signal: AbortSignal) => AsyncIterable<E>): void {
    this.#iterator = ask(this.#controller.signal)[Symbol.asyncIterator]();
  }

  /** From now on the limit between two pieces holds, no longer that of the first. */
  commit(): void {
    this.#committed = true;
  }

  /**
   * The next event.
   *
   * @throws KithError `first_token_timeout`, `stream_stalled`, `answer_timeout`, `request_timeout` (504), and what the backend throws
   */
  next(): Promise<IteratorResult<E>> {
    return new Promise(this.#wait);
  }

  // These are made once for each attempt and not for each event: only one wait is under way at a time.
  readonly #wait = (resolve: (result: IteratorResult<E>) => void, reject: (error: unknown) => void): void => {
    if (this.#failure !== null) {
      reject(this.#failure);
      return;
    }
    const now = this.#timers.monotonic();
    // The time between two pieces counts while one waits for them: a caller who reads slowly stalls nothing.
    if (this.#committed) this.#deadline = now + this.#limits.interTokenMs;
    const due = Math.min(this.#deadline, this.#totalEnd);
    if (due <= now) {
      reject(this.#late(now));
      return;
    }
    this.#resolve = resolve;
    this.#reject = reject;
    // Early enough for the limit between pieces too, so that one alarm serves the whole answer.
    if (due < this.#alarmAt) this.#arm(Math.min(due, now + this.#limits.interTokenMs), now);
    this.#iterator!.next().then(this.#onResult, this.#onError);
  };

  readonly #onResult = (result: IteratorResult<E>): void => {
    if (result.done) this.#done = true;
    // After an end by a limit or the caller there is nobody to tell.
    if (this.#reject === null) return;
    this.#reject = null;
    this.#resolve!(result);
  };

  readonly #onError = (error: unknown): void => {
    this.#reject?.(error);
    this.#reject = null;
  };

  /** Ends the wait under way with `error` and tells the backend. */
  abort(error: unknown): void {
    this.#failure ??= error;
    this.#controller.abort(error);
    this.#reject?.(error);
    this.#reject = null;
  }

  /** Gives everything back. A backend whose answer is not whole is told to stop; it is not waited for. */
  close(whole: boolean): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelAlarm?.();
    this.#cancelAlarm = null;
    if (this.#done) return;
    if (!whole)
      this.abort(this.#failure ?? new KithError('attempt_ended', 'The answer is no longer wanted.'));
    try {
      // A generator that hangs in a wait of its own never settles this; one that was aborted fails, to nobody.
      this.#iterator?.return?.().then(undefined, () => {});
    } catch {
      // An iterator that throws here instead of failing its promise has nothing left to close.
    }
  }

  #late(now: number): KithError {
    const { firstTokenMs, interTokenMs } = this.#limits;
    const ms = Math.round(now - this.#began);
    const details = { backend: this.#name, ms };
    if (now >= this.#end)
      return new KithError(
        'request_timeout',
        `The answer was not whole within the time limit of the request; '${this.#name}' was at it for ${ms} ms.`,
        { status: 504, details },
      );
    if (now >= this.#totalEnd)
      return new KithError(
        'answer_timeout',
        `The answer of '${this.#name}' was not whole within its time limit, after ${ms} ms. Ask for fewer tokens, or raise the limit.`,
        { status: 504, details },
      );
    if (!this.#committed)
      return new KithError(
        'first_token_timeout',
        `'${this.#name}' did not begin to answer within ${firstTokenMs} ms.`,
        { status: 504, details },
      );
    return new KithError(
      'stream_stalled',
      `The answer of '${this.#name}' stopped in the middle: nothing came for ${interTokenMs} ms.`,
      { status: 504, details },
    );
  }

  #arm(due: number, now: number): void {
    this.#cancelAlarm?.();
    this.#alarmAt = due;
    this.#cancelAlarm = this.#timers.after(due - now, this.#ring);
  }

  /** The deadline has usually moved on since the alarm was set: one timer serves a whole answer. */
  readonly #ring = (): void => {
    this.#cancelAlarm = null;
    this.#alarmAt = Number.POSITIVE_INFINITY;
    // Nobody waits: the next wait sets its own.
    if (this.#reject === null || this.#closed) return;
    const now = this.#timers.monotonic();
    const due = Math.min(this.#deadline, this.#totalEnd);
    // A timer may ring a fraction of a millisecond before its time.
    if (now < due) this.#arm(due, now);
    else this.abort(this.#late(now));
  };
}

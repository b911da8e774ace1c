/**
 * One call for all who ask the same at the same time. Each waiter reads at its own pace from the start; the call is
 * asked for more as soon as any of them wants more, and ends early only when the last one leaves.
 *
 * What was read is kept for those behind, up to a bound. Beyond it nobody can join any more, and a waiter that is
 * further behind than the bound gets 503 `reader_too_slow`: it never holds the others back.
 *
 * @module gateway/cache/single-flight
 */
import { AbortedError, KithError } from '../../base/index.ts';

export interface FlightsOptions<T> {
  /** Size of an event, in the unit of `maxKept`. */
  readonly sizeOf: (event: T) => number;
  /** What one call may keep for those behind. */
  readonly maxKept: number;
}

/** Starts the call. `hold`: the call can be joined until the promise settles, though it has ended. */
export type Open<T> = (signal: AbortSignal, hold: (until: Promise<unknown>) => void) => AsyncIterable<T>;

export interface Flights<T> {
  /**
   * The events of the call under `key`, which is started with `open` if there is none. Nothing happens before the
   * first `next`. `see` is what this waiter gets for an event; `joined` tells whether another one started the call.
   */
  run(
    key: string,
    signal: AbortSignal,
    open: Open<T>,
    see: (event: T, joined: boolean) => T,
  ): AsyncIterableIterator<T>;
  readonly size: number;
}

interface Waiter {
  /** Number of the next event to read. */
  position: number;
  wake: (() => void) | null;
  gone: boolean;
  fault: KithError | null;
}

export function createFlights<T>(options: FlightsOptions<T>): Flights<T> {
  const flights = new Map<string, Flight<T>>();

  const board = (key: string, open: Open<T>): { flight: Flight<T>; joined: boolean } => {
    const found = flights.get(key);
    if (found !== undefined) return { flight: found, joined: true };
    const flight: Flight<T> = new Flight<T>(options, open, () => {
      if (flights.get(key) === flight) flights.delete(key);
    });
    flights.set(key, flight);
    return { flight, joined: false };
  };

  return {
    get size() {
      return flights.size;
    },
    run(key, signal, open, see) {
      let seat: { flight: Flight<T>; waiter: Waiter; joined: boolean } | null = null;
      let over = false;
      let queue: Promise<unknown> = Promise.resolve();
      const leave = () => {
        over = true;
        signal.removeEventListener('abort', leave);
        if (seat !== null) seat.flight.leave(seat.waiter);
      };
      const step = async (): Promise<IteratorResult<T>> => {
        if (signal.aborted) {
          leave();
          throw new AbortedError(undefined, { cause: signal.reason });
        }
        if (over) return { done: true, value: undefined };
        if (seat === null) {
          const { flight, joined } = board(key, open);
          seat = { flight, joined, waiter: flight.enter() };
          signal.addEventListener('abort', leave, { once: true });
        }
        try {
          const result = await seat.flight.read(seat.waiter);
          if (signal.aborted) throw new AbortedError(undefined, { cause: signal.reason });
          if (result.done === true || over) {
            leave();
            return { done: true, value: undefined };
          }
          return { done: false, value: see(result.value, seat.joined) };
        } catch (error) {
          leave();
          throw error;
        }
      };
      return {
        next() {
          const result = queue.then(step);
          queue = result.catch(() => undefined);
          return result;
        },
        async return() {
          leave();
          return { done: true, value: undefined };
        },
        [Symbol.asyncIterator]() {
          return this;
        },
      };
    },
  };
}

class Flight<T> {
  readonly #options: FlightsOptions<T>;
  readonly #open: Open<T>;
  readonly #close: () => void;
  readonly #controller = new AbortController();
  readonly #waiters = new Set<Waiter>();
  readonly #holds: Promise<unknown>[] = [];
  #source: AsyncIterator<T> | null = null;
  #kept: T[] = [];
  /** Number of the first event that is still kept. */
  #first = 0;
  #keptSize = 0;
  #pulling = false;
  #end: { readonly error: unknown } | 'done' | null = null;

  constructor(options: FlightsOptions<T>, open: Open<T>, close: () => void) {
    this.#options = options;
    this.#open = open;
    this.#close = close;
  }

  enter(): Waiter {
    const waiter: Waiter = { position: 0, wake: null, gone: false, fault: null };
    this.#waiters.add(waiter);
    return waiter;
  }

  leave(waiter: Waiter): void {
    waiter.gone = true;
    waiter.wake?.();
    if (!this.#waiters.delete(waiter) || this.#waiters.size > 0 || this.#end !== null) return;
    this.#close();
    this.#controller.abort(new AbortedError());
    // A source in the middle of its work ends by the signal; one that waits to be asked ends by this.
    this.#source?.return?.().catch(() => undefined);
  }

  async read(waiter: Waiter): Promise<IteratorResult<T>> {
    for (;;) {
      if (waiter.gone) return { done: true, value: undefined };
      if (waiter.fault !== null) throw waiter.fault;
      const at = waiter.position - this.#first;
      if (at < this.#kept.length) {
        waiter.position++;
        return { done: false, value: this.#kept[at]! };
      }
      if (this.#end === 'done') return { done: true, value: undefined };
      if (this.#end !== null) throw this.#end.error;
      const woken = new Promise<void>((resolve) => {
        waiter.wake = resolve;
      });
      if (!this.#pulling) void this.#pull();
      await woken;
      waiter.wake = null;
    }
  }

  /** Asks the source for one event. Never rejects. */
  async #pull(): Promise<void> {
    this.#pulling = true;
    try {
      this.#source ??= this.#open(this.#controller.signal, (until) => this.#holds.push(until))[
        Symbol.asyncIterator
      ]();
      const result = await this.#source.next();
      if (result.done === true) this.#finish('done');
      else this.#keep(result.value);
    } catch (error) {
      this.#finish({ error });
    }
    this.#pulling = false;
    for (const waiter of this.#waiters) waiter.wake?.();
  }

  #keep(event: T): void {
    this.#kept.push(event);
    this.#keptSize += this.#options.sizeOf(event);
    if (this.#keptSize <= this.#options.maxKept) return;
    // From here on the beginning is missing: whoever asks now starts a call of their own.
    this.#close();
    let dropped = 0;
    while (this.#keptSize > this.#options.maxKept && dropped < this.#kept.length - 1) {
      this.#keptSize -= this.#options.sizeOf(this.#kept[dropped++]!);
    }
    this.#kept.splice(0, dropped);
    this.#first += dropped;
    for (const waiter of this.#waiters) {
      if (waiter.position < this.#first) waiter.fault = tooSlow();
    }
  }

  #finish(end: { readonly error: unknown } | 'done'): void {
    this.#end = end;
    if (end !== 'done') this.#close();
    else void Promise.allSettled(this.#holds).then(this.#close);
  }
}

function tooSlow(): KithError {
  return new KithError(
    'reader_too_slow',
    'The answer was shared with others who asked the same, and this connection read it so slowly that its beginning ' +
      'is no longer kept. Ask again.',
    { status: 503, retryAfter: 1 },
  );
}

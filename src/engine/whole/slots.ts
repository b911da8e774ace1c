/**
 * A fixed number of sequences and the requests that wait for one: larger priority first, then first come, first served.
 *
 * @module engine/whole/slots
 */

import { AbortedError, type KithError, LimitError } from '../../base/index.ts';

export interface SlotLimits {
  readonly maxQueue: number;
  readonly maxWaitMs: number;
}

interface Waiter<T> {
  readonly priority: number;
  readonly give: (slot: T) => void;
  readonly refuse: (error: unknown) => void;
}

export interface Slots<T> {
  /** Chooses among free slots with `score` (largest wins). Throws LimitError, AbortedError or what `close` was given. */
  take(priority: number, signal: AbortSignal, score: (slot: T) => number): Promise<T>;
  put(slot: T): void;
  readonly active: number;
  readonly queued: number;
  /** Resolves when nothing is active or waits. */
  idle(): Promise<void>;
  /** Refuses those that wait and all that come. */
  close(error: KithError): void;
}

export function createSlots<T>(all: readonly T[], limits: SlotLimits): Slots<T> {
  const free = [...all];
  const waiting: Waiter<T>[] = [];
  const idlers: (() => void)[] = [];
  let closed: KithError | null = null;

  const settleIdle = (): void => {
    if (free.length === all.length && waiting.length === 0) for (const resolve of idlers.splice(0)) resolve();
  };
  const remove = (waiter: Waiter<T>): void => {
    const at = waiting.indexOf(waiter);
    if (at >= 0) waiting.splice(at, 1);
    settleIdle();
  };

  return {
    async take(priority, signal, score) {
      if (closed !== null) throw closed;
      if (signal.aborted) throw new AbortedError();
      if (free.length > 0) {
        let best = 0;
        for (let i = 1; i < free.length; i++) if (score(free[i]!) > score(free[best]!)) best = i;
        return free.splice(best, 1)[0]!;
      }
      if (waiting.length >= limits.maxQueue) {
        throw new LimitError(
          'engine.maxQueue',
          limits.maxQueue,
          `${waiting.length} ${waiting.length === 1 ? 'request waits' : 'requests wait'} for this model already (limit engine.maxQueue). Try again soon.`,
          { retryAfter: 1 },
        );
      }
      return await new Promise<T>((resolve, reject) => {
        const done = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', onAbort);
          remove(waiter);
        };
        const waiter: Waiter<T> = {
          priority,
          give(slot) {
            done();
            resolve(slot);
          },
          refuse(error) {
            done();
            reject(error);
          },
        };
        const onAbort = (): void => waiter.refuse(new AbortedError());
        const timer = setTimeout(() => {
          const message = `No place became free within ${limits.maxWaitMs} ms (limit engine.maxWaitMs). Try again soon.`;
          waiter.refuse(
            new LimitError('engine.maxWaitMs', limits.maxWaitMs, message, { status: 503, retryAfter: 1 }),
          );
        }, limits.maxWaitMs);
        signal.addEventListener('abort', onAbort, { once: true });
        const before = waiting.findIndex((other) => other.priority < priority);
        waiting.splice(before < 0 ? waiting.length : before, 0, waiter);
      });
    },
    put(slot) {
      const next = waiting[0];
      if (next !== undefined) next.give(slot);
      else free.push(slot);
      settleIdle();
    },
    get active() {
      return all.length - free.length;
    },
    get queued() {
      return waiting.length;
    },
    idle: () =>
      new Promise((resolve) => {
        idlers.push(resolve);
        settleIdle();
      }),
    close(error) {
      closed ??= error;
      for (const waiter of waiting.slice()) waiter.refuse(error);
    },
  };
}

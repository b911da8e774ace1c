/** One at a time per key, inside this process; a lock file would be slow for that. @module models/store/mutex */

import { AbortedError, throwIfAborted } from '../../base/index.ts';

export interface Mutex {
  /** Waits for its turn; dispose of the result to let the next one in. */
  enter(key: string, signal: AbortSignal): Promise<Disposable>;
}

export function createMutex(): Mutex {
  const tails = new Map<string, Promise<void>>();
  return {
    async enter(key, signal) {
      throwIfAborted(signal);
      const before = tails.get(key) ?? Promise.resolve();
      const own = Promise.withResolvers<void>();
      const tail = before.then(() => own.promise);
      tails.set(key, tail);
      // One who gives up while waiting must not open the door for those behind: the tail ends after `before` only.
      void tail.then(() => {
        if (tails.get(key) === tail) tails.delete(key);
      });
      const aborted = Promise.withResolvers<never>();
      const onAbort = () => aborted.reject(new AbortedError(undefined, { cause: signal.reason }));
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        await Promise.race([before, aborted.promise]);
      } catch (error) {
        own.resolve();
        throw error;
      } finally {
        signal.removeEventListener('abort', onAbort);
      }
      return { [Symbol.dispose]: own.resolve };
    },
  };
}

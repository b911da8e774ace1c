/**
 * One load that several callers wait for: it goes on while one of them waits, and stops when the last one gave up.
 *
 * @module engine/process/loading
 */

import { AbortedError } from '../../base/index.ts';

export interface SharedLoad<T> {
  /** Waits for the result. Rejects with AbortedError as soon as this caller's signal fires. */
  join(signal: AbortSignal | undefined, onProgress?: (done: number, total: number) => void): Promise<T>;
}

export function shareLoad<T>(
  work: (signal: AbortSignal, onProgress: (done: number, total: number) => void) => Promise<T>,
): SharedLoad<T> {
  const abort = new AbortController();
  const listeners = new Set<(done: number, total: number) => void>();
  let waiting = 0;
  let settled = false;
  const result = work(abort.signal, (done, total) => {
    for (const listener of listeners) listener(done, total);
  }).finally(() => {
    settled = true;
  });
  // Every caller may have left by then; each one that stayed gets the error itself.
  result.catch(() => {});
  return {
    async join(signal, onProgress) {
      if (signal?.aborted) throw new AbortedError(undefined, { cause: signal.reason });
      waiting++;
      if (onProgress !== undefined) listeners.add(onProgress);
      let leave: (() => void) | undefined;
      try {
        return await new Promise<T>((resolve, reject) => {
          leave = () => reject(new AbortedError(undefined, { cause: signal?.reason }));
          signal?.addEventListener('abort', leave, { once: true });
          result.then(resolve, reject);
        });
      } finally {
        if (leave !== undefined) signal?.removeEventListener('abort', leave);
        if (onProgress !== undefined) listeners.delete(onProgress);
        waiting--;
        if (waiting === 0 && !settled) abort.abort();
      }
    },
  };
}

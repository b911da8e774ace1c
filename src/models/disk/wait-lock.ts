/**
 * Waits for a lock that another process may hold for minutes (a download), and says so meanwhile.
 *
 * @module models/disk/wait-lock
 */

import type { Clock } from '../../base/index.ts';
import { acquireLock, isKithError, type KithError, type Lock, throwIfAborted } from '../../base/index.ts';

/** A look at a held lock may block the thread for a tenth of a second, so looks are rare. */
const LOOK_EVERY_MS = 500;

export interface WaitLockOptions {
  readonly purpose: string;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
  /** False: throw `locked` (409), which names the holder, instead of waiting. @default true */
  readonly wait?: boolean | undefined;
  /** Called before each pause with the error that names the holder. */
  readonly onWait?: ((held: KithError) => void | Promise<void>) | undefined;
}

export async function waitLock(path: string, options: WaitLockOptions): Promise<Lock> {
  const { purpose, clock, signal } = options;
  for (;;) {
    throwIfAborted(signal);
    try {
      return await acquireLock(path, { purpose, clock, ...(signal === undefined ? {} : { signal }) });
    } catch (error) {
      if (!isKithError(error) || error.code !== 'locked' || options.wait === false) throw error;
      await options.onWait?.(error);
      await clock.sleep(LOOK_EVERY_MS, signal);
    }
  }
}

/**
 * A folder that is watched: made equal once, then whenever something in it changed and it has been quiet for a moment.
 *
 * What the system tells of changes only says that it is time to look; what changed is found by looking (stamps, then hashes),
 * so that nothing depends on every change being told.
 *
 * @module knowledge/sync/watch
 */
import { basename } from 'node:path';
import { watch as observe } from 'chokidar';
import { type Clock, isKithError, messageOf } from '../../base/index.ts';
import { type SyncEvent, type SyncOptions, sync } from './sync.ts';
import { IGNORE_FILES } from './walk.ts';

export interface WatchOptions extends SyncOptions {
  /** ms without a change before it is looked. @default 500 */
  readonly quietMs?: number;
  /** ms after which it is looked again where looking failed, and where nothing was told for long. @default 60000 */
  readonly againMs?: number;
}

export type WatchEvent =
  | SyncEvent
  /** All was looked at; the next event comes of a change. */
  | { readonly kind: 'settled' }
  /** Looking failed, and will be tried again: the drive is away, the engine does not answer. */
  | { readonly kind: 'problem'; readonly code: string; readonly message: string };

const QUIET_MS = 500;
const AGAIN_MS = 60_000;
/** Changes that go on are looked at all the same, after so many times the quiet. */
const PATIENCE = 20;

/** Ends with AbortedError when the signal fires, or by leaving the loop. */
export async function* watchFolder(options: WatchOptions): AsyncGenerator<WatchEvent, void, undefined> {
  const { folder, clock, signal, quietMs = QUIET_MS, againMs = AGAIN_MS } = options;
  const stamps = options.stamps ?? new Map<string, string>();
  const bell = createBell(clock);
  const observer = observe(folder, {
    ignoreInitial: true,
    followSymlinks: false,
    // What walk() leaves out always; to watch it would cost most where it is largest.
    ignored: (path) => {
      const name = basename(path);
      if (path === folder || IGNORE_FILES.some((rules) => rules === name)) return false;
      return /^(?:\..*|node_modules|__pycache__)$/.test(name);
    },
  });
  observer.on('all', bell.ring);
  // Too many folders for the system, or one that cannot be read: then it is looked at from time to time.
  observer.on('error', bell.ring);
  try {
    await new Promise<void>((resolve) => {
      observer.once('ready', () => resolve());
      observer.once('error', () => resolve());
      signal?.addEventListener('abort', () => resolve(), { once: true });
    });
    for (;;) {
      bell.reset();
      try {
        yield* sync({ ...options, stamps });
        yield { kind: 'settled' };
      } catch (error) {
        if (signal?.aborted) throw error;
        yield {
          kind: 'problem',
          code: isKithError(error) ? error.code : 'ingest_failed',
          message: messageOf(error),
        };
      }
      await bell.rung(againMs, signal);
      for (let left = PATIENCE; left > 0; left--) {
        bell.reset();
        if (!(await bell.rung(quietMs, signal))) break;
      }
    }
  } finally {
    await observer.close();
  }
}

interface Bell {
  readonly ring: () => void;
  reset(): void;
  /** True when it rang since the reset, within so many ms. */
  rung(ms: number, signal: AbortSignal | undefined): Promise<boolean>;
}

function createBell(clock: Pick<Clock, 'sleep'>): Bell {
  let hasRung = false;
  let wake: (() => void) | null = null;
  return {
    ring: () => {
      hasRung = true;
      wake?.();
    },
    reset: () => {
      hasRung = false;
    },
    async rung(ms, signal) {
      if (hasRung) return true;
      const awake = new AbortController();
      wake = () => awake.abort();
      const either = signal === undefined ? awake.signal : AbortSignal.any([awake.signal, signal]);
      try {
        await clock.sleep(ms, either);
      } catch (error) {
        if (!awake.signal.aborted) throw error;
      } finally {
        wake = null;
      }
      return hasRung;
    },
  };
}

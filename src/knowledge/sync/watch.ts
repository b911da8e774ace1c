/**
 * A folder that is watched: made equal once, then whenever something in it changed and it has been quiet for a moment.
 *
 * What the system tells of changes only says that it is time to look; what changed is found by looking (stamps, then hashes),
 * so that nothing depends on every change being told.
 *
 * @module knowledge/sync/watch
 */
import { isKithError, messageOf } from '../../base/index.ts';
import { createBell, observeFolder } from './observe.ts';
import { type SyncEvent, type SyncOptions, sync } from './sync.ts';

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
  // Too many folders for the system, or one that cannot be read: then it is looked at from time to time.
  const observer = observeFolder(folder, bell.ring, bell.ring);
  try {
    await Promise.race([
      observer.ready,
      new Promise<void>((resolve) => {
        signal?.addEventListener('abort', () => resolve(), { once: true });
      }),
    ]);
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
    await observer[Symbol.asyncDispose]();
  }
}

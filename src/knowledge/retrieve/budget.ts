/**
 * Work that may take only so long: afterwards one goes on without it, and says so.
 *
 * @module knowledge/retrieve/budget
 */
import { type Clock, messageOf } from '../../base/index.ts';

export interface Budget {
  readonly budgetMs: number;
  readonly clock: Clock;
  /** The caller's: when it fires, that is thrown, and not a skip. */
  readonly signal?: AbortSignal | undefined;
}

export type Within<T> =
  | { readonly value: T; readonly ms: number }
  | {
      /** Why there is nothing, for people: it took too long, or failed. */
      readonly skipped: string;
      /** It took too long. */
      readonly late: boolean;
      readonly ms: number;
    };

/** @param work is given a signal that fires when the time is over; what it does then is not waited for */
export async function withinBudget<T>(
  { budgetMs, clock, signal }: Budget,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<Within<T>> {
  signal?.throwIfAborted();
  const from = clock.monotonic();
  const over = new AbortController();
  const done = new AbortController();
  const within = signal === undefined ? over.signal : AbortSignal.any([over.signal, signal]);
  const took = () => clock.monotonic() - from;
  const late = clock.sleep(budgetMs, done.signal).then(
    () => ({ skipped: `it took longer than ${budgetMs} ms`, late: true, ms: took() }),
    // Ended before: nobody waits for this any more.
    () => ({ skipped: 'it ended', late: false, ms: took() }),
  );
  const gone =
    signal === undefined
      ? []
      : [
          new Promise<never>((_, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason), {
              once: true,
              signal: done.signal,
            });
          }),
        ];
  const worked = (async (): Promise<Within<T>> => {
    try {
      return { value: await work(within), ms: took() };
    } catch (error) {
      return { skipped: `it failed: ${messageOf(error)}`, late: false, ms: took() };
    }
  })();
  try {
    const result = await Promise.race([worked, late, ...gone]);
    signal?.throwIfAborted();
    return result;
  } finally {
    over.abort();
    done.abort();
  }
}

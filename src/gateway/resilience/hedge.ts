/**
 * The same ask to several backends side by side: the first that answers wins, and the others are stopped at once.
 *
 * @module gateway/resilience/hedge
 */

import type { Live } from './ask.ts';
import { failureOf } from './failure.ts';
import type { Reading } from './reading.ts';
import type { Run } from './run.ts';
import type { AttemptReason } from './types.ts';

/** Asks side by side at most. */
export const maxRedundancy = 3;

export interface RaceOptions<T> {
  /** Asks from the start, 1 to 3. */
  readonly lanes: number;
  /** ms without a first piece after which one more is asked; null = never. */
  readonly hedgeMs: number | null;
  /** Goes from backend to backend until it has a result. */
  open(reason: AttemptReason): Promise<T>;
}

/**
 * The first result of several lanes. Lanes draw from one list of routes, so no backend is asked twice at once. Every
 * attempt but the winner's is stopped before the result is given.
 */
export function race<E, R extends Reading<E>, T extends { readonly live: Live<E, R> }>(
  run: Run<E, R>,
  { lanes, hedgeMs, open }: RaceOptions<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const { timers, budget } = run.options;
    let won = false;
    let cancel = () => {};
    run.lanes = 0;

    function start(reason: AttemptReason): void {
      run.lanes++;
      open(reason).then(
        (result) => {
          if (won) return run.lose(result.live);
          won = true;
          cancel();
          run.lanes = 1;
          for (const live of run.live) if (live !== result.live) run.lose(live);
          run.stopWaiting();
          resolve(result);
        },
        (error) => {
          run.lanes--;
          // What one model's owner refuses to answer, another that was asked meanwhile does not answer either.
          if (won || (run.lanes > 0 && failureOf(error).kind !== 'filtered')) return;
          won = true;
          cancel();
          for (const live of run.live) run.lose(live);
          run.stopWaiting();
          reject(error);
        },
      );
    }

    start('first choice');
    for (let lane = 1; lane < lanes && run.hasUntried; lane++) start('redundant');
    if (hedgeMs !== null && run.hasUntried)
      cancel = timers.after(hedgeMs, () => {
        if (!won && run.hasUntried && budget.take()) start('hedge');
      });
  });
}

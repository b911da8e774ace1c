/**
 * The first good answer of several Eves who were to give the same: the next one is asked when one fails, and beside one that is slow.
 *
 * @module vault/place/first-answer
 */
import { type Clock, messageOf } from '../../base/index.ts';
import type { PlacedEve } from './reader.ts';

export interface FirstAnswerOptions {
  /** Ms after which the next Eve is asked beside one that has not answered. @default 400 */
  readonly hedgeMs?: number | undefined;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly signal?: AbortSignal | undefined;
  readonly onFailed?: (eve: PlacedEve, error: unknown) => void;
  /** What is thrown when none gave one; `causes` has a sentence for each. */
  readonly none: (causes: readonly string[]) => Error;
}

const HEDGE_MS = 400;

/** @param eves in the order in which they are asked */
export function firstAnswer<T>(
  eves: readonly PlacedEve[],
  ask: (eve: PlacedEve, signal: AbortSignal) => Promise<T>,
  { hedgeMs = HEDGE_MS, clock, signal, onFailed, none }: FirstAnswerOptions,
): Promise<T> {
  const done = new AbortController();
  const both = signal === undefined ? done.signal : AbortSignal.any([signal, done.signal]);
  const causes: string[] = [];
  let next = 0;
  let running = 0;
  return new Promise<T>((resolve, reject) => {
    const begin = () => {
      const eve = eves[next++];
      if (eve === undefined) {
        if (running === 0) reject(none(causes));
        return;
      }
      running += 1;
      const asked = next;
      // The next one when this one is slow, unless she was asked already since this one failed.
      clock.sleep(hedgeMs, both).then(
        () => next === asked && begin(),
        () => undefined,
      );
      ask(eve, both).then(resolve, (error: unknown) => {
        running -= 1;
        if (both.aborted) return reject(error);
        causes.push(`${eve.peer}: ${messageOf(error)}`);
        onFailed?.(eve, error);
        begin();
      });
    };
    begin();
  }).finally(() => done.abort());
}

/**
 * Work for the small hours: once each night, when nobody waits for the machine.
 *
 * @module node/nightly
 */
import { type Clock, isKithError, type Logger, messageOf, type Random } from '../base/index.ts';

const hour = 3;
/** Nodes of one owner, all on one clock, need not all begin at once. */
const spreadMs = 30 * 60_000;

export interface NightlyOptions {
  readonly clock: Clock;
  readonly random: Pick<Random, 'float'>;
  readonly log: Logger;
  /** For the log. */
  readonly name: string;
  readonly work: (signal: AbortSignal) => Promise<void>;
}

/** Begins to wait for 3 o'clock by this machine's time. What fails is logged, and the next night is another try. */
export function nightly({ clock, random, log, name, work }: NightlyOptions): AsyncDisposable {
  const stopping = new AbortController();
  const { signal } = stopping;
  const running = (async () => {
    while (!signal.aborted) {
      await clock.sleep(untilNight(clock.now()) + Math.floor(random.float() * spreadMs), signal);
      try {
        await work(signal);
      } catch (error) {
        if (!signal.aborted) log.warn(`${name} failed tonight`, { err: messageOf(error) });
      }
    }
  })().catch((error: unknown) => {
    if (!(isKithError(error) && error.code === 'aborted')) throw error;
  });
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await running;
    },
  };
}

/** ms until the next 3 o'clock; never 0, so that a night is worked through once. */
export function untilNight(now: number): number {
  const next = new Date(now);
  next.setHours(hour, 0, 0, 0);
  if (next.getTime() <= now) next.setDate(next.getDate() + 1);
  return next.getTime() - now;
}

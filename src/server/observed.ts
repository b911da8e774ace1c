/**
 * Events of an answer on their way to who asked, for those who count.
 *
 * @module server/observed
 */
import { AbortedError } from '../base/index.ts';

/**
 * Gives the events on, tells each before, and once how they ended: null when whole, else with what. A consumer that leaves early does so
 * because its client has gone.
 */
export async function* observed<T>(
  watching: { event(event: T): void; end(outcome: unknown): void },
  events: AsyncIterable<T>,
  signal: AbortSignal,
): AsyncGenerator<T> {
  let whole = false;
  let outcome: unknown = null;
  try {
    for await (const event of events) {
      watching.event(event);
      yield event;
    }
    whole = true;
  } catch (error) {
    outcome = error;
    throw error;
  } finally {
    if (!whole && outcome === null) outcome = signal.reason ?? new AbortedError();
    watching.end(outcome);
  }
}

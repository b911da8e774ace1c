/**
 * Work that must not overlap.
 *
 * @module base/one-at-a-time
 */

/** Begins each piece of work when the one given before has ended. How it ended is for who gave it: a failure holds up nobody. */
export type OneAtATime = <T>(work: () => T | Promise<T>) => Promise<T>;

export function oneAtATime(): OneAtATime {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = mine.catch(() => {});
    return mine;
  };
}

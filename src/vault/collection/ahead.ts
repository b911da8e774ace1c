/**
 * Work on items whose results are wanted in their order, a few of them under way at a time: over a slow line the next block is on its way
 * while one is used.
 *
 * @module vault/collection/ahead
 */
import { throwIfAborted } from '../../base/index.ts';

/**
 * @param atOnce how many are begun and not yet taken
 * @param work is ended by its signal when nobody wants its result any more; all of it has ended when this has
 */
export async function* inOrder<T, R>(
  items: Iterable<T>,
  atOnce: number,
  work: (item: T, signal: AbortSignal) => Promise<R>,
  signal?: AbortSignal,
): AsyncGenerator<readonly [item: T, result: R]> {
  const stop = new AbortController();
  const both = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const iterator = items[Symbol.iterator]();
  const begun: { readonly item: T; readonly result: Promise<R> }[] = [];
  const fill = (): void => {
    while (begun.length < atOnce) {
      const next = iterator.next();
      if (next.done === true) return;
      const result = work(next.value, both);
      // It is looked at when its turn comes, or never.
      result.catch(() => undefined);
      begun.push({ item: next.value, result });
    }
  };
  try {
    for (fill(); begun.length > 0; fill()) {
      throwIfAborted(signal);
      const { item, result } = begun[0]!;
      const done = await result;
      begun.shift();
      fill();
      yield [item, done];
    }
  } finally {
    stop.abort();
    await Promise.allSettled(begun.map(({ result }) => result));
  }
}

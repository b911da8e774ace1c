/**
 * Reads several async iterables at once and yields their items as they come.
 *
 * @module gateway/merge
 */

/**
 * Yields `[index, item]` of every source, in arrival order. At most one item per source is held at a time, so a
 * slow reader slows the sources. When one source throws or the reader stops, `stop` is called, which must make the
 * other sources settle, and they are ended.
 */
export async function* merge<T>(
  sources: readonly AsyncIterable<T>[],
  stop: () => void,
): AsyncGenerator<readonly [number, T]> {
  const iterators = sources.map((source) => source[Symbol.asyncIterator]());
  const pending = new Map<number, Promise<readonly [number, IteratorResult<T>]>>();
  const pull = (index: number) => {
    const next = iterators[index]!.next().then((result) => [index, result] as const);
    // A rejection is seen by the race below or, when the race is already lost, belongs to an ended source.
    next.catch(() => {});
    pending.set(index, next);
  };
  for (let index = 0; index < iterators.length; index++) pull(index);
  try {
    while (pending.size > 0) {
      const [index, result] = await Promise.race(pending.values());
      if (result.done) {
        pending.delete(index);
        continue;
      }
      // Delete and set again: the Map's order then gives every source its turn.
      pending.delete(index);
      pull(index);
      yield [index, result.value];
    }
  } finally {
    if (pending.size > 0) stop();
    await Promise.allSettled([...pending.keys()].map((index) => iterators[index]!.return?.()));
  }
}

/**
 * Many callers of one costly look at something that changes.
 *
 * @module gateway/share
 */

/**
 * Callers that come while a look is under way wait for the next one, and share it: whoever calls sees what was so after
 * the call, and a crowd costs two looks instead of one each.
 */
export function shareLooks<T>(look: () => Promise<T>): () => Promise<T> {
  let running: Promise<unknown> | null = null;
  let next: Promise<T> | null = null;

  function begin(): Promise<T> {
    next = null;
    const result = look();
    const ended = result.then(
      () => {},
      () => {},
    );
    running = ended;
    ended.then(() => {
      if (running === ended) running = null;
    });
    return result;
  }

  return () => {
    if (running === null) return begin();
    next ??= running.then(begin);
    return next;
  };
}

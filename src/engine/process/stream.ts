/**
 * The parent's side of one generation: an async iterator over the events of a call to the engine process.
 *
 * @module engine/process/stream
 */

import { AbortedError, KithError } from '../../base/index.ts';
import type { GenerateEvent } from '../types.ts';
import type { Call } from './connection.ts';
import { decodeEvent, EventQueue } from './events.ts';
import type { Frame } from './frames.ts';

/** ms that the engine process has to end an aborted generation before the stream ends without it. */
const ABORT_PATIENCE_MS = 1000;

/**
 * @param start begins the generation; called at the first `next()`. It passes `onFrame` on to the call it opens, and gives up
 * when its signal fires.
 */
export function streamEvents(
  start: (onFrame: (frame: Frame) => void, signal: AbortSignal) => Promise<Call>,
  signal: AbortSignal | undefined,
): AsyncIterableIterator<GenerateEvent> {
  const queue = new EventQueue();
  /** Fires when the caller's signal does, or when the iteration is ended early. */
  const stop = new AbortController();
  let started = false;
  let call: Call | null = null;
  let over = false;
  let sawStart = false;
  let patience: NodeJS.Timeout | undefined;

  const finish = (): void => {
    over = true;
    clearTimeout(patience);
    signal?.removeEventListener('abort', onAbort);
  };
  const onAbort = (): void => {
    stop.abort(signal?.reason);
    if (call === null) return;
    call.cancel();
    // The engine process answers within one pass; a hung one must not hold the caller.
    if (over) return;
    patience = setTimeout(
      () => queue.fail(new AbortedError(undefined, { cause: signal?.reason })),
      ABORT_PATIENCE_MS,
    );
  };
  const begin = async (): Promise<void> => {
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      if (signal?.aborted) throw new AbortedError(undefined, { cause: signal.reason });
      call = await start((frame) => queue.push(decodeEvent(frame.meta)), stop.signal);
      call.answer.then(
        () => queue.end(),
        (error: unknown) => queue.fail(error),
      );
      // Between the end of `start` and here the signal may have fired.
      if (stop.signal.aborted) onAbort();
    } catch (error) {
      queue.fail(stop.signal.aborted ? new AbortedError(undefined, { cause: error }) : error);
    }
  };

  return {
    async next() {
      if (over) return { done: true, value: undefined };
      if (!started) {
        started = true;
        void begin();
      }
      try {
        const event = await queue.next();
        if (event === null) {
          finish();
          return { done: true, value: undefined };
        }
        if (event.type === 'start') sawStart = true;
        if (event.type === 'finish') {
          finish();
          queue.close();
          if (event.reason === 'aborted' && !sawStart) throw new AbortedError();
        }
        return { done: false, value: event };
      } catch (error) {
        finish();
        throw error;
      }
    },
    async return() {
      // At once, also while a `next()` is waiting: that is what stops the decoding.
      if (started && !over) {
        stop.abort();
        call?.cancel();
        queue.close();
      }
      finish();
      return { done: true, value: undefined };
    },
    async throw(error?: unknown) {
      await this.return?.();
      throw error instanceof Error ? error : new KithError('iteration_ended', String(error));
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/**
 * Work of the engine's process that is done again when it was lost with it.
 *
 * @module node/knowledge/lasting
 */
import { isKithError, throwIfAborted } from '../../base/index.ts';
import type { LocalBackend } from '../../gateway/index.ts';

/** How often work is done again. */
const AGAIN = 2;
/** The engine's process died, or the model was taken out of memory meanwhile: both are mended by loading it again. */
const MENDED = ['engine_lost', 'model_not_loaded', 'model_unloading'];

/** Does the work with the model in memory. */
export async function lasting<T>(
  local: Pick<LocalBackend, 'prepare'>,
  model: string,
  work: () => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  for (let left = AGAIN; ; left--) {
    throwIfAborted(signal);
    try {
      await local.prepare(model, signal);
      return await work();
    } catch (error) {
      if (left === 0 || !isKithError(error) || !MENDED.includes(error.code)) throw error;
    }
  }
}

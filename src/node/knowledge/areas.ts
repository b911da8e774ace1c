/**
 * What the parts of the desk of knowledge bases are made of: each area (answers, graph, ...) is a file beside this one that makes
 * its desk of these.
 *
 * @module node/knowledge/areas
 */
import type { Extractor } from '../../knowledge/index.ts';
import type { NodeKnowledgeParts, Opened } from './desk.ts';
import type { EngineLegs } from './engine-leg.ts';
import type { OpenKb } from './kbs.ts';

export interface AreaParts extends NodeKnowledgeParts {
  /** Opens a KB for as long as the work takes. @throws KithError `kb_unknown`, `kb_missing`, `kb_lost`; of the disk */
  withKb<T>(name: string, work: (kb: OpenKb, opened: Opened) => T | Promise<T>): Promise<T>;
  /** Whether a model is fit to read passages: asked once for each. @throws KithError `model_unfit` */
  readonly admit: (extractor: Extractor, signal: AbortSignal) => Promise<void>;
  /** How searches find what is nearest where an engine has the vectors. */
  readonly legs: EngineLegs;
  /** All that is open, opened now when it is not. @throws KithError `locked`; of the disk */
  opened(): Promise<Opened>;
}

/** As `withKb`, for what comes piece by piece: the KB stays open until the last piece was taken, or nobody wants more. */
export async function streamKb<T>(
  { withKb }: Pick<AreaParts, 'withKb'>,
  name: string,
  work: (kb: OpenKb, opened: Opened) => AsyncIterable<T>,
): Promise<AsyncIterable<T>> {
  const opened = Promise.withResolvers<AsyncIterable<T>>();
  const ended = Promise.withResolvers<void>();
  const held = withKb(name, (kb, all) => {
    opened.resolve(work(kb, all));
    return ended.promise;
  });
  held.catch(opened.reject);
  const pieces = (await opened.promise)[Symbol.asyncIterator]();
  // What cannot be answered at all says so before anything is given.
  const first = await pieces.next().catch(async (error: unknown) => {
    ended.resolve();
    throw error;
  });
  return (async function* () {
    try {
      for (let piece = first; piece.done !== true; piece = await pieces.next()) yield piece.value;
    } finally {
      await pieces.return?.();
      ended.resolve();
      await held;
    }
  })();
}

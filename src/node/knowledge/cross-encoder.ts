/**
 * This machine's engine as the model that reads a question with each passage (`knowledge.reranker`).
 *
 * @module node/knowledge/cross-encoder
 */
import type { Config } from '../../base/index.ts';
import type { CrossEncoder } from '../../knowledge/index.ts';
import type { EngineEmbedderOptions } from './embedder.ts';
import { lasting } from './lasting.ts';

export interface CrossEncoderParts extends Pick<EngineEmbedderOptions, 'engine' | 'local'> {
  readonly config: { readonly knowledge: Pick<Config['knowledge'], 'reranker'> };
}

/**
 * Null when none is set. Nothing is loaded before the first search; a search that does not wait for that long goes without, and the
 * load goes on for the next.
 */
export function crossEncoderOf({ engine, local, config }: CrossEncoderParts): CrossEncoder | null {
  const model = config.knowledge.reranker;
  if (model === 'none') return null;
  return {
    model,
    async score(query, passages, signal) {
      if (passages.length === 0) return new Float32Array(0);
      const { scores } = await lasting(
        local,
        model,
        () => engine.rank({ model, query, passages, truncateQuery: true }, signal),
        signal,
      );
      return scores;
    },
  };
}

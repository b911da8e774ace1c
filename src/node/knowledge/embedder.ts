/**
 * This machine's engine as the embedder of knowledge bases.
 *
 * @module node/knowledge/embedder
 */
import type { Engine } from '../../engine/index.ts';
import type { LocalBackend } from '../../gateway/index.ts';
import type { Embedder } from '../../knowledge/index.ts';
import type { ModelStore } from '../../models/index.ts';
import { lasting as again } from './lasting.ts';

export interface EngineEmbedderOptions {
  readonly engine: Pick<Engine, 'embed' | 'rank' | 'tokenize'>;
  readonly local: Pick<LocalBackend, 'prepare'>;
  readonly models: Pick<ModelStore, 'get'>;
  /** Id of the model. */
  readonly model: string;
}

/** Texts whose tokens are asked for at the same time. */
const AT_ONCE = 32;
/** Tokens of rows that are kept between counting them and embedding them, 4 bytes each. */
const KEPT_TOKENS = 1 << 20;

/** @throws KithError of the models room and the engine; InputError `wrong_model_task` */
export async function openEngineEmbedder(
  options: EngineEmbedderOptions,
  signal?: AbortSignal,
): Promise<Embedder> {
  const { engine, local, models, model } = options;
  const { manifest } = await models.get(model);
  const { embedding, context } = await local.prepare(model, signal);
  /** Texts are counted first and embedded soon after: their tokens are made once. */
  const kept = new Map<string, Int32Array>();
  let keptTokens = 0;

  const lasting = <T>(work: () => Promise<T>, stopped: AbortSignal | undefined) =>
    again(local, model, work, stopped);
  const special = (await lasting(() => engine.tokenize(model, '', {}, signal), signal)).length;
  const window = context - special;

  const keep = (text: string, row: Int32Array): void => {
    if (row.length > context) return;
    if (keptTokens + row.length > KEPT_TOKENS) {
      kept.clear();
      keptTokens = 0;
    }
    if (!kept.has(text)) keptTokens += row.length;
    kept.set(text, row);
  };

  return {
    ...{ id: model, hash: manifest.sha256, dimension: embedding, window },
    async countTokens(texts, stopped) {
      const counts: number[] = [];
      for (let from = 0; from < texts.length; from += AT_ONCE) {
        const part = texts.slice(from, from + AT_ONCE);
        const rows = await lasting(
          () => Promise.all(part.map((text) => engine.tokenize(model, text, {}, stopped))),
          stopped,
        );
        for (const [at, row] of rows.entries()) {
          keep(part[at]!, row);
          counts.push(Math.max(0, row.length - special));
        }
      }
      return counts;
    },
    async embed(texts, { signal: stopped }) {
      if (texts.length === 0) return new Float32Array(0);
      const inputs = texts.map((text) => {
        const row = kept.get(text);
        if (row === undefined) return text;
        kept.delete(text);
        keptTokens -= row.length;
        return row;
      });
      const { vectors } = await lasting(
        () => engine.embed({ model, inputs, truncate: true }, stopped),
        stopped,
      );
      return vectors;
    },
  };
}

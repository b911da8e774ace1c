/**
 * Text to tokens and back for a loaded model: in the text thread, or in the engine process for models whose tokenizer
 * only node-llama-cpp has.
 *
 * @module engine/process/writing
 */

import { isKithError } from '../../base/index.ts';
import type { TextOptions, TextThread } from '../text/index.ts';
import { overLimit } from '../tokenizer/index.ts';
import type { Prompt } from '../types.ts';
import { asInt32, packArrays } from './frames.ts';
import type { ReadyModel } from './models.ts';

export interface Writing {
  /** `tokens_over_limit` for more tokens than `limit`, whoever makes them. */
  prepare(
    model: ReadyModel,
    prompt: Prompt,
    limit: number,
    signal: AbortSignal | undefined,
  ): Promise<Int32Array>;
  /** Bounds hold for models that the text thread tokenizes for. */
  tokenize(
    model: ReadyModel,
    text: string,
    options: TextOptions,
    signal: AbortSignal | undefined,
  ): Promise<Int32Array>;
  detokenize(model: ReadyModel, tokens: Int32Array, signal: AbortSignal | undefined): Promise<string>;
  /** The token that ends every text of the model ([SEP], EOS) where it adds one, or null. */
  tail(model: ReadyModel, signal: AbortSignal | undefined): Promise<number | null>;
}

export function isOverLimit(error: unknown): boolean {
  return isKithError(error) && error.code === 'tokens_over_limit';
}

export function createWriting(thread: TextThread): Writing {
  const tokenize: Writing['tokenize'] = async (model, text, options, signal) => {
    if (model.text !== null) return thread.tokenize(model.loaded.id, text, options, signal);
    return remoteTokenize(model, text, options, signal);
  };

  async function remoteTokenize(
    model: ReadyModel,
    text: string,
    options: TextOptions,
    signal: AbortSignal | undefined,
  ): Promise<Int32Array> {
    const { addSpecial = true, parseSpecial = false } = options;
    const answer = await model.session.connection.call('tokenize', {
      meta: { model: model.loaded.id, addSpecial, parseSpecial },
      payload: new TextEncoder().encode(text),
      signal,
    });
    return asInt32(answer.payload);
  }

  async function anyPrepare(
    model: ReadyModel,
    prompt: Prompt,
    limit: number,
    signal: AbortSignal | undefined,
  ): Promise<Int32Array> {
    if (prompt.kind === 'tokens') return prompt.tokens;
    if (model.text !== null) return (await thread.prepare(model.loaded.id, prompt, { limit }, signal)).tokens;
    if (prompt.kind === 'text') return remoteTokenize(model, prompt.text, {}, signal);
    const { kind: _, ...conversation } = prompt;
    const answer = await model.session.connection.call('prepare', {
      meta: { model: model.loaded.id },
      payload: new TextEncoder().encode(JSON.stringify(conversation)),
      signal,
    });
    return asInt32(answer.payload);
  }

  return {
    async prepare(model, prompt, limit, signal) {
      const tokens = await anyPrepare(model, prompt, limit, signal);
      if (tokens.length > limit) throw overLimit(limit);
      return tokens;
    },
    tokenize,
    async detokenize(model, tokens, signal) {
      if (model.text !== null) return thread.detokenize(model.loaded.id, tokens, {}, signal);
      const answer = await model.session.connection.call('detokenize', {
        meta: { model: model.loaded.id },
        payload: packArrays([tokens]),
        signal,
      });
      return new TextDecoder().decode(answer.payload);
    },
    async tail(model, signal) {
      // What surrounds no text at all: [CLS] [SEP], BOS EOS, only one of them, or nothing.
      const around = await tokenize(model, '', {}, signal);
      const last = around.at(-1) ?? null;
      return around.length > 1 || last === model.text?.eos ? last : null;
    },
  };
}

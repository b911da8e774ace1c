/**
 * `POST /api/embed`, and `POST /api/embeddings`, its older form for one text.
 *
 * @module server/ollama/embed
 */
import { z } from 'zod';
import { totalOf } from '../../base/index.ts';
import type { EmbeddingAnswer } from '../../gateway/index.ts';
import { type Exchange, sendJson } from '../http/exchange.ts';
import { receiptHeaders } from '../http/receipt.ts';
import { optional, parseBody } from '../http/schema.ts';
import { boundedArray } from '../openai/input.ts';
import { text } from '../openai/options.ts';
import type { ServerContext } from '../types.ts';
import { nanoseconds } from './answer.ts';
import { modelId } from './names.ts';
import { keepAlive, model } from './options.ts';

const maxInputs = 2048;

export const embedSchema = z.object({
  model,
  input: optional(
    z.union([text.transform((one) => (one === '' ? [] : [one])), boundedArray(text, 0, maxInputs)], {
      error: 'must be a text or an array of texts',
    }),
  ),
  truncate: optional(z.boolean()),
  dimensions: optional(z.int().min(0).max(65_536)),
  keep_alive: optional(keepAlive),
});

export const embeddingsSchema = z.object({
  model,
  prompt: optional(text),
  keep_alive: optional(keepAlive),
});

export function embedRoute(context: ServerContext) {
  return async (exchange: Exchange): Promise<void> => {
    const began = context.clock.monotonic();
    const body = parseBody(embedSchema, await exchange.json({ programs: true }));
    const inputs = body.input ?? [];
    if (inputs.length === 0) {
      await context.control.load(modelId(body.model), exchange.signal);
      sendJson(exchange.response, 200, { model: body.model, embeddings: [] });
      return;
    }
    const answer = await vectorsOf(
      exchange,
      context,
      body.model,
      inputs,
      body.truncate ?? true,
      body.dimensions,
    );
    const { receipt } = answer;
    const totalMs = context.clock.monotonic() - began;
    const { prefillMs } = receipt;
    const tokens = totalOf(answer.tokens);
    sendJson(
      exchange.response,
      200,
      {
        model: body.model,
        embeddings: inputs.map((_, index) => vectorAt(answer, index)),
        total_duration: nanoseconds(totalMs),
        ...(prefillMs === null ? {} : { load_duration: nanoseconds(totalMs - prefillMs) }),
        ...(tokens === null ? {} : { prompt_eval_count: tokens }),
      },
      receiptHeaders(receipt),
    );
  };
}

export function embeddingsRoute(context: ServerContext) {
  return async (exchange: Exchange): Promise<void> => {
    const body = parseBody(embeddingsSchema, await exchange.json({ programs: true }));
    if (!body.prompt) {
      await context.control.load(modelId(body.model), exchange.signal);
      sendJson(exchange.response, 200, { embedding: [] });
      return;
    }
    const answer = await vectorsOf(exchange, context, body.model, [body.prompt], true);
    sendJson(exchange.response, 200, { embedding: vectorAt(answer, 0) }, receiptHeaders(answer.receipt));
  };
}

function vectorsOf(
  exchange: Exchange,
  context: ServerContext,
  name: string,
  inputs: readonly string[],
  truncate: boolean,
  dimensions?: number,
): Promise<EmbeddingAnswer> {
  return context.answering.embed(exchange, {
    model: modelId(name),
    inputs,
    truncate,
    // 0 asks for the model's own number, as absence does.
    dimensions: dimensions || null,
    signal: exchange.signal,
  });
}

function vectorAt({ vectors, dimension }: EmbeddingAnswer, index: number): number[] {
  return Array.from(vectors.subarray(index * dimension, (index + 1) * dimension));
}

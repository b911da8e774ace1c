/**
 * `POST /v1/embeddings`.
 *
 * @module server/openai/embeddings
 */
import { z } from 'zod';
import { totalOf } from '../../base/index.ts';
import { type Exchange, sendJson } from '../http/exchange.ts';
import { receiptHeaders } from '../http/receipt.ts';
import { optional, parseBody } from '../http/schema.ts';
import { usageHeaders } from '../http/usage.ts';
import type { ServerContext } from '../types.ts';
import { textsOrTokens } from './input.ts';
import { peerAsks, peerFields } from './options.ts';

const maxInputs = 2048;

/** A body as clients write it; the API document is made from it. */
export const embeddingsSchema = z.object({
  model: optional(z.string().min(1).max(200)),
  input: textsOrTokens(maxInputs, false),
  encoding_format: optional(z.enum(['float', 'base64'])),
  dimensions: optional(z.int().min(1).max(65_536)),
  user: optional(z.string().max(1000)),
  kith: optional(z.strictObject({ truncate: optional(z.boolean()), ...peerFields })),
});

export function parseEmbeddings(body: unknown) {
  return parseBody(embeddingsSchema, body);
}

/** Little-endian float32 bytes in base64, as OpenAI's clients ask for by default. */
export function base64Floats(vector: Float32Array): string {
  const bytes = Buffer.alloc(vector.length * 4);
  for (let i = 0; i < vector.length; i++) bytes.writeFloatLE(vector[i]!, i * 4);
  return bytes.toString('base64');
}

export function embeddingsRoute(context: ServerContext) {
  return async (exchange: Exchange): Promise<void> => {
    const body = parseEmbeddings(await exchange.json());
    const peers = peerAsks(body.kith);
    const answer = await context.answering.embed(exchange, {
      ...(peers === undefined ? {} : { peers }),
      model: body.model ?? null,
      inputs: body.input,
      truncate: body.kith?.truncate ?? false,
      dimensions: body.dimensions ?? null,
      signal: exchange.signal,
    });
    const { vectors, dimension } = answer;
    const counted = totalOf(answer.tokens);
    // Typed clients cannot read an answer without usage.
    const tokens = counted ?? 0;
    sendJson(
      exchange.response,
      200,
      {
        object: 'list',
        data: body.input.map((_, index) => {
          const vector = vectors.subarray(index * dimension, (index + 1) * dimension);
          return {
            object: 'embedding',
            index,
            embedding: body.encoding_format === 'base64' ? base64Floats(vector) : Array.from(vector),
          };
        }),
        model: answer.receipt.model,
        usage: { prompt_tokens: tokens, total_tokens: tokens },
      },
      { ...receiptHeaders(answer.receipt), ...usageHeaders(counted !== null) },
    );
  };
}

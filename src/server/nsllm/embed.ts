/**
 * `POST /embed`: the vector of one text.
 *
 * @module server/nsllm/embed
 */
import { z } from 'zod';
import { InputError } from '../../base/index.ts';
import { type Exchange, sendJson } from '../http/exchange.ts';
import { receiptHeaders } from '../http/receipt.ts';
import { optional, parseBody } from '../http/schema.ts';
import type { ServerContext } from '../types.ts';
import { modelNamed } from './model-name.ts';

const one = optional(
  z
    .string({
      error: ({ input }) =>
        Array.isArray(input) ? 'must be one text; POST /v1/embeddings takes several' : 'must be a text',
    })
    .min(1, 'must not be empty')
    .transform((value) => value.toWellFormed()),
);

export const embedSchema = z.object({
  text: one,
  /** Other name of `text`. */
  input: one,
  model: optional(z.string().min(1).max(200)),
  kith: optional(z.strictObject({ truncate: optional(z.boolean()) })),
});

export interface EmbedBody {
  readonly text: string;
  readonly model: string | null;
  readonly truncate: boolean;
}

/** Throws `InputError` naming the field. */
export function parseEmbed(body: unknown): EmbedBody {
  const parsed = parseBody(embedSchema, body);
  const given = parsed.text ?? parsed.input;
  if (given === undefined) {
    throw new InputError('invalid_type', 'text: is missing: the text to make a vector of', {
      param: 'text',
    });
  }
  return { text: given, model: parsed.model ?? null, truncate: parsed.kith?.truncate ?? false };
}

export function embedRoute(context: ServerContext) {
  return async (exchange: Exchange): Promise<void> => {
    const began = context.clock.monotonic();
    const body = parseEmbed(await exchange.json());
    const answer = await context.answering.embed(exchange, {
      model: await idOf(context, body.model),
      inputs: [body.text],
      truncate: body.truncate,
      signal: exchange.signal,
    });
    const { vectors, dimension, tokens, receipt } = answer;
    sendJson(
      exchange.response,
      200,
      {
        embedding: Array.from(vectors),
        model: receipt.model,
        dimensions: dimension,
        tokens: tokens[0],
        latency_ms: Math.round(context.clock.monotonic() - began),
      },
      receiptHeaders(receipt),
    );
  };
}

/** The id of the model that the body names; null when it names none. */
export async function idOf(context: ServerContext, name: string | null): Promise<string | null> {
  if (name === null || name === 'default') return name;
  const ids = (await context.gateway.models()).map(({ id }) => id);
  return modelNamed(name, ids);
}

/**
 * `POST /v1/rerank`, as Jina, Cohere and llama.cpp's server have it.
 *
 * @module server/openai/rerank
 */
import { z } from 'zod';
import { totalOf } from '../../base/index.ts';
import { type Exchange, sendJson } from '../http/exchange.ts';
import { receiptHeaders } from '../http/receipt.ts';
import { optional, parseBody } from '../http/schema.ts';
import type { ServerContext } from '../types.ts';

const maxDocuments = 2048;
const maxCharacters = 1_000_000;

const text = z.string().max(maxCharacters);

/** A body as clients write it; the API document is made from it. */
export const rerankSchema = z.object({
  model: optional(z.string().min(1).max(200)),
  query: text.min(1),
  documents: z
    .array(z.union([text, z.object({ text })]))
    .min(1)
    .max(maxDocuments),
  /** Results at most. @default all */
  top_n: optional(z.int().min(1).max(1_000_000)),
  /** Whether results have their document. @default false */
  return_documents: optional(z.boolean()),
});

export function rerankRoute(context: ServerContext) {
  return async (exchange: Exchange): Promise<void> => {
    const body = parseBody(rerankSchema, await exchange.json());
    const documents = body.documents.map((one) => (typeof one === 'string' ? one : one.text));
    const { query, model = null } = body;
    const answer = await context.answering.rank(exchange, {
      ...{ model: model ?? null, query, documents },
      signal: exchange.signal,
    });
    const { scores, receipt } = answer;
    const order = documents.map((_, index) => index).sort((a, b) => scores[b]! - scores[a]! || a - b);
    const tokens = totalOf(answer.tokens) ?? 0;
    sendJson(
      exchange.response,
      200,
      {
        object: 'list',
        results: order.slice(0, body.top_n ?? order.length).map((index) => ({
          index,
          relevance_score: 1 / (1 + Math.exp(-scores[index]!)),
          logit: scores[index]!,
          ...(body.return_documents === true ? { document: { text: documents[index]! } } : {}),
        })),
        model: receipt.model,
        usage: { prompt_tokens: tokens, total_tokens: tokens },
      },
      receiptHeaders(receipt),
    );
  };
}

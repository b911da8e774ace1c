/**
 * `/v1/embeddings` and `/v1/models` in the document.
 *
 * @module server/openapi/openai-models
 */
import { embeddingsSchema } from '../openai/embeddings.ts';
import { rerankSchema } from '../openai/rerank.ts';
import { answer, type Operation, pathParameter, receiptHeaders } from './operation.ts';
import { requestSchema } from './request-schema.ts';
import {
  array,
  choice,
  count,
  literal,
  nullable,
  number,
  object,
  oneOf,
  ref,
  type Schema,
  string,
  unixSeconds,
} from './schema.ts';

/** Base64 of float32 values: four bytes each, so never empty. */
const base64: Schema = { type: 'string', contentEncoding: 'base64', pattern: '^[A-Za-z0-9+/]+={0,2}$' };

export const modelSchemas: Readonly<Record<string, Schema>> = {
  EmbeddingList: object({
    object: literal('list'),
    data: array(
      object({
        object: literal('embedding'),
        index: count,
        embedding: oneOf(array(number, { minItems: 1 }), base64),
      }),
      { minItems: 1 },
    ),
    model: string,
    usage: object({ prompt_tokens: count, total_tokens: count }),
  }),
  Ranking: object({
    object: literal('list'),
    results: array(
      object(
        { index: count, relevance_score: number, logit: number },
        { document: object({ text: { type: 'string' } }) },
      ),
    ),
    model: string,
    usage: object({ prompt_tokens: count, total_tokens: count }),
  }),
  Model: object({
    id: string,
    object: literal('model'),
    created: unixSeconds,
    owned_by: string,
    kith: object(
      {
        task: choice('chat', 'completion', 'embedding', 'rerank'),
        state: choice('loaded', 'ready', 'available'),
        context: nullable({ type: 'integer', minimum: 1 }),
      },
      { peer: string },
    ),
  }),
  ModelList: object({ object: literal('list'), data: array(ref('Model')) }),
};

export const modelOperations: readonly Operation[] = [
  {
    method: 'post',
    path: '/v1/embeddings',
    id: 'createEmbedding',
    summary: 'Make vectors of texts',
    scope: 'embed',
    body: requestSchema(embeddingsSchema),
    answers: {
      '200': answer('Vectors of length 1.', ref('EmbeddingList'), [...receiptHeaders, 'x-kith-usage']),
    },
    error: 'OpenAiError',
  },
  {
    method: 'post',
    path: '/v1/rerank',
    id: 'rerank',
    summary: 'Order documents by their relevance to a query',
    scope: 'embed',
    body: requestSchema(rerankSchema),
    answers: {
      '200': answer('The documents, the most relevant first.', ref('Ranking'), receiptHeaders),
    },
    error: 'OpenAiError',
  },
  {
    method: 'get',
    path: '/v1/models',
    id: 'listModels',
    summary: 'List the models',
    scope: 'read',
    answers: {
      '200': answer(
        'Every model that this node can answer for. With the header `anthropic-version`, those that write text, in pages.',
        oneOf(ref('ModelList'), ref('AnthropicModelList')),
      ),
      '400': answer('The page is not valid.', oneOf(ref('OpenAiError'), ref('AnthropicError'))),
    },
    error: 'OpenAiError',
  },
  {
    method: 'get',
    path: '/v1/models/{id}',
    id: 'retrieveModel',
    summary: 'Describe one model',
    scope: 'read',
    parameters: [pathParameter('id', 'Model id; it may contain slashes.')],
    answers: {
      '200': answer('The model.', oneOf(ref('Model'), ref('AnthropicModel'))),
      '404': answer('No such model.', oneOf(ref('OpenAiError'), ref('AnthropicError'))),
    },
    error: 'OpenAiError',
  },
];

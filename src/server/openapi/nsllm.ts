/**
 * NS-LLM's routes in the document.
 *
 * @module server/openapi/nsllm
 */
import { embedSchema } from '../nsllm/embed.ts';
import { generateSchema } from '../nsllm/generate.ts';
import { type Api, answer, receiptHeaders } from './operation.ts';
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
} from './schema.ts';

const stopReason = choice('eos_token', 'stop_sequence', 'max_tokens');

/** Data of the events by name. */
const events: Readonly<Record<string, Schema>> = {
  meta: object({ model: string, received: count }),
  token: object({ token: { type: 'string', minLength: 1 }, idx: count }),
  done: object(
    {
      done: literal(true),
      token_count: nullable(count),
      model: string,
      tokens_generated: nullable(count),
      latency_ms: count,
      stop_reason: stopReason,
    },
    { kith: ref('Receipt') },
  ),
  error: ref('NsLlmError'),
};

export const nsLlmApi: Api = {
  tag: 'NS-LLM',
  description: 'The routes of NS-LLM, for programs written for it.',
  schemas: {
    NsLlmError: object({ error: string, code: string, param: nullable(string), request_id: string }),
    NsLlmEmbedding: object({
      embedding: array(number, { minItems: 1 }),
      model: string,
      dimensions: count,
      tokens: nullable(count),
      latency_ms: count,
    }),
    NsLlmAnswer: object(
      {
        text: string,
        model: string,
        tokens_generated: nullable(count),
        latency_ms: count,
        stop_reason: stopReason,
      },
      { kith: ref('Receipt') },
    ),
  },
  operations: [
    {
      method: 'post',
      path: '/embed',
      id: 'embed',
      summary: 'Make the vector of a text',
      scope: 'embed',
      body: requestSchema(embedSchema),
      answers: { '200': answer('A vector of length 1.', ref('NsLlmEmbedding'), receiptHeaders) },
      error: 'NsLlmError',
    },
    {
      method: 'post',
      path: '/generate',
      id: 'generate',
      summary: 'Answer a prompt',
      scope: 'generate',
      body: requestSchema(generateSchema),
      answers: {
        '200': {
          description:
            'The whole answer or, with `stream: true` or `accept: text/event-stream`, a stream of named events.',
          content: {
            'application/json': { schema: ref('NsLlmAnswer') },
            'text/event-stream': { schema: oneOf(...Object.values(events)), 'x-events': events },
          },
          headers: receiptHeaders,
        },
      },
      error: 'NsLlmError',
    },
  ],
};

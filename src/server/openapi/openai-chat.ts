/**
 * `/v1/chat/completions` and `/v1/completions` in the document.
 *
 * @module server/openapi/openai-chat
 */
import { chatSchema } from '../openai/chat.ts';
import { completionSchema } from '../openai/completions.ts';
import { fingerprint, finishReason, logprobsOrNull } from './openai-parts.ts';
import { type Answer, type Operation, receiptHeaders } from './operation.ts';
import { requestSchema } from './request-schema.ts';
import {
  array,
  choice,
  count,
  literal,
  nothing,
  nullable,
  object,
  oneOf,
  pattern,
  ref,
  type Schema,
  string,
  unixSeconds,
} from './schema.ts';

const chatHead = (kind: string) => ({
  id: pattern('^chatcmpl-'),
  object: literal(kind),
  created: unixSeconds,
  model: string,
  system_fingerprint: fingerprint,
});
const completionHead = {
  id: pattern('^cmpl-'),
  object: literal('text_completion'),
  created: unixSeconds,
  model: string,
  system_fingerprint: fingerprint,
};
/**
 * With `include_usage` every chunk has `usage`, null until the last, and there too where the backend did not say; `kith`
 * comes with `kith.receipt`.
 */
const chunkExtras = { usage: nullable(ref('CompletionUsage')), kith: ref('Receipt') };

const completionLogprobs = nullable(ref('CompletionLogprobs'));

/**
 * An answer of another server that was passed on byte for byte: of its form no more is certain than what the gateway
 * looks at. This node's own name themselves in `system_fingerprint`.
 */
const passed = (kind: string): Schema => ({
  type: 'object',
  properties: { object: literal(kind), choices: array({ type: 'object' }), model: string },
  required: ['choices'],
  not: { properties: { system_fingerprint: pattern('^kith-') }, required: ['system_fingerprint'] },
});

export const chatSchemas: Readonly<Record<string, Schema>> = {
  ChatCompletion: object(
    {
      ...chatHead('chat.completion'),
      choices: array(
        object({
          index: count,
          message: object(
            { role: literal('assistant'), content: nullable(string), refusal: nothing },
            { tool_calls: array(ref('ToolCall'), { minItems: 1 }) },
          ),
          logprobs: logprobsOrNull,
          finish_reason: finishReason,
        }),
        { minItems: 1 },
      ),
    },
    { usage: ref('CompletionUsage'), kith: ref('Receipt') },
  ),
  ChatCompletionChunk: object(
    {
      ...chatHead('chat.completion.chunk'),
      choices: array(
        object({
          index: count,
          delta: object(
            {},
            {
              role: literal('assistant'),
              content: nullable(string),
              refusal: nothing,
              tool_calls: array(
                object(
                  { index: count, function: object({}, { name: string, arguments: string }) },
                  { id: pattern('^[\\x21-\\x7e]{1,256}$', 'call_0a1B2c3D'), type: literal('function') },
                ),
                { minItems: 1 },
              ),
            },
          ),
          logprobs: logprobsOrNull,
          finish_reason: nullable(finishReason),
        }),
      ),
    },
    chunkExtras,
  ),
  PassedChatCompletion: passed('chat.completion'),
  PassedChatCompletionChunk: passed('chat.completion.chunk'),
  Completion: object(
    {
      ...completionHead,
      choices: array(
        object({
          index: count,
          text: string,
          logprobs: completionLogprobs,
          finish_reason: choice('stop', 'length'),
        }),
        { minItems: 1 },
      ),
    },
    { usage: ref('CompletionUsage'), kith: ref('Receipt') },
  ),
  CompletionChunk: object(
    {
      ...completionHead,
      choices: array(
        object({
          index: count,
          text: string,
          logprobs: completionLogprobs,
          finish_reason: nullable(choice('stop', 'length')),
        }),
      ),
    },
    chunkExtras,
  ),
};

const anyOf = (...schemas: readonly Schema[]): Schema => ({ anyOf: schemas });

const wholeOrStream = (whole: Schema, chunk: Schema): Answer => ({
  description:
    'The whole answer or, with `stream: true`, a stream. An error after the 200 is an event, and the stream then ends without `[DONE]`.',
  content: {
    'application/json': { schema: whole },
    'text/event-stream': { schema: oneOf(chunk, ref('OpenAiError')), 'x-end': '[DONE]' },
  },
  headers: receiptHeaders,
});

export const chatOperations: readonly Operation[] = [
  {
    method: 'post',
    path: '/v1/chat/completions',
    id: 'createChatCompletion',
    summary: 'Answer a conversation',
    scope: 'generate',
    body: requestSchema(chatSchema),
    answers: {
      '200': wholeOrStream(
        anyOf(ref('ChatCompletion'), ref('PassedChatCompletion')),
        anyOf(ref('ChatCompletionChunk'), ref('PassedChatCompletionChunk')),
      ),
    },
    error: 'OpenAiError',
  },
  {
    method: 'post',
    path: '/v1/completions',
    id: 'createCompletion',
    summary: 'Continue texts',
    scope: 'generate',
    body: requestSchema(completionSchema),
    answers: { '200': wholeOrStream(ref('Completion'), ref('CompletionChunk')) },
    error: 'OpenAiError',
  },
];

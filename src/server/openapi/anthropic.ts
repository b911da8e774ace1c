/**
 * Anthropic's API in the document.
 *
 * @module server/openapi/anthropic
 */
import { countTokensSchema, messagesSchema } from '../anthropic/request.ts';
import { type Answer, type Api, answer, json, receiptHeaders } from './operation.ts';
import { requestSchema } from './request-schema.ts';
import {
  anyObject,
  array,
  boolean,
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
} from './schema.ts';

const stopReason = choice('end_turn', 'max_tokens', 'stop_sequence', 'tool_use');

const deltaUsage = {
  input_tokens: nullable(count),
  cache_creation_input_tokens: count,
  cache_read_input_tokens: nullable(count),
  output_tokens: count,
  output_tokens_details: nothing,
  server_tool_use: nothing,
};

const message = (content: Schema, reason: Schema): [Record<string, Schema>, Record<string, Schema>] => [
  {
    id: pattern('^msg_[0-9a-z]+$'),
    type: literal('message'),
    role: literal('assistant'),
    model: string,
    content,
    stop_reason: reason,
    stop_sequence: nullable(string),
    stop_details: nothing,
    container: nothing,
    diagnostics: nothing,
    usage: object({
      ...deltaUsage,
      input_tokens: count,
      cache_creation: nothing,
      inference_geo: nothing,
      service_tier: nothing,
      speed: nothing,
    }),
  },
  { kith: ref('Receipt') },
];

const event = (type: string, fields: Record<string, Schema>, optional: Record<string, Schema> = {}) =>
  object({ type: literal(type), ...fields }, optional);

const [started] = message(array(ref('AnthropicBlock'), { maxItems: 0 }), nothing);

/** Data of the events by name. */
const events: Readonly<Record<string, Schema>> = {
  message_start: event('message_start', { message: object(started) }),
  content_block_start: event('content_block_start', { index: count, content_block: ref('AnthropicBlock') }),
  content_block_delta: event('content_block_delta', {
    index: count,
    delta: oneOf(
      object({ type: literal('text_delta'), text: string }),
      object({ type: literal('input_json_delta'), partial_json: string }),
    ),
  }),
  content_block_stop: event('content_block_stop', { index: count }),
  message_delta: event(
    'message_delta',
    {
      delta: object({
        stop_reason: stopReason,
        stop_sequence: nullable(string),
        stop_details: nothing,
        container: nothing,
      }),
      usage: object(deltaUsage),
    },
    { kith: ref('Receipt') },
  ),
  message_stop: event('message_stop', {}),
  ping: event('ping', {}),
  error: ref('AnthropicError'),
};

const overloaded: Answer = {
  description: 'More to do than the node can; `retry-after` says when to come back.',
  content: json(ref('AnthropicError')),
  headers: ['retry-after', 'retry-after-ms'],
};

export const anthropicApi: Api = {
  tag: 'Anthropic',
  description:
    "Anthropic's API: point its clients at the node, without `/v1`. Answers repeat the request id in `request-id`. With the header `anthropic-version`, `/v1/models` answers in this API's shape.",
  schemas: {
    AnthropicError: object({
      type: literal('error'),
      error: object({
        type: choice(
          'invalid_request_error',
          'authentication_error',
          'permission_error',
          'not_found_error',
          'timeout_error',
          'conflict_error',
          'request_too_large',
          'rate_limit_error',
          'api_error',
          'overloaded_error',
        ),
        message: string,
        details: object({ error_code: string }),
      }),
      request_id: string,
    }),
    AnthropicBlock: oneOf(
      object({ type: literal('text'), text: string, citations: nothing }),
      object({
        type: literal('tool_use'),
        id: pattern('^toolu_[\\x21-\\x7e]{1,256}$', 'toolu_0a1B2c3D'),
        name: string,
        input: anyObject,
        caller: object({ type: literal('direct') }),
      }),
    ),
    AnthropicMessage: object(...message(array(ref('AnthropicBlock')), stopReason)),
    AnthropicModel: object({
      type: literal('model'),
      id: string,
      display_name: string,
      created_at: string,
      max_input_tokens: nullable({ type: 'integer', minimum: 1 }),
      max_tokens: nothing,
      capabilities: nothing,
      lifecycle: literal('active'),
      line: nothing,
      deprecated_at: nothing,
      retires_at: nothing,
    }),
    AnthropicModelList: object({
      data: array(ref('AnthropicModel')),
      has_more: boolean,
      first_id: nullable(string),
      last_id: nullable(string),
    }),
  },
  operations: [
    {
      method: 'post',
      path: '/v1/messages',
      id: 'createMessage',
      summary: 'Answer a conversation',
      scope: 'generate',
      body: requestSchema(messagesSchema),
      answers: {
        '200': {
          description: 'The whole answer or, with `stream: true`, a stream of named events.',
          content: {
            'application/json': { schema: ref('AnthropicMessage') },
            'text/event-stream': { schema: oneOf(...Object.values(events)), 'x-events': events },
          },
          headers: [...receiptHeaders, 'x-kith-usage'],
        },
        '529': overloaded,
      },
      error: 'AnthropicError',
    },
    {
      method: 'post',
      path: '/v1/messages/count_tokens',
      id: 'countMessageTokens',
      summary: 'Count the tokens of a prompt',
      scope: 'generate',
      body: requestSchema(countTokensSchema),
      answers: {
        '200': answer('Tokens of the prompt, template and tools included.', object({ input_tokens: count })),
        '529': overloaded,
      },
      error: 'AnthropicError',
    },
  ],
};

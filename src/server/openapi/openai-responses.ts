/**
 * `/v1/responses` in the document.
 *
 * @module server/openapi/openai-responses
 */
import { responseSchema } from '../openai/responses/body.ts';
import { openAiParts } from './openai-parts.ts';
import { answer, type Operation, pathParameter, receiptHeaders } from './operation.ts';
import { requestSchema } from './request-schema.ts';
import {
  anyObject,
  array,
  boolean,
  choice,
  count,
  literal,
  mapOf,
  nothing,
  nullable,
  number,
  object,
  oneOf,
  pattern,
  ref,
  type Schema,
  string,
  unixSeconds,
} from './schema.ts';

const positive: Schema = { type: 'integer', minimum: 1 };
const itemStatus = choice('in_progress', 'completed', 'incomplete');
const messageId = pattern('^msg_[0-9a-z_]+$');
const callItemId = pattern('^fc_[0-9a-z_]+$');

const event = (type: string, fields: Readonly<Record<string, Schema>>): Schema =>
  object({ type: literal(type), sequence_number: count, ...fields });
const lifecycle = (type: string) => [type, event(type, { response: ref('Response') })];
const inMessage = { item_id: messageId, output_index: count, content_index: count };
const inCall = { item_id: callItemId, output_index: count };
/** The same fields once more, as an error has them that comes before the 200. */
const errorFields = (openAiParts.OpenAiError!.properties as Record<string, Schema>).error!;
const logprobs = array(ref('ResponseLogprob'));

/** Data of the events by name. */
const events = Object.fromEntries([
  ...['created', 'in_progress', 'completed', 'incomplete', 'failed'].map((word) =>
    lifecycle(`response.${word}`),
  ),
  ...(
    [
      ['response.output_item.added', { output_index: count, item: ref('ResponseItem') }],
      ['response.output_item.done', { output_index: count, item: ref('ResponseItem') }],
      ['response.content_part.added', { ...inMessage, part: ref('ResponseText') }],
      ['response.content_part.done', { ...inMessage, part: ref('ResponseText') }],
      ['response.output_text.delta', { ...inMessage, delta: string, logprobs }],
      ['response.output_text.done', { ...inMessage, text: string, logprobs }],
      ['response.function_call_arguments.delta', { ...inCall, delta: string }],
      ['response.function_call_arguments.done', { ...inCall, name: string, arguments: string }],
      ['error', { code: string, message: string, param: nullable(string), error: errorFields }],
    ] satisfies [string, Record<string, Schema>][]
  ).map(([type, fields]) => [type, event(type, fields)]),
]) as Readonly<Record<string, Schema>>;

const token = { token: string, logprob: number, bytes: array(count) };

export const responseSchemas: Readonly<Record<string, Schema>> = {
  ResponseLogprob: object({ ...token, top_logprobs: array(object(token), { maxItems: 20 }) }),
  ResponseText: object({
    type: literal('output_text'),
    text: string,
    annotations: array({}, { maxItems: 0 }),
    logprobs,
  }),
  ResponseItem: oneOf(
    object({
      id: messageId,
      type: literal('message'),
      status: itemStatus,
      role: literal('assistant'),
      content: array(ref('ResponseText'), { maxItems: 1 }),
    }),
    object({
      id: callItemId,
      type: literal('function_call'),
      status: itemStatus,
      call_id: pattern('^[\\x21-\\x7e]{1,256}$', 'call_0a1B2c3D'),
      name: string,
      arguments: string,
    }),
  ),
  Response: object(
    {
      id: pattern('^resp_[0-9a-z]+$'),
      object: literal('response'),
      created_at: unixSeconds,
      status: choice('in_progress', 'completed', 'incomplete', 'failed'),
      completed_at: nullable(unixSeconds),
      background: literal(false),
      error: nullable(
        object({
          code: choice('server_error', 'rate_limit_exceeded', 'invalid_prompt'),
          message: string,
        }),
      ),
      incomplete_details: nullable(object({ reason: literal('max_output_tokens') })),
      model: string,
      output: array(ref('ResponseItem')),
      usage: nullable(
        object({
          input_tokens: count,
          input_tokens_details: object({ cached_tokens: count, cache_write_tokens: literal(0) }),
          output_tokens: count,
          output_tokens_details: object({ reasoning_tokens: literal(0) }),
          total_tokens: count,
        }),
      ),
      instructions: nullable(string),
      max_output_tokens: nullable(positive),
      max_tool_calls: nullable(positive),
      metadata: mapOf(string),
      parallel_tool_calls: boolean,
      temperature: number,
      top_p: number,
      presence_penalty: number,
      frequency_penalty: number,
      top_logprobs: count,
      text: object({ format: anyObject }, { verbosity: string }),
      tool_choice: oneOf(choice('auto', 'none', 'required'), anyObject),
      tools: array(
        object({
          type: literal('function'),
          name: string,
          description: nullable(string),
          parameters: nullable(anyObject),
          strict: boolean,
        }),
      ),
      truncation: choice('auto', 'disabled'),
      user: nullable(string),
      safety_identifier: nullable(string),
      prompt_cache_key: nullable(string),
      previous_response_id: nothing,
      reasoning: object({ effort: nullable(string), summary: nothing }),
      service_tier: literal('default'),
      store: literal(false),
      access_programs: nothing,
    },
    { kith: ref('Receipt') },
  ),
};

const id = [pathParameter('id', 'Id of a response.')];
const stored = (method: Operation['method'], path: string, name: string, summary: string): Operation => ({
  method,
  path,
  id: name,
  summary,
  description: 'Responses are not stored: always 404 `response_not_found`.',
  scope: 'generate',
  parameters: id,
  answers: {},
  error: 'OpenAiError',
});

export const responseOperations: readonly Operation[] = [
  {
    method: 'post',
    path: '/v1/responses',
    id: 'createResponse',
    summary: 'Answer with items: texts and function calls',
    description:
      'No response is stored. Unless `store` is false, the items of `output` are remembered in memory for an hour after their last use, so that the same caller may send `{"type":"item_reference","id":...}` in their place; a reference to any other item is 400 `item_not_found`.',
    scope: 'generate',
    body: requestSchema(responseSchema),
    answers: {
      '200': {
        description:
          'The whole response or, with `stream: true`, a stream of named events. An error after the 200 is an `error` event and then `response.failed`.',
        content: {
          'application/json': { schema: ref('Response') },
          'text/event-stream': { schema: oneOf(...Object.values(events)), 'x-events': events },
        },
        headers: receiptHeaders,
      },
    },
    error: 'OpenAiError',
  },
  {
    method: 'post',
    path: '/v1/responses/input_tokens',
    id: 'countResponseTokens',
    summary: 'Count the tokens that the same body would make',
    scope: 'generate',
    body: requestSchema(responseSchema),
    answers: {
      '200': answer(
        'Tokens, template and tools included.',
        object({ object: literal('response.input_tokens'), input_tokens: count }),
      ),
    },
    error: 'OpenAiError',
  },
  stored('get', '/v1/responses/{id}', 'retrieveResponse', 'Not stored: 404'),
  stored('delete', '/v1/responses/{id}', 'deleteResponse', 'Not stored: 404'),
  stored('post', '/v1/responses/{id}/cancel', 'cancelResponse', 'Not stored: 404'),
  stored('get', '/v1/responses/{id}/input_items', 'listInputItems', 'Not stored: 404'),
];

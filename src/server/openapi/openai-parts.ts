/**
 * Shapes that several routes of OpenAI's API share.
 *
 * @module server/openapi/openai-parts
 */
import { PRIVACY_LEVELS } from '../../base/index.ts';
import {
  array,
  choice,
  count,
  described,
  literal,
  milliseconds,
  nothing,
  nullable,
  number,
  object,
  pattern,
  ref,
  type Schema,
  string,
} from './schema.ts';
import { receiptPath } from './shard-paths.ts';

const probability: Schema = { type: 'number', maximum: 0, description: 'Natural logarithm.' };
const byte = { type: 'integer', minimum: 0, maximum: 255 };
const tokenFields = { token: string, logprob: probability, bytes: array(byte) };

export const finishReason = choice('stop', 'length', 'tool_calls');
export const fingerprint = pattern('^kith-', 'kith-0.1.0');

export const openAiParts: Readonly<Record<string, Schema>> = {
  OpenAiError: object({
    error: object({
      message: string,
      type: choice(
        'invalid_request_error',
        'authentication_error',
        'permission_error',
        'rate_limit_error',
        'server_error',
      ),
      param: nullable(string),
      code: nullable(string),
    }),
  }),
  Receipt: object(
    {
      backend: string,
      model: string,
      queue_ms: nullable(milliseconds),
      prefill_ms: nullable(milliseconds),
      decode_ms: nullable(milliseconds),
      notes: array(string),
      route: ref('ReceiptRoute'),
    },
    {
      path: receiptPath,
      drafted_tokens: described('Guessed and checked several at once; absent when none were.', count),
      accepted_tokens: described('Of them those that held.', count),
    },
  ),
  ReceiptRoute: object({
    step: choice('cache', 'local', 'swarm', 'peer', 'remote', 'search', 'stale', 'explanation', 'crisis'),
    attempts: array(
      object({
        backend: string,
        model: string,
        reason: string,
        outcome: choice('running', 'answered', 'failed', 'cut', 'stalled', 'lost', 'left', 'skipped'),
        code: nullable(string),
        wait_ms: milliseconds,
        first_token_ms: nullable(milliseconds),
        ms: milliseconds,
      }),
    ),
    privacy: object({
      level: choice(...PRIVACY_LEVELS),
      where: nullable(choice('this_machine', 'owned', 'peer', 'provider')),
      link: nullable(choice('encrypted', 'owned_network', 'open')),
      replaced: nullable(array(object({ class: string, count, distinct: count }))),
    }),
    cache: nullable(
      object(
        {
          status: choice('hit', 'similar', 'shared', 'stale'),
          age_ms: milliseconds,
          saved_tokens: nullable(count),
        },
        {
          similarity: described('Cosine of the two questions; stands where the status is `similar`.', number),
        },
      ),
    ),
    cost: nullable(number),
    complexity: nullable(
      object({
        side: choice('local', 'frontier'),
        by: choice('score', 'lot', 'forced'),
        score: nullable(number),
        threshold: number,
        decision: string,
      }),
    ),
  }),
  CompletionUsage: object(
    {
      prompt_tokens: count,
      completion_tokens: count,
      total_tokens: count,
      completion_tokens_details: object({ reasoning_tokens: count }),
    },
    { prompt_tokens_details: object({ cached_tokens: count }) },
  ),
  ToolCall: object({
    id: pattern('^[\\x21-\\x7e]{1,256}$', 'call_0a1B2c3D'),
    type: literal('function'),
    function: object({ name: string, arguments: string }),
  }),
  ChatLogprobs: object({
    content: array(object({ ...tokenFields, top_logprobs: array(object(tokenFields), { maxItems: 20 }) })),
    refusal: nothing,
  }),
  CompletionLogprobs: object({
    tokens: array(string),
    token_logprobs: array(probability),
    top_logprobs: array({ type: 'object', additionalProperties: number }),
    text_offset: array(count),
  }),
};

export const logprobsOrNull = nullable(ref('ChatLogprobs'));

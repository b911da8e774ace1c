/**
 * Requests as they cross between nodes: the payload of `kith/chat/1` and `kith/embed/1`, deterministic CBOR. The names of
 * fields are those of `ChatRequest` and `EmbeddingRequest`; the bounds are those of the HTTP surface. A field beside them
 * is refused; a field that is not there has its default.
 *
 * | chat                                        | bounds                                                           |
 * | ------------------------------------------- | ---------------------------------------------------------------- |
 * | `model`                                     | 1 to 200 characters                                              |
 * | `messages`                                  | 1 to 2048: `role`, `content`, `name`, `tool_calls` (128), `tool_call_id` |
 * | `n`                                         | 1 to 16                                                          |
 * | `sampler`                                   | temperature, topK, topP, minP, penalties, logitBias (1024), seed, topLogprobs (20) |
 * | `maxTokens`, `timeoutMs`, `keepTokens`      | integers                                                         |
 * | `stop`                                      | 16 of 1 to 1000 characters                                       |
 * | `overflow`                                  | `error`, `slide`                                                 |
 * | `grammar`                                   | `json_schema`, `json_object`, `regex` (10,000 characters)        |
 * | `tools`                                     | 128: `name`, `description` (16,384), `parameters`, `strict`      |
 * | `toolChoice`, `parallelToolCalls`           | `auto`, `none`, `required`, or a map with a `name`; a boolean     |
 * | `variables`                                 | 16 texts, numbers or booleans                                    |
 * | `prefill`                                   | text                                                             |
 *
 * Embeddings: `model`, `inputs` (256 texts or lists of token ids), `truncate`, `dimensions` (65,536 or null).
 *
 * @module gateway/peers/requests
 */
import { z } from 'zod';
import type { CborValue, InputError } from '../../base/index.ts';
import type { Grammar } from '../../engine/index.ts';
import type { ChatRequest, EmbeddingRequest } from '../types.ts';
import { isMap, malformed } from './fields.ts';
import { decodePayload, encodePayload, PEER_BOUNDS } from './protocol.ts';

/** A request without what only its own node knows of it. */
export type PeerChat = Omit<
  ChatRequest,
  'signal' | 'model' | 'terms' | 'headers' | 'peers' | 'drawnSeed' | 'whole'
> & {
  readonly model: string;
};
export type PeerEmbedding = Omit<EmbeddingRequest, 'signal' | 'model' | 'terms' | 'headers' | 'peers'> & {
  readonly model: string;
};

/** Elements are looked at up to the first fault: noting one for each of a hostile list would take seconds. */
function bounded<T extends z.ZodType>(element: T, min: number, max: number) {
  return z
    .array(z.unknown())
    .min(min)
    .max(max)
    .transform((values, context): z.output<T>[] => {
      const parsed: z.output<T>[] = [];
      for (const [index, value] of values.entries()) {
        const result = element.safeParse(value);
        if (result.success) parsed.push(result.data);
        else {
          const path = [index, ...result.error.issues[0]!.path] as (string | number)[];
          context.addIssue({ code: 'custom', message: 'is not allowed', path });
          return z.NEVER;
        }
      }
      return parsed;
    });
}

const text = z.string();
const json = z.unknown().refine(isJson, 'must be JSON');
const whole = (min: number, max: number) => z.int().min(min).max(max);
const model = z.string().min(1).max(200);
const functionName = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);

const toolCall = z.strictObject({
  id: z.string().min(1).max(256),
  type: z.literal('function'),
  function: z.strictObject({ name: functionName, arguments: text }),
});

const message = z.strictObject({
  role: z.enum(['system', 'user', 'assistant', 'tool']),
  content: text.nullable(),
  name: text.optional(),
  tool_calls: bounded(toolCall, 0, 128).optional(),
  tool_call_id: z.string().min(1).max(256).optional(),
});

const bias = z.tuple([whole(0, 2 ** 31 - 1), z.number().min(-100).max(100)]);

const sampler = z.strictObject({
  temperature: z.number().min(0).max(2).optional(),
  topK: whole(0, 1_000_000).optional(),
  topP: z.number().gt(0).max(1).optional(),
  minP: z.number().min(0).max(1).optional(),
  repeatPenalty: z.number().gt(0).max(10).optional(),
  repeatLastN: whole(-1, 1_000_000).optional(),
  presencePenalty: z.number().min(-2).max(2).optional(),
  frequencyPenalty: z.number().min(-2).max(2).optional(),
  logitBias: bounded(bias, 0, 1024).optional(),
  seed: whole(0, 2 ** 32 - 1).optional(),
  topLogprobs: whole(0, 20).nullable().optional(),
});

const schema = json.refine((value) => typeof value === 'boolean' || isObject(value), 'must be a schema');
const grammar = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('json_schema'), schema }),
  z.strictObject({ kind: z.literal('json_object') }),
  z.strictObject({ kind: z.literal('regex'), pattern: z.string().max(10_000) }),
]);

const tool = z.strictObject({
  name: functionName,
  description: z.string().max(16_384).nullable(),
  parameters: json.refine((value) => value === null || isObject(value), 'must be a schema'),
  strict: z.boolean(),
});

const variable = z.union([z.string().max(1000), z.number(), z.boolean()]);

const chat = z.strictObject({
  model,
  messages: bounded(message, 1, 2048),
  n: whole(1, PEER_BOUNDS.choices).default(1),
  sampler: sampler.default({}),
  maxTokens: whole(1, 2 ** 31 - 1)
    .nullable()
    .default(null),
  timeoutMs: whole(1, 86_400_000).nullable().default(null),
  stop: bounded(z.string().min(1).max(1000), 0, 16).default([]),
  overflow: z.enum(['error', 'slide']).nullable().default(null),
  keepTokens: whole(0, 1_000_000).default(0),
  grammar: grammar.optional(),
  tools: bounded(tool, 0, 128).optional(),
  toolChoice: z
    .union([z.enum(['auto', 'none', 'required']), z.strictObject({ name: functionName })])
    .optional(),
  parallelToolCalls: z.boolean().optional(),
  variables: z
    .record(z.string().max(64), variable)
    .refine((value) => Object.keys(value).length <= 16)
    .optional(),
  prefill: text.optional(),
});

const tokenIds = bounded(whole(0, 2 ** 31 - 1), 1, 1_000_000).transform((ids) => Int32Array.from(ids));

const embedding = z.strictObject({
  model,
  inputs: bounded(z.union([text.min(1), tokenIds]), 1, PEER_BOUNDS.inputs),
  truncate: z.boolean().default(false),
  dimensions: whole(1, PEER_BOUNDS.dimension).nullable().default(null),
});

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Throws InputError `peer_malformed` that names the field, or `cbor_invalid`. */
export function decodeChat(payload: Uint8Array): PeerChat {
  return parsed(chat, payload) as PeerChat;
}

export function decodeEmbedding(payload: Uint8Array): PeerEmbedding {
  return parsed(embedding, payload) as PeerEmbedding;
}

/** Throws InputError when the request has what peers do not take. */
export function encodeChat(request: PeerChat): Uint8Array {
  const { model, messages, n, sampler, maxTokens, timeoutMs, stop, overflow, keepTokens } = request;
  const { grammar, tools, toolChoice, parallelToolCalls, variables, prefill } = request;
  return encoded(chat, {
    ...{ model, messages, n, sampler, maxTokens, timeoutMs, stop, overflow, keepTokens },
    ...{
      grammar: grammar satisfies Grammar | undefined,
      tools,
      toolChoice,
      parallelToolCalls,
      variables,
      prefill,
    },
  });
}

export function encodeEmbedding({ model, inputs, truncate, dimensions = null }: PeerEmbedding): Uint8Array {
  const rows = inputs.map((input) => (typeof input === 'string' ? input : [...input]));
  return encoded(embedding, { model, inputs: rows, truncate, dimensions });
}

/** What goes out is held to the same form: a peer would refuse it only after it was told. */
function encoded(form: z.ZodType, value: object): Uint8Array {
  const plain = plainOf(value);
  const result = form.safeParse(plain);
  if (!result.success) throw faultOf(result.error);
  return encodePayload(plain, PEER_BOUNDS.requestBytes);
}

function parsed(form: z.ZodType, payload: Uint8Array): unknown {
  const result = form.safeParse(decodePayload(payload, PEER_BOUNDS.requestBytes));
  if (!result.success) throw faultOf(result.error);
  return result.data;
}

function faultOf(error: z.ZodError): InputError {
  const { path } = error.issues[0]!;
  return malformed(`'${path.map(String).join('.').slice(0, 100)}' of the request is not allowed`);
}

/** Without what is undefined; texts as valid Unicode. */
function plainOf(value: unknown): CborValue {
  if (typeof value === 'string') return value.toWellFormed();
  if (Array.isArray(value)) return value.map(plainOf);
  if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array)) {
    const out: Record<string, CborValue> = {};
    for (const [key, each] of Object.entries(value))
      if (each !== undefined)
        Object.defineProperty(out, key.toWellFormed(), {
          value: plainOf(each),
          enumerable: true,
          configurable: true,
          writable: true,
        });
    return out;
  }
  return value as CborValue;
}

/** True for what a call may hold as JSON: no bytes, no integers beyond 2^53. */
function isJson(value: CborValue | unknown): boolean {
  if (Array.isArray(value)) return value.every(isJson);
  if (isMap(value as CborValue)) return Object.values(value as object).every(isJson);
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}

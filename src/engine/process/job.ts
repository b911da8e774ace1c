/**
 * Requests as they cross the process boundary, written by the parent and checked by both sides.
 *
 * @module engine/process/job
 */

import { InputError } from '../../base/index.ts';
import { parseGrammar } from '../grammar/index.ts';
import type { ForwardPart } from '../runner/types.ts';
import { parseSamplerOptions } from '../sampler/index.ts';
import type { Elsewhere, EngineOptions, Grammar, LoadRequest, SamplerOptions } from '../types.ts';
import { asFloat32, asInt32, type Frame, type FrameMeta, packArrays } from './frames.ts';
import type { Conversation } from './hosted.ts';
import { checkFinite, checkTokens, type Shape, shapeOf } from './shape.ts';

/** A prompt that is tokens already, and how to go on from it. */
export interface GenerateJob {
  readonly model: string;
  readonly tokens: Int32Array;
  readonly sampler: Partial<SamplerOptions> & { readonly seed: number };
  readonly maxTokens: number | null;
  readonly stop: readonly string[];
  readonly grammar: Grammar | null;
  readonly shown: readonly string[];
  readonly overflow: 'error' | 'slide';
  readonly keepTokens: number;
  readonly echo: boolean;
  readonly cachePrompt: boolean;
  readonly priority: number;
  readonly timeoutMs: number | null;
  /** Name of the request field that an over-long prompt is blamed on. */
  readonly promptParam: 'messages' | 'prompt';
}

const MAX_ID = 256;
const MAX_STOPS = 64;
const MAX_STOP_LENGTH = 4096;
const MAX_SHOWN = 64;
const MAX_TOKENS = 0x7fffffff;
const MAX_MS = 2 ** 31 - 1;

export function encodeGenerate(job: GenerateJob): { meta: FrameMeta; payload: Uint8Array } {
  const { tokens, ...meta } = job;
  return { meta: meta as unknown as FrameMeta, payload: packArrays([tokens]) };
}

/** Both ends: the parent before it sends, the engine process before anything native sees it. */
export function checkGenerate(job: GenerateJob, vocab: number): void {
  if (job.tokens.length === 0) {
    throw new InputError('prompt_empty', 'The prompt has no tokens; give at least one character.', {
      param: job.promptParam,
    });
  }
  checkTokens(job.tokens, vocab, job.promptParam);
  for (const [token] of job.sampler.logitBias ?? []) {
    if (token >= vocab) {
      throw new InputError(
        'token_invalid',
        `\`logit_bias\` names token ${token}; this model's tokens are 0 to ${vocab - 1}.`,
        { param: 'logit_bias', details: { token, vocab } },
      );
    }
  }
}

export function decodeGenerate(frame: Frame): GenerateJob {
  const shape = shapeOf(frame.meta);
  const sampler = parseSamplerOptions(frame.meta.sampler);
  return {
    model: shape.string('model', MAX_ID),
    tokens: asInt32(frame.payload),
    sampler: { ...sampler, seed: sampler.seed ?? 0 },
    maxTokens: shape.has('maxTokens') ? shape.integer('maxTokens', 0, MAX_TOKENS) : null,
    stop: shape.strings('stop', MAX_STOPS, MAX_STOP_LENGTH),
    grammar: shape.has('grammar') ? parseGrammar(frame.meta.grammar) : null,
    shown: shape.has('shown') ? shape.strings('shown', MAX_SHOWN, MAX_STOP_LENGTH) : [],
    overflow: shape.oneOf('overflow', ['error', 'slide']),
    keepTokens: shape.integer('keepTokens', 0, MAX_TOKENS),
    echo: shape.boolean('echo'),
    cachePrompt: shape.boolean('cachePrompt'),
    priority: shape.number('priority', -1e9, 1e9),
    timeoutMs: shape.has('timeoutMs') ? shape.integer('timeoutMs', 1, MAX_MS) : null,
    promptParam: shape.oneOf('promptParam', ['messages', 'prompt']),
  };
}

export function encodeLoad(request: LoadRequest): FrameMeta {
  return {
    id: request.id,
    path: request.path,
    ...(request.range === undefined ? {} : { range: request.range }),
    ...(request.elsewhere === undefined ? {} : { elsewhere: request.elsewhere }),
  };
}

export function decodeLoad(meta: FrameMeta): LoadRequest {
  const shape = shapeOf(meta);
  const id = shape.string('id', MAX_ID);
  const path = shape.string('path', 32_768);
  if (shape.has('elsewhere')) return { id, path, elsewhere: decodeElsewhere(shape.record('elsewhere')) };
  if (!shape.has('range')) return { id, path };
  const range = shape.record('range');
  const from = range.integer('from', 0, 4096);
  const to = range.integer('to', from, 4096);
  return { id, path, range: { from, to, embed: range.boolean('embed'), head: range.boolean('head') } };
}

function decodeElsewhere(shape: Shape): Elsewhere {
  const from = shape.integer('from', 0, 4096);
  return {
    from,
    to: shape.integer('to', from + 1, 4096),
    kvCells: shape.integer('kvCells', 1, 1 << 24),
    ...(shape.has('pieceRows') ? { pieceRows: shape.integer('pieceRows', 1, 4096) } : {}),
  };
}

/** Token rows in one payload; their lengths are in the meta. */
export function encodeRows(
  model: string,
  rows: readonly Int32Array[],
): { meta: FrameMeta; payload: Uint8Array } {
  return { meta: { model, lengths: rows.map((row) => row.length) }, payload: packArrays(rows) };
}

/** @param least tokens of a row */
export function decodeRows(frame: Frame, least = 1): { model: string; rows: Int32Array[] } {
  const shape = shapeOf(frame.meta);
  const tokens = asInt32(frame.payload);
  const lengths = shape.integers('lengths', 65_536, least, tokens.length);
  const rows: Int32Array[] = [];
  let at = 0;
  for (const length of lengths) {
    rows.push(tokens.subarray(at, at + length));
    at += length;
  }
  if (at !== tokens.length) throw mismatch('lengths', at, tokens.length);
  return { model: shape.string('model', MAX_ID), rows };
}

function mismatch(name: string, want: number, have: number): InputError {
  return new InputError(
    'request_invalid',
    `\`${name}\` describe ${want} values, the payload holds ${have}.`,
    {
      param: name,
    },
  );
}

export function encodeForward(
  model: string,
  parts: readonly ForwardPart[],
): { meta: FrameMeta; payload: Uint8Array } {
  const arrays: (Int32Array | Float32Array)[] = [];
  const described = parts.map((part) => {
    arrays.push(part.cells);
    if (part.tokens !== null) arrays.push(part.tokens);
    if (part.hidden !== null) arrays.push(part.hidden);
    return {
      cells: part.cells.length,
      start: part.start,
      count: part.count,
      tokens: part.tokens?.length ?? null,
      hidden: part.hidden?.length ?? null,
      outputs: part.outputs,
    };
  });
  return { meta: { model, parts: described }, payload: packArrays(arrays) };
}

export function decodeForward(frame: Frame): { model: string; parts: ForwardPart[] } {
  const shape = shapeOf(frame.meta);
  const words = asInt32(frame.payload);
  let at = 0;
  const take = (count: number): Int32Array => {
    if (count > words.length - at) throw mismatch('parts', at + count, words.length);
    at += count;
    return words.subarray(at - count, at);
  };
  const parts = shape.records('parts', 1024).map((part): ForwardPart => {
    const optional = (key: string): Int32Array | null =>
      part.has(key) ? take(part.integer(key, 0, words.length)) : null;
    const cells = take(part.integer('cells', 0, words.length));
    const tokens = optional('tokens');
    const hidden = optional('hidden');
    return {
      cells,
      start: part.integer('start', 0, MAX_TOKENS),
      count: part.integer('count', 1, 1 << 20),
      tokens,
      hidden: hidden === null ? null : new Float32Array(hidden.buffer, hidden.byteOffset, hidden.length),
      outputs: part.oneOf('outputs', ['none', 'last', 'all', 'each']),
    };
  });
  if (at !== words.length) throw mismatch('parts', at, words.length);
  return { model: shape.string('model', MAX_ID), parts };
}

/** Shapes that the runner cannot know are wrong before it computes: token ids and numbers. */
export function checkForward(parts: readonly ForwardPart[], vocab: number): void {
  for (const [index, part] of parts.entries()) {
    if (part.tokens !== null) checkTokens(part.tokens, vocab, `parts[${index}].tokens`);
    if (part.hidden !== null) checkFinite(part.hidden, `parts[${index}].hidden`);
  }
}

/** Messages were checked where they came in; what a template reads of them it must expect to be anything. */
export function decodeConversation(frame: Frame): Conversation {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(frame.payload));
  } catch (cause) {
    throw new InputError('request_invalid', 'The conversation is not JSON in UTF-8.', {
      param: 'messages',
      cause,
    });
  }
  const shape = shapeOf(value as FrameMeta);
  for (const message of shape.records('messages', 65_536)) message.string('role', 64);
  return value as Conversation;
}

export function encodeReplyArray(
  meta: FrameMeta,
  values: Int32Array | Float32Array,
): { meta: FrameMeta; payload: Uint8Array } {
  return { meta, payload: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) };
}

export function floatsOf(frame: Frame): Float32Array {
  return asFloat32(frame.payload);
}

/** The engine's options as the first message to the process carries them. */
export function decodeOptions(meta: FrameMeta): EngineOptions & { libraryRoots: readonly string[] } {
  const shape: Shape = shapeOf(meta).record('options');
  const orNull = (key: string, max: number): number | null =>
    shape.has(key) ? shape.integer(key, 1, max) : null;
  return {
    threads: shape.integer('threads', 1, 512),
    device: shape.oneOf('device', ['auto', 'cpu', 'cuda', 'vulkan', 'metal']),
    kvType: shape.oneOf('kvType', ['f32', 'f16', 'q8_0', 'q4_0']),
    context: orNull('context', 1 << 30),
    kvCells: orNull('kvCells', 1 << 30),
    maxActive: shape.integer('maxActive', 1, 1024),
    maxQueue: shape.integer('maxQueue', 0, 1 << 20),
    maxWaitMs: shape.integer('maxWaitMs', 1, MAX_MS),
    maxRunMs: shape.integer('maxRunMs', 1, MAX_MS),
    maxTokens: shape.integer('maxTokens', 1, MAX_TOKENS),
    prefillChunk: shape.integer('prefillChunk', 1, 65_536),
    speculation: shape.oneOf('speculation', ['auto', 'off']),
    memoryBytes: orNull('memoryBytes', Number.MAX_SAFE_INTEGER),
    libraryRoots: shape.strings('libraryRoots', 64, 32_768),
  };
}

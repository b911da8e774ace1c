/**
 * The engine as other rooms see it: text thread and engine process behind one object.
 *
 * @module engine/process/engine
 */

import { InputError, KithError, throwIfAborted } from '../../base/index.ts';
import { createGrammarCheck } from '../grammar/index.ts';
import type { ForwardPart, ForwardResult } from '../runner/types.ts';
import { parseSamplerOptions } from '../sampler/index.ts';
import { createTextThread } from '../text/index.ts';
import type { EmbedRequest, EmbedResult, EncodeOptions, GenerateRequest, Prompt } from '../types.ts';
import type { Call } from './connection.ts';
import { fitWindow, groupRows, inputTooLong } from './embedding.ts';
import { FRAME_CAPS, type Frame } from './frames.ts';
import { encodeHop } from './hop.ts';
import {
  checkForward,
  checkGenerate,
  encodeForward,
  encodeGenerate,
  encodeRows,
  floatsOf,
  type GenerateJob,
} from './job.ts';
import { decodeKvCells, encodeKvCells } from './kv-cells.ts';
import type { LeaseTerms } from './leases.ts';
import { createModels, type ReadyModel } from './models.ts';
import { resolveOptions } from './options.ts';
import { createRanking, wrongTask } from './ranking.ts';
import { checkTokens } from './shape.ts';
import { streamEvents } from './stream.ts';
import { DEFAULT_SUPERVISOR_LIMITS } from './supervision.ts';
import { Supervisor } from './supervisor.ts';
import type {
  CellLease,
  CreateEngineOptions,
  Engine,
  EngineDevices,
  LeaseOptions,
  ModelStatus,
} from './types.ts';
import { createWriting, isOverLimit } from './writing.ts';

/** Tokens that one prompt may have where it may be longer than the context: what a message to the engine process holds. */
const MOST_TOKENS = FRAME_CAPS.generate.payload / 4;
/** A prompt is counted up to this many times the context: nobody needs the number of tokens of what is far too long. */
const COUNTED_CONTEXTS = 4;
/** Texts of all embedding requests that are with the text thread together: its queue is for chat prompts too. */
const TEXTS_AT_ONCE = 32;

export function createEngine(given: CreateEngineOptions): Engine {
  const { log, clock, random } = given;
  const options = resolveOptions(given);
  const supervisor = new Supervisor({
    log,
    clock,
    limits: { ...DEFAULT_SUPERVISOR_LIMITS, ...given.supervision },
    hello: { options: { ...options, libraryRoots: given.libraryRoots ?? [] } },
    carryOf: (model) => models.carryOf(model),
  });
  const text = createTextThread({ now: () => clock.now() });
  const models = createModels(supervisor, text, log);
  const writing = createWriting(text);
  const reading = createGate(TEXTS_AT_ONCE);
  const checkGrammar = createGrammarCheck();
  let disposing: Promise<void> | null = null;

  /** From a request to an open call in the engine process. */
  async function begin(
    request: GenerateRequest,
    onFrame: (frame: Frame) => void,
    signal: AbortSignal,
  ): Promise<Call> {
    const calledAt = clock.monotonic();
    const sampler = parseSamplerOptions(request.sampler);
    const grammar = request.grammar === undefined ? null : checkGrammar(request.grammar);
    const model = await models.ready(request.model, signal);
    if (model.loaded.task !== 'text')
      throw wrongTask(
        request.model,
        model.loaded.task === 'rerank'
          ? 'is a reranker and does not write text'
          : 'makes embeddings and does not write text',
      );
    const { context } = model.loaded;
    const limit = request.overflow === 'slide' ? MOST_TOKENS : Math.min(context, MOST_TOKENS);
    const tokens = await within(limit, context, request.prompt, () =>
      writing.prepare(model, request.prompt, limit, signal),
    );
    const job: GenerateJob = {
      model: request.model,
      tokens,
      sampler: { ...sampler, seed: sampler.seed ?? random.uint32() },
      maxTokens: request.maxTokens,
      stop: request.stop,
      grammar,
      shown: request.shown ?? [],
      overflow: request.overflow ?? 'error',
      keepTokens: request.keepTokens ?? 0,
      echo: request.echo ?? false,
      cachePrompt: request.cachePrompt ?? true,
      priority: request.priority ?? 0,
      timeoutMs: remaining(request.timeoutMs, clock.monotonic() - calledAt),
      promptParam: request.prompt.kind === 'messages' ? 'messages' : 'prompt',
    };
    checkGenerate(job, model.loaded.vocab);
    // Rendering took its time; the process may be another one by now.
    const { session } = await models.ready(request.model, signal);
    throwIfAborted(signal);
    return session.connection.open('generate', { ...encodeGenerate(job), onFrame });
  }

  /** Tokens of a text to embed; no more of a long one than are needed to cut or to refuse it. */
  async function readInput(
    model: ReadyModel,
    input: string,
    index: number,
    truncate: boolean,
    signal: AbortSignal | undefined,
  ): Promise<Int32Array> {
    const { context } = model.loaded;
    try {
      return await writing.tokenize(model, input, { limit: context, cut: truncate }, signal);
    } catch (error) {
      throw isOverLimit(error) ? inputTooLong(index, null, context) : error;
    }
  }

  async function embed(request: EmbedRequest, signal?: AbortSignal): Promise<EmbedResult> {
    const model = await models.ready(request.model, signal);
    const { task, context, vocab, embedding } = model.loaded;
    if (task !== 'embedding')
      throw wrongTask(
        request.model,
        `${task === 'text' ? 'writes text' : 'is a reranker'} and makes no embeddings`,
      );
    if (request.inputs.length === 0) {
      throw new InputError('input_empty', 'There is nothing to embed.', { param: 'input' });
    }
    const truncate = request.truncate ?? false;
    const tail = truncate ? await writing.tail(model, signal) : null;
    const rows = await Promise.all(
      request.inputs.map(async (input, index) => {
        const row =
          typeof input === 'string'
            ? await reading(() => readInput(model, input, index, truncate, signal))
            : input;
        checkTokens(row, vocab, `input[${index}]`);
        return fitWindow(row, index, { context, truncate, tail });
      }),
    );
    const vectors = new Float32Array(rows.length * embedding);
    let at = 0;
    for (const group of groupRows(rows)) {
      const { session } = await models.ready(request.model, signal);
      const answer = await session.connection.call('embed', { ...encodeRows(request.model, group), signal });
      const part = floatsOf(answer);
      if (part.length !== group.length * embedding) {
        throw new KithError(
          'engine_internal',
          `The engine made ${part.length} values for ${group.length} vectors of ${embedding}.`,
        );
      }
      vectors.set(part, at);
      at += part.length;
    }
    return { vectors, dimension: embedding, tokens: rows.map((row) => row.length) };
  }

  async function forward(
    id: string,
    parts: readonly ForwardPart[],
    signal?: AbortSignal,
  ): Promise<ForwardResult> {
    const model = await models.ready(id, signal);
    checkForward(parts, model.loaded.vocab);
    const answer = await model.session.connection.call('forward', { ...encodeForward(id, parts), signal });
    const { count, width } = answer.meta;
    return { rows: floatsOf(answer), count: Number(count), width: Number(width) };
  }

  async function lease(
    model: string,
    cells: number,
    { span, holder, signal }: LeaseOptions = {},
  ): Promise<CellLease> {
    const { connection } = (await models.ready(model, signal)).session;
    const { meta } = await connection.call('lease', {
      meta: {
        ...{ model, cells },
        ...(span && { span: { from: span.from, to: span.to } }),
        ...(holder !== undefined && { holder }),
      },
      signal,
    });
    const { lease: id, terms } = meta;
    return {
      cells,
      terms: terms as LeaseTerms,
      // On this life of the process only: in another one the number would be somebody else's.
      async step(parts, hidden, stop) {
        const { meta: described, payload } = encodeHop({ parts, hidden });
        const frame = { meta: { ...described, model, lease: id }, payload, signal: stop };
        return floatsOf(await connection.call('step', frame));
      },
      async readKv(from, most, stop) {
        const frame = { meta: { model, lease: id, from, most }, signal: stop };
        return decodeKvCells(await connection.call('kvRead', frame));
      },
      async writeKv(kv, stop) {
        const { meta: count, payload } = encodeKvCells(kv);
        await connection.call('kvWrite', {
          meta: { ...count, model, lease: id },
          payload,
          signal: stop,
        });
      },
      async [Symbol.asyncDispose]() {
        await connection.call('release', { meta: { model, lease: id } }).catch(() => {});
      },
    };
  }

  async function countTokens(id: string, prompt: Prompt, signal?: AbortSignal): Promise<number> {
    const model = await models.ready(id, signal);
    const { context } = model.loaded;
    const limit = context * COUNTED_CONTEXTS;
    const tokens = await within(limit, context, prompt, () => writing.prepare(model, prompt, limit, signal));
    return tokens.length;
  }

  return {
    start: async (signal) => void (await supervisor.session(signal)),
    load: (request, loading = {}) => models.load(request, loading),
    unload: (id) => models.unload(id),
    generate: (request, signal) => streamEvents((onFrame, stop) => begin(request, onFrame, stop), signal),
    embed,
    rank: createRanking({ models, writing, reading }),
    forward,
    lease,
    countTokens,
    async tokenize(id: string, input: string, encoding: EncodeOptions = {}, signal) {
      return writing.tokenize(await models.ready(id, signal), input, encoding, signal);
    },
    async detokenize(id, tokens, signal) {
      const model: ReadyModel = await models.ready(id, signal);
      const row = Int32Array.from(tokens);
      checkTokens(row, model.loaded.vocab, 'tokens');
      return writing.detokenize(model, row, signal);
    },
    models: () => models.list(),
    async devices(signal) {
      return (await supervisor.session(signal)).hello.devices as EngineDevices;
    },
    state: () => supervisor.status(),
    async status(signal) {
      const session = supervisor.current;
      if (session === null) return { ...supervisor.status(), models: [] };
      const { meta } = await session.connection.call('status', { signal });
      return { ...supervisor.status(), rssBytes: Number(meta.rss), models: meta.models as ModelStatus[] };
    },
    [Symbol.asyncDispose]() {
      disposing ??= (async () => {
        // The process first: requests in flight may still have text to make of their tokens.
        await supervisor[Symbol.asyncDispose]();
        await text[Symbol.asyncDispose]();
      })();
      return disposing;
    },
  };
}

/** Makes the tokens of a prompt. More than `limit` are `context_length_exceeded`; how many more is known only of tokens. */
async function within(
  limit: number,
  context: number,
  prompt: Prompt,
  make: () => Promise<Int32Array>,
): Promise<Int32Array> {
  try {
    return await make();
  } catch (error) {
    if (!isOverLimit(error)) throw error;
    const has = prompt.kind === 'tokens' ? prompt.tokens.length : `more than ${limit}`;
    throw new InputError(
      'context_length_exceeded',
      `The prompt has ${has} tokens and the model's context holds ${context}, answer included. Shorten the prompt${limit > context ? '' : ", raise `engine.context` or ask for overflow 'slide'"}.`,
      {
        param: prompt.kind === 'messages' ? 'messages' : 'prompt',
        details: { limit, context },
        cause: error,
      },
    );
  }
}

/** Runs at most `places` works at a time, the rest in order. */
function createGate(places: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let free = places;
  return async (work) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    }
  };
}

/** What is left of a request's time after `spent` ms; at least 1, so that the scheduler ends it in its own way. */
function remaining(timeoutMs: number | null | undefined, spent: number): number | null {
  return timeoutMs === null || timeoutMs === undefined ? null : Math.max(1, Math.round(timeoutMs - spent));
}

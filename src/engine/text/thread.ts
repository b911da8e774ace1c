/**
 * The text thread as others see it: opens models, renders and tokenizes prompts, off the main thread and within
 * limits, in a process of its own. Requests run one after the other. A request that breaks the thread fails alone; the thread starts again
 * and opens the models again when they are next asked for.
 *
 * @module engine/text/thread
 */

import {
  AbortedError,
  isKithError,
  KithError,
  LimitError,
  messageOf,
  throwIfAborted,
} from '../../base/index.ts';
import type { EncodeOptions, Prompt } from '../types.ts';
import type { PreparedPrompt, TextInfo } from './model-text.ts';
import type { ThreadRequest, ThreadResults } from './protocol.ts';
import { startThread, type ThreadLife, ThreadLost } from './thread-process.ts';

export interface TextThreadOptions {
  /** ms one prompt may take to render and tokenize, plus 5 ms per 1,000 characters of input. @default 2000 */
  readonly limitMs?: number;
  /** ms opening a model may take. @default 60000 */
  readonly openLimitMs?: number;
  /** MB of JavaScript heap the thread may use for all open models and the template at work. @default 768 */
  readonly memoryMb?: number;
  /** Requests that wait at most; over it 429. @default 256 */
  readonly maxQueue?: number;
  /** ms since epoch, for templates that write the date. @default Date.now */
  readonly now?: () => number;
}

export interface OpenTextOptions {
  /** Jinja source that goes before the template in the file. */
  readonly template?: string;
  readonly signal?: AbortSignal;
}

/**
 * Every method rejects with a `KithError`: `model_not_open`; `template_failed` (400 with param `messages` when the
 * template refuses them, 422 when it fails or exceeds a limit); `text_thread_lost` (503) when the thread ended for
 * another reason; `limit_reached`; `aborted`; or what opening the file and its tokenizer throws.
 */
export interface TextThread extends AsyncDisposable {
  /** Opens a model, or opens it anew from another path. */
  open(model: string, path: string, options?: OpenTextOptions): Promise<TextInfo>;
  prepare(
    model: string,
    prompt: Prompt,
    options?: EncodeOptions,
    signal?: AbortSignal,
  ): Promise<PreparedPrompt>;
  tokenize(
    model: string,
    text: string,
    options?: EncodeOptions,
    signal?: AbortSignal,
  ): Promise<Int32Array<ArrayBuffer>>;
  detokenize(
    model: string,
    tokens: Int32Array,
    options?: { special?: boolean },
    signal?: AbortSignal,
  ): Promise<string>;
  close(model: string): Promise<void>;
}

interface Job {
  run(): Promise<void>;
  drop(reason: KithError): void;
}

interface OpenModel {
  readonly path: string;
  readonly template: string | undefined;
}

const MS_PER_UNIT = 0.005;

export function createTextThread(options: TextThreadOptions = {}): TextThread {
  const limitMs = options.limitMs ?? 2_000;
  const openLimitMs = options.openLimitMs ?? 60_000;
  const memoryMb = options.memoryMb ?? 768;
  const maxQueue = options.maxQueue ?? 256;
  const now = options.now ?? Date.now;
  const models = new Map<string, OpenModel>();
  const queue: Job[] = [];
  let life: ThreadLife | null = null;
  let running = false;
  let disposed = false;

  async function currentLife(): Promise<ThreadLife> {
    if (life?.alive === true) return life;
    const started = await startThread(memoryMb);
    if (disposed) {
      await started.end();
      throw closedError();
    }
    life = started;
    return started;
  }

  function lostError(lost: ThreadLost, op: ThreadRequest['op'], usesTemplate: boolean): KithError {
    if (usesTemplate && lost.why !== 'crash') {
      return new KithError('template_failed', `The model's chat template was stopped: ${lost.message}.`, {
        status: 422,
        details: { stage: lost.why },
        cause: lost,
      });
    }
    return new KithError('text_thread_lost', `The text could not be processed (${op}): ${lost.message}.`, {
      status: 503,
      details: { why: lost.why },
      cause: lost,
    });
  }

  /** Asks the thread, opening the model first when this life of it does not have it. */
  async function ask<R extends ThreadRequest>(
    request: R,
    limit: number,
    usesTemplate: boolean,
  ): Promise<ThreadResults[R['op']]> {
    try {
      const thread = await currentLife();
      const { op, model } = request;
      if (op !== 'open' && op !== 'close' && !thread.opened.has(model)) {
        const known = models.get(model);
        if (known === undefined) throw notOpen(model);
        await openIn(thread, model, known);
      }
      return await thread.ask(request, limit);
    } catch (thrown) {
      if (thrown instanceof ThreadLost) throw lostError(thrown, request.op, usesTemplate);
      throw thrown;
    }
  }

  async function openIn(thread: ThreadLife, model: string, { path, template }: OpenModel): Promise<TextInfo> {
    const info = await thread.ask({ op: 'open', model, path, template }, openLimitMs);
    thread.opened.add(model);
    return info;
  }

  function notOpen(model: string): KithError {
    return new KithError('model_not_open', `The model ${JSON.stringify(model)} is not open.`, {
      status: 404,
      param: 'model',
    });
  }

  async function drain(): Promise<void> {
    if (running) return;
    running = true;
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) await job.run();
    running = false;
  }

  /** Queues work. A fired signal rejects at once: waiting work is dropped, work under way finishes unheard. */
  function enqueue<T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    throwIfAborted(signal);
    if (disposed) throw closedError();
    if (queue.length >= maxQueue) {
      throw new LimitError('text_queue', maxQueue, `${maxQueue} prompts already wait to be tokenized.`, {
        retryAfter: 1,
      });
    }
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const job: Job = {
      run: async () => {
        try {
          resolve(await work());
        } catch (thrown) {
          reject(
            isKithError(thrown) ? thrown : new KithError('text_failed', messageOf(thrown), { cause: thrown }),
          );
        }
      },
      drop: reject,
    };
    const abort = (): void => {
      const at = queue.indexOf(job);
      if (at >= 0) queue.splice(at, 1);
      reject(new AbortedError(undefined, { cause: signal?.reason }));
    };
    signal?.addEventListener('abort', abort, { once: true });
    queue.push(job);
    void drain();
    return promise.finally(() => signal?.removeEventListener('abort', abort));
  }

  return {
    async open(model, path, { template, signal } = {}) {
      const entry = { path, template };
      return enqueue(async () => {
        const info = await ask({ op: 'open', model, ...entry }, openLimitMs, false);
        models.set(model, entry);
        life?.opened.add(model);
        return info;
      }, signal);
    },
    async prepare(model, prompt, encode = {}, signal) {
      const usesTemplate = prompt.kind === 'messages';
      const limit = limitMs + sizeOf(prompt) * MS_PER_UNIT;
      return enqueue(
        () => ask({ op: 'prepare', model, prompt, options: encode, now: now() }, limit, usesTemplate),
        signal,
      );
    },
    async tokenize(model, text, encode = {}, signal) {
      const limit = limitMs + text.length * MS_PER_UNIT;
      return enqueue(() => ask({ op: 'tokenize', model, text, options: encode }, limit, false), signal);
    },
    async detokenize(model, tokens, { special = false } = {}, signal) {
      const limit = limitMs + tokens.length * MS_PER_UNIT;
      return enqueue(() => ask({ op: 'detokenize', model, tokens, special }, limit, false), signal);
    },
    async close(model) {
      await enqueue(async () => {
        models.delete(model);
        if (life?.alive === true && life.opened.delete(model))
          await ask({ op: 'close', model }, limitMs, false);
      }, undefined);
    },
    async [Symbol.asyncDispose]() {
      disposed = true;
      for (const job of queue.splice(0)) job.drop(closedError());
      await life?.end();
      life = null;
    },
  };
}

function closedError(): KithError {
  return new KithError('text_thread_closed', 'The text thread is closed.', { status: 503 });
}

/** Characters (or tokens) a prompt makes the thread look at. */
function sizeOf(prompt: Prompt): number {
  if (prompt.kind === 'text') return prompt.text.length;
  if (prompt.kind === 'tokens') return prompt.tokens.length;
  return prompt.messages.reduce((sum, message) => sum + (message.content?.length ?? 0), 0);
}

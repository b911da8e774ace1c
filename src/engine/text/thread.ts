/**
 * The text thread as others see it: opens models, renders and tokenizes prompts, off the main thread and within
 * limits, in a process of its own. One request is worked on at a time; a long one in slices, between which short ones have their
 * turn. A request that breaks the thread fails alone; the thread starts again and opens the models again when they are
 * next asked for.
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
import type { Prompt } from '../types.ts';
import { createLanes } from './lanes.ts';
import type { PreparedPrompt, TextInfo } from './model-text.ts';
import { Paused, type TextOptions, type ThreadRequest, type ThreadResults } from './protocol.ts';
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
 * another reason; `limit_reached`; `tokens_over_limit`; `aborted`; or what opening the file and its tokenizer throws.
 */
export interface TextThread extends AsyncDisposable {
  /** Opens a model, or opens it anew from another path. */
  open(model: string, path: string, options?: OpenTextOptions): Promise<TextInfo>;
  prepare(
    model: string,
    prompt: Prompt,
    options?: TextOptions,
    signal?: AbortSignal,
  ): Promise<PreparedPrompt>;
  tokenize(
    model: string,
    text: string,
    options?: TextOptions,
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
  readonly size: number;
  /** True when there is more to do. */
  run(): Promise<boolean>;
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
  const queue = createLanes<Job>();
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
  ): Promise<ThreadResults[R['op']] | Paused> {
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
    const info = (await thread.ask({ op: 'open', model, path, template }, openLimitMs)) as TextInfo;
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
    for (let job = queue.next(); job !== undefined; job = queue.next()) {
      if (await job.run()) queue.add(job, job.size, true);
    }
    running = false;
  }

  /** Work that may take several turns, and how to give it up between two of them. */
  interface Turns<T> {
    turn(): Promise<T | Paused>;
    giveUp(): void;
  }

  const oneTurn = <T>(turn: () => Promise<T | Paused>): Turns<T> => ({ turn, giveUp: () => {} });

  function inTurns<R extends ThreadRequest>(
    request: R,
    limit: number,
    usesTemplate: boolean,
  ): Turns<ThreadResults[R['op']]> {
    let left: { readonly thread: ThreadLife; readonly paused: Paused } | null = null;
    let spentMs = 0;
    return {
      async turn() {
        // What was left in a process that has ended begins anew.
        if (left?.thread.alive !== true) [left, spentMs] = [null, 0];
        const { model } = request;
        const next =
          left === null ? request : ({ op: 'continue', model, ticket: left.paused.ticket } as const);
        const answer = await ask<ThreadRequest>(next, Math.max(1, limit - spentMs), usesTemplate);
        left = null;
        if (answer instanceof Paused) {
          spentMs += answer.ms;
          if (life !== null) left = { thread: life, paused: answer };
        }
        return answer as ThreadResults[R['op']] | Paused;
      },
      giveUp: () => left?.thread.forget(left.paused.ticket),
    };
  }

  /** Queues work. A fired signal rejects at once: waiting work is dropped, the turn under way finishes unheard. */
  function enqueue<T>(work: Turns<T>, signal: AbortSignal | undefined, size = 0): Promise<T> {
    throwIfAborted(signal);
    if (disposed) throw closedError();
    if (queue.size >= maxQueue) {
      throw new LimitError('text_queue', maxQueue, `${maxQueue} prompts already wait to be tokenized.`, {
        retryAfter: 1,
      });
    }
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const job: Job = {
      size,
      run: async () => {
        try {
          const answer = await work.turn();
          if (answer instanceof Paused) {
            if (!disposed && signal?.aborted !== true) return true;
            work.giveUp();
            reject(closedError());
          } else resolve(answer);
        } catch (thrown) {
          work.giveUp();
          reject(
            isKithError(thrown) ? thrown : new KithError('text_failed', messageOf(thrown), { cause: thrown }),
          );
        }
        return false;
      },
      drop: reject,
    };
    const abort = (): void => {
      if (queue.remove(job)) work.giveUp();
      reject(new AbortedError(undefined, { cause: signal?.reason }));
    };
    signal?.addEventListener('abort', abort, { once: true });
    queue.add(job, size);
    void drain();
    return promise.finally(() => signal?.removeEventListener('abort', abort));
  }

  return {
    async open(model, path, { template, signal } = {}) {
      const entry = { path, template };
      return enqueue(
        oneTurn(async () => {
          const info = await ask({ op: 'open', model, ...entry }, openLimitMs, false);
          models.set(model, entry);
          life?.opened.add(model);
          return info;
        }),
        signal,
      );
    },
    async prepare(model, prompt, encode = {}, signal) {
      const usesTemplate = prompt.kind === 'messages';
      const size = sizeOf(prompt);
      const limit = limitMs + size * MS_PER_UNIT;
      const request = { op: 'prepare', model, prompt, options: encode, now: now() } as const;
      return enqueue(inTurns(request, limit, usesTemplate), signal, size);
    },
    async tokenize(model, text, encode = {}, signal) {
      const limit = limitMs + text.length * MS_PER_UNIT;
      const request = { op: 'tokenize', model, text, options: encode } as const;
      return enqueue(inTurns(request, limit, false), signal, text.length);
    },
    async detokenize(model, tokens, { special = false } = {}, signal) {
      const limit = limitMs + tokens.length * MS_PER_UNIT;
      const request = { op: 'detokenize', model, tokens, special } as const;
      return enqueue(inTurns(request, limit, false), signal, tokens.length);
    },
    async close(model) {
      await enqueue(
        oneTurn(async () => {
          models.delete(model);
          if (life?.alive === true && life.opened.delete(model))
            await ask({ op: 'close', model }, limitMs, false);
        }),
        undefined,
      );
    },
    async [Symbol.asyncDispose]() {
      disposed = true;
      for (const job of queue.clear()) job.drop(closedError());
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

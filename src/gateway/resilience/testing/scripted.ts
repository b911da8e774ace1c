/**
 * Backends that do what a script says, and the means to ask them under a clock that is moved by hand.
 *
 * @module gateway/resilience/testing/scripted
 */
import {
  type Clock,
  createManualClock,
  createSeededRandom,
  KithError,
  type ManualClock,
} from '../../../base/index.ts';
import type { Backend, ChatEvent, ChatRequest, EmbeddingAnswer, Receipt } from '../../types.ts';
import {
  type AskOptions,
  type AttemptRecord,
  type ConditionOptions,
  createConditions,
  createFailover,
  createRetryBudget,
  type Route,
  type RunOptions,
  type TimeLimits,
  timersOf,
} from '../index.ts';

/** What a scripted backend does, step by step. */
export type Step =
  | { readonly do: 'start' }
  | { readonly do: 'say'; readonly text: string }
  | { readonly do: 'finish' }
  | { readonly do: 'usage' }
  /** Nothing for that long; ends early with the signal unless it is deaf. */
  | { readonly do: 'wait'; readonly ms: number }
  /** Nothing, ever. `deaf`: not even the signal ends it. */
  | { readonly do: 'hang'; readonly deaf?: boolean }
  | { readonly do: 'fail'; readonly error: unknown };

export const start: Step = { do: 'start' };
export const finish: Step = { do: 'finish' };
export const usage: Step = { do: 'usage' };
export const hang: Step = { do: 'hang' };
export const deaf: Step = { do: 'hang', deaf: true };
export const say = (text: string): Step => ({ do: 'say', text });
export const wait = (ms: number): Step => ({ do: 'wait', ms });
export const fail = (code: string, status: number, retryAfter?: number): Step => ({
  do: 'fail',
  error: new KithError(code, `scripted ${code}`, {
    status,
    ...(retryAfter === undefined ? {} : { retryAfter }),
  }),
});
export const answer = (...texts: readonly string[]): Step[] => [start, ...texts.map(say), finish, usage];

export interface Scripted extends Backend {
  /** Requests that it got. */
  readonly asked: ChatRequest[];
  /** Iterators that were handed out and not ended, by themselves or by `return`. */
  readonly open: number;
  /** Asks whose signal fired. */
  readonly aborted: number;
}

/** The script of each ask, by its number from 0 and what was asked. */
export type Script = (ask: number, request: ChatRequest) => readonly Step[];

export function scripted(name: string, clock: Clock, script: Script | readonly Step[]): Scripted {
  const of: Script = typeof script === 'function' ? script : () => script;
  const asked: ChatRequest[] = [];
  let open = 0;
  let aborted = 0;
  const receipt: Receipt = {
    backend: name,
    model: `${name}-model`,
    queueMs: null,
    prefillMs: null,
    decodeMs: null,
    notes: [],
  };

  function chat(request: ChatRequest): AsyncIterable<ChatEvent> {
    const steps = of(asked.length, request)[Symbol.iterator]();
    asked.push(request);
    let said = 0;
    let over = false;
    const end = () => {
      if (!over) open--;
      over = true;
    };
    open++;
    request.signal.addEventListener('abort', () => aborted++, { once: true });
    // Not a generator: its `return` works while a `next` is pending, so that a test sees whether it was called.
    return {
      [Symbol.asyncIterator]: () => ({
        async next(): Promise<IteratorResult<ChatEvent>> {
          for (;;) {
            const { done, value: step } = steps.next();
            if (done || over) {
              end();
              return { done: true, value: undefined };
            }
            switch (step.do) {
              case 'start':
                return {
                  done: false,
                  value: { type: 'start', backend: name, model: receipt.model, promptTokens: 7 },
                };
              case 'say':
                said++;
                return { done: false, value: { type: 'text', choice: 0, text: step.text, logprobs: null } };
              case 'finish':
                return {
                  done: false,
                  value: { type: 'finish', choice: 0, reason: 'stop', stop: null, slidTokens: 0 },
                };
              case 'usage':
                return {
                  done: false,
                  value: { type: 'usage', promptTokens: 7, cachedTokens: 0, completionTokens: said, receipt },
                };
              case 'wait':
                await clock.sleep(step.ms, request.signal);
                break;
              case 'hang':
                await new Promise((_, reject) => {
                  if (step.deaf) return;
                  request.signal.addEventListener('abort', () => reject(request.signal.reason), {
                    once: true,
                  });
                });
                break;
              case 'fail':
                end();
                throw step.error;
            }
          }
        },
        async return(): Promise<IteratorResult<ChatEvent>> {
          end();
          return { done: true, value: undefined };
        },
      }),
    };
  }

  return {
    name,
    asked,
    get open() {
      return open;
    },
    get aborted() {
      return aborted;
    },
    has: async () => true,
    defaultModel: () => receipt.model,
    models: async () => [],
    chat,
    complete: () => {
      throw new Error('not scripted');
    },
    countTokens: async () => 7,
    async embed(request): Promise<EmbeddingAnswer> {
      const steps = of(asked.length, request as unknown as ChatRequest);
      asked.push(request as unknown as ChatRequest);
      for (const step of steps) {
        if (step.do === 'fail') throw step.error;
        if (step.do === 'wait') await clock.sleep(step.ms, request.signal);
      }
      return { vectors: Float32Array.of(1), dimension: 1, tokens: [1], receipt };
    },
    health: async () => ({
      status: 'ok',
      latencyMs: 1,
      modelsAvailable: 1,
      modelsLoaded: 1,
      breaker: { state: 'closed', failures: 0 },
      message: null,
    }),
  };
}

export const testLimits: TimeLimits = { firstTokenMs: 10_000, interTokenMs: 10_000, totalMs: 60_000 };

export function route(backend: Backend, options: Partial<Omit<Route, 'backend'>> = {}): Route {
  return {
    backend,
    model: `${backend.name}-model`,
    context: null,
    continues: false,
    limits: testLimits,
    ...options,
  };
}

export function chatRequest(options: Partial<ChatRequest> = {}): ChatRequest {
  return {
    model: null,
    messages: [{ role: 'user', content: 'hello' }],
    n: 1,
    sampler: {},
    maxTokens: null,
    stop: [],
    overflow: null,
    keepTokens: 0,
    timeoutMs: null,
    signal: new AbortController().signal,
    ...options,
  };
}

/** How an ask ended, as its caller saw it. */
export interface Outcome {
  readonly text: string;
  readonly events: readonly ChatEvent[];
  /** Null when the answer was whole. */
  readonly error: KithError | null;
  readonly attempts: readonly AttemptRecord[];
  readonly ms: number;
  readonly notes: readonly string[];
}

export function createBench(
  seed = 1,
  options: Partial<RunOptions> & { conditions?: never } = {},
  health: Partial<ConditionOptions> = {},
) {
  const clock: ManualClock = createManualClock();
  const timers = timersOf(clock);
  const conditions = createConditions({ now: clock.monotonic, ...health });
  const budget = createRetryBudget({ now: clock.monotonic, minimum: 10 });
  const random = createSeededRandom(seed);
  const failover = createFailover({ timers, random, conditions, budget, ...options });

  async function read(
    iterable: AsyncIterable<ChatEvent>,
    attempts: readonly AttemptRecord[],
  ): Promise<Outcome> {
    const began = clock.monotonic();
    const events: ChatEvent[] = [];
    let error: KithError | null = null;
    try {
      for await (const event of iterable) events.push(event);
    } catch (thrown) {
      if (!(thrown instanceof KithError)) throw thrown;
      error = thrown;
    }
    const text = events.map((event) => (event.type === 'text' ? event.text : '')).join('');
    const last = events.at(-1);
    const notes = last?.type === 'usage' ? last.receipt.notes : [];
    return { text, events, error, attempts, ms: clock.monotonic() - began, notes };
  }

  /** Asks, and moves the clock until the answer is over. Throws when it is not over within ten minutes: a hang. */
  async function ask(
    routes: readonly Route[],
    how: AskOptions = {},
    request: Partial<ChatRequest> = {},
  ): Promise<Outcome> {
    const { answer, attempts } = failover.chat(chatRequest(request), routes, how);
    let outcome: Outcome | undefined;
    let failure: unknown;
    const reading = read(answer, attempts).then(
      (value) => {
        outcome = value;
      },
      (error) => {
        failure = error;
      },
    );
    const settled = () => outcome !== undefined || failure !== undefined;
    for (let step = 0; step < 6000 && !settled(); step++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (!settled()) await clock.advance(100);
    }
    if (!settled()) throw new Error('The ask hangs.');
    await reading;
    if (failure !== undefined) throw failure;
    return outcome!;
  }

  return { clock, timers, conditions, budget, random, failover, ask };
}

/**
 * Brings a request to the backends that the policy chose, in its order, until one has answered it.
 *
 * Before the first piece of an answer a failure goes to another backend, unseen by the caller. After it the answer is
 * whole, or continued by a backend that can go on from its text, or ends in an error: it never just stops. An answer has
 * its pieces from one backend, or from those that continued one another.
 *
 * @module gateway/resilience/failover
 */
import type {
  ChatEvent,
  ChatRequest,
  CompletionRequest,
  EmbeddingAnswer,
  EmbeddingRequest,
} from '../types.ts';
import { agree } from './agreement.ts';
import type { Ask, Continued, Live } from './ask.ts';
import { maxRedundancy, race } from './hedge.ts';
import { open, openWhole } from './open.ts';
import { ChatReading, keptCharacters, type Reading, readValue } from './reading.ts';
import { Run, type RunOptions } from './run.ts';
import { streamAnswer, withNotes } from './stream.ts';
import type { AttemptRecord, Route } from './types.ts';

export interface AskOptions {
  /** Asks side by side, 1 to 3; fewer when there are fewer routes. @default 1 */
  readonly redundancy?: number;
  /** What decides between redundant answers. @default 'first' */
  readonly decide?: 'first' | 'agreement';
  /**
   * ms without a first piece after which one more backend is asked; `auto`: the time within which 95 % of the first
   * choice's recent answers began. @default null, never
   */
  readonly hedgeMs?: number | 'auto' | null;
  /**
   * The caller passes nothing on before the answer is whole: one that breaks off is asked of another backend from the
   * start, and all events come at its end. @default false
   */
  readonly whole?: boolean;
}

/** An answer, and the account of how it was come by. */
export interface Answering<T> {
  readonly answer: T;
  /** Grows while the answer is made; complete once it has ended, also in an error. */
  readonly attempts: readonly AttemptRecord[];
}

export interface Failover {
  chat(
    request: ChatRequest,
    routes: readonly Route[],
    options?: AskOptions,
  ): Answering<AsyncGenerator<ChatEvent>>;
  complete(
    request: CompletionRequest,
    routes: readonly Route[],
    options?: AskOptions,
  ): Answering<AsyncGenerator<ChatEvent>>;
  embed(
    request: EmbeddingRequest,
    routes: readonly Route[],
    options?: Pick<AskOptions, 'redundancy' | 'hedgeMs'>,
  ): Answering<Promise<EmbeddingAnswer>>;
}

export function createFailover(options: RunOptions): Failover {
  return {
    chat(request, routes, how = {}) {
      const agreeing = how.decide === 'agreement' && (how.redundancy ?? 1) > 1;
      // Without chance two models that know the answer word it alike.
      const asked = agreeing ? { ...request, sampler: { ...request.sampler, temperature: 0 } } : request;
      // A grammar would begin anew in the middle: what it holds is not continued.
      const plain = !agreeing && request.n === 1 && request.grammar === undefined;
      const replays = plain && routes.length > 1 && request.sampler.temperature === 0;
      const continues = plain && routes.some((route) => route.continues);
      const keep = agreeing ? 'all' : replays || continues ? 'text' : 'nothing';
      const { before = [], ...plainAsked } = asked;
      return answering(
        options,
        how,
        {
          routes,
          signal: request.signal,
          timeoutMs: request.timeoutMs,
          start: (route, signal, continued) =>
            route.backend.chat(requestFor(plainAsked, route, signal, continued)),
          replays,
          read: () => new ChatReading(request.n, keep),
        },
        before,
      );
    },
    complete(request, routes, how = {}) {
      const agreeing = how.decide === 'agreement' && (how.redundancy ?? 1) > 1;
      const asked = agreeing ? { ...request, sampler: { ...request.sampler, temperature: 0 } } : request;
      const choices = request.n * request.prompts.length;
      return answering(options, how, {
        routes,
        signal: request.signal,
        timeoutMs: request.timeoutMs,
        start: (route, signal) => route.backend.complete({ ...asked, model: route.model, signal }),
        read: () => new ChatReading(choices, agreeing ? 'all' : 'nothing'),
      });
    },
    embed(request, routes, how = {}) {
      const run = new Run<EmbeddingAnswer>(
        {
          routes,
          signal: request.signal,
          timeoutMs: null,
          start: (route, signal) =>
            once(() => route.backend.embed({ ...request, model: route.model, signal })),
          read: readValue,
        },
        options,
      );
      return { answer: embedding(run, how), attempts: run.records };
    },
  };
}

function requestFor(
  request: ChatRequest,
  route: Route,
  signal: AbortSignal,
  continued: Continued | null,
): ChatRequest {
  if (continued === null) return { ...request, model: route.model, signal };
  const { maxTokens } = request;
  return {
    ...request,
    model: route.model,
    signal,
    prefill: (request.prefill ?? '') + continued.text,
    maxTokens: maxTokens === null ? null : Math.max(1, maxTokens - continued.tokens),
  };
}

function answering(
  options: RunOptions,
  how: AskOptions,
  ask: Ask<ChatEvent, ChatReading>,
  before: readonly AttemptRecord[] = [],
): Answering<AsyncGenerator<ChatEvent>> {
  const attempts: AttemptRecord[] = [...before];
  // Nothing begins before the first event is asked for: an answer that nobody reads costs nothing.
  const begin = () => new Run<ChatEvent, ChatReading>(ask, options, attempts);
  const agreeing = how.decide === 'agreement' && lanesOf(how) > 1;
  const answer =
    agreeing || how.whole === true
      ? wholeAnswer(begin, how, agreeing)
      : streamAnswer(begin, (run) => side(run, how, (reason) => open(run, reason)));
  return { answer, attempts };
}

async function* wholeAnswer(
  begin: () => Run<ChatEvent, ChatReading>,
  how: AskOptions,
  agreeing: boolean,
): AsyncGenerator<ChatEvent> {
  const run = begin();
  try {
    if (agreeing) {
      const { live, events, agreed, asked } = await agree(run, lanesOf(how));
      run.succeed(live);
      run.notes.push(`${agreed} of ${asked} backends agreed on this answer.`);
      for (const event of events) yield withNotes(run, event);
    } else {
      const { live, events } = await side(run, how, (reason) => openWhole(run, reason, keptCharacters));
      run.succeed(live);
      for (const event of events) yield withNotes(run, event);
    }
  } finally {
    run.close();
  }
}

async function embedding(
  run: Run<EmbeddingAnswer>,
  how: Pick<AskOptions, 'redundancy' | 'hedgeMs'>,
): Promise<EmbeddingAnswer> {
  try {
    const { live, held } = await side(run, how, (reason) => open(run, reason));
    run.succeed(live);
    return held[0]!;
  } finally {
    run.close();
  }
}

/** One lane, or several side by side. */
function side<E, R extends Reading<E>, T extends { readonly live: Live<E, R> }>(
  run: Run<E, R>,
  how: AskOptions,
  go: (reason: AttemptRecord['reason']) => Promise<T>,
): Promise<T> {
  const lanes = lanesOf(how);
  const hedgeMs = hedgeOf(how.hedgeMs ?? null, run.ask.routes, run.options);
  return lanes === 1 && hedgeMs === null ? go('first choice') : race(run, { lanes, hedgeMs, open: go });
}

function lanesOf({ redundancy = 1 }: AskOptions): number {
  return Math.min(Math.max(Math.trunc(redundancy), 1), maxRedundancy);
}

function hedgeOf(
  hedgeMs: number | 'auto' | null,
  routes: readonly Route[],
  { conditions }: RunOptions,
): number | null {
  if (hedgeMs !== 'auto') return hedgeMs;
  return routes.length < 2 ? null : conditions.of(routes[0]!.backend.name).firstTokenP95();
}

async function* once<T>(value: () => Promise<T>): AsyncGenerator<T> {
  yield await value();
}

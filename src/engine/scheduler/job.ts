/**
 * One generation under way: its tokens, where it stands, and the events it owes its caller.
 *
 * @module engine/scheduler/job
 */
import type { KithError } from '../../base/index.ts';
import type { Sequence } from '../kv/index.ts';
import { createTextStream, type TextChunk, type TextStream } from '../tokenizer/index.ts';
import type { FinishReason, SampledToken, Tokenizer, TokenLogprob, TokenLogprobs } from '../types.ts';
import type { SchedulerJob, SchedulerSink } from './types.ts';

export class Job {
  readonly request: SchedulerJob;
  /** Position in the order of submission. */
  readonly order: number;
  readonly priority: number;
  readonly shares: boolean;
  readonly maxTokens: number;
  readonly keepTokens: number;
  readonly submittedAt: number;

  state: 'waiting' | 'active' | 'done' = 'waiting';
  /** Prompt and generated tokens that stand in the context; the first `count` are valid. */
  tokens: Int32Array;
  count: number;
  /** Cells held. Null while waiting. */
  sequence: Sequence | null = null;
  /** Positions whose keys and values are computed. Behind `sequence.length` only within a pass. */
  written = 0;
  /** A pass that reads and writes its cells is under way: they must not be given back. */
  inFlight = false;
  /** An active job whose prompt begins alike and is being computed: wait for it instead of computing it twice. */
  leader: Job | null = null;
  /** Positions to have from the leader. */
  leaderLength = 0;

  cachedTokens = 0;
  generated = 0;
  slidTokens = 0;
  /** Guesses that were checked for it, and those that were right. */
  draftedTokens = 0;
  acceptedTokens = 0;
  started = false;
  admittedAt: number | null = null;
  firstTokenAt: number | null = null;
  lastTokenAt: number | null = null;

  readonly #sink: SchedulerSink;
  readonly #onSinkError: (job: Job, error: unknown) => void;
  readonly #tokenizer: Pick<Tokenizer, 'bytes'>;
  readonly #text: TextStream;
  /** Tokens that the stream has given out without text to carry them. */
  #tokensOwed = 0;
  readonly #logprobs: TokenLogprobs[] = [];
  /** The sink threw: it gets nothing more. */
  #deaf = false;

  constructor(init: {
    request: SchedulerJob;
    order: number;
    maxTokens: number;
    submittedAt: number;
    tokenizer: Pick<Tokenizer, 'bytes'>;
    sink: SchedulerSink;
    onSinkError: (job: Job, error: unknown) => void;
  }) {
    const { request } = init;
    this.request = request;
    this.order = init.order;
    this.priority = request.priority ?? 0;
    this.shares = request.cachePrompt ?? true;
    this.maxTokens = init.maxTokens;
    this.keepTokens = Math.min(request.keepTokens ?? 0, request.tokens.length);
    this.submittedAt = init.submittedAt;
    this.tokens = new Int32Array(request.tokens.length + 64);
    this.tokens.set(request.tokens);
    this.count = request.tokens.length;
    this.#sink = init.sink;
    this.#onSinkError = init.onSinkError;
    this.#tokenizer = init.tokenizer;
    this.#text = createTextStream(shownBytes(init.tokenizer, request.shown), request.stop);
  }

  /** Positions that must be computed before the next token can be chosen. */
  get pending(): number {
    return this.count - this.sequence!.length;
  }

  append(token: number): void {
    if (this.count === this.tokens.length) {
      const grown = new Int32Array(this.tokens.length * 2);
      grown.set(this.tokens);
      this.tokens = grown;
    }
    this.tokens[this.count++] = token;
  }

  /** Drops `drop` tokens after the first `keepTokens`, and everything computed behind them. */
  slide(drop: number): void {
    this.tokens.copyWithin(this.keepTokens, this.keepTokens + drop, this.count);
    this.count -= drop;
    this.slidTokens += drop;
    this.written = Math.min(this.written, this.keepTokens);
    this.sequence?.truncate(this.written);
  }

  emitStart(): void {
    if (this.started) return;
    this.started = true;
    this.#emit({ type: 'start', promptTokens: this.request.tokens.length, cachedTokens: this.cachedTokens });
  }

  /** Takes a sampled token into the text. Returns the stop string that it completes, or null. */
  emitToken({ token, logprobs }: SampledToken): string | null {
    if (logprobs !== null) {
      this.#logprobs.push({
        ...this.#logprob(token, logprobs.logprob),
        top: logprobs.top.map(([id, logprob]) => this.#logprob(id, logprob)),
      });
    }
    const chunk = this.#text.push(token);
    this.#emitChunk(chunk);
    return chunk.stop;
  }

  /** The last event. What the text stream held back goes first, unless a stop string or the caller ended it. */
  emitFinish(reason: FinishReason, stop: string | null, now: number): void {
    let matched = stop;
    this.emitStart();
    if (reason !== 'aborted') {
      const chunk = this.#text.finish();
      matched ??= chunk.stop;
      this.#emitChunk(chunk, true);
    }
    const admitted = this.admittedAt ?? now;
    this.#emit({
      type: 'finish',
      reason: matched !== null && reason === 'length' ? 'stop' : reason,
      stop: matched,
      slidTokens: this.slidTokens,
      usage: {
        promptTokens: this.request.tokens.length,
        cachedTokens: this.cachedTokens,
        completionTokens: this.generated,
        queueMs: admitted - this.submittedAt,
        prefillMs: (this.firstTokenAt ?? now) - admitted,
        decodeMs: this.firstTokenAt === null ? 0 : this.lastTokenAt! - this.firstTokenAt,
        ...(this.draftedTokens > 0 && {
          draftedTokens: this.draftedTokens,
          acceptedTokens: this.acceptedTokens,
        }),
      },
    });
  }

  emitError(error: KithError): void {
    this.#emit(error);
  }

  #emitChunk({ text, tokens }: TextChunk, last = false): void {
    this.#tokensOwed += tokens;
    if (text === '' && !(last && this.#tokensOwed > 0)) return;
    const owed = this.#tokensOwed;
    this.#tokensOwed = 0;
    const logprobs = this.#logprobs.length === 0 ? null : this.#logprobs.splice(0, owed);
    this.#emit({ type: 'text', text, tokens: owed, logprobs });
  }

  #logprob(token: number, logprob: number): TokenLogprob {
    return { token, bytes: this.#tokenizer.bytes(token, true), logprob };
  }

  #emit(event: Parameters<SchedulerSink>[0]): void {
    if (this.#deaf) return;
    try {
      this.#sink(event);
    } catch (error) {
      this.#deaf = true;
      this.#onSinkError(this, error);
    }
  }
}

function shownBytes(
  tokenizer: Pick<Tokenizer, 'bytes'>,
  shown: ReadonlySet<number> | undefined,
): Pick<Tokenizer, 'bytes'> {
  if (shown === undefined || shown.size === 0) return tokenizer;
  return { bytes: (token) => tokenizer.bytes(token, shown.has(token)) };
}

/** Order of service: larger priority first, then first come. */
export function before(a: Job, b: Job): boolean {
  return a.priority > b.priority || (a.priority === b.priority && a.order < b.order);
}

/** Inserts into a list that is in order of service. */
export function insertInOrder(list: Job[], job: Job): void {
  let at = list.length;
  while (at > 0 && before(job, list[at - 1]!)) at--;
  list.splice(at, 0, job);
}

export function removeFrom(list: Job[], job: Job): void {
  const at = list.indexOf(job);
  if (at >= 0) list.splice(at, 1);
}

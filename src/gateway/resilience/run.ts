/**
 * One ask on its way through the backends: whom to ask next, what each attempt came to, and what to say when none
 * answered.
 *
 * Order: every route once, as the policy ordered them; a failure goes to the next one at once. Only when no other is
 * left is one asked again, after a wait and within the retry budget. Going elsewhere costs no budget: each backend gets
 * the request once, however many fail.
 *
 * @module gateway/resilience/run
 */
import { AbortedError, isKithError, type KithError, type Random } from '../../base/index.ts';
import type { Ask, Live, Step, Writable } from './ask.ts';
import { Attempt } from './attempt.ts';
import type { Condition, Conditions } from './condition.ts';
import { FAILURES, type Failure, failureOf } from './failure.ts';
import type { Reading } from './reading.ts';
import { type BackoffOptions, backoffMs, type RetryBudget } from './retry.ts';
import type { Timers } from './timers.ts';
import { readiest, type Tried, triedOf } from './tried.ts';
import type { AttemptReason, AttemptRecord, Route } from './types.ts';
import { verdict } from './verdict.ts';

export interface RunOptions {
  readonly timers: Timers;
  readonly random: Pick<Random, 'float'>;
  readonly conditions: Conditions;
  readonly budget: RetryBudget;
  /** Times that a request may be sent again to a backend that had it. @default 3 */
  readonly retries?: number;
  readonly backoff?: BackoffOptions;
  /** Longest wait that a backend may ask for (Retry-After) before it is passed over, ms. @default 20_000 */
  readonly maxRetryAfterMs?: number;
}

/** A backend that keeps the caller's limit itself ends just at it: this one is for those that do not. */
const graceMs = 1000;

const once = { once: true };

export class Run<E, R extends Reading<E> = Reading<E>> {
  readonly ask: Ask<E, R>;
  readonly options: RunOptions;
  readonly records: Writable<AttemptRecord>[];
  readonly live = new Set<Live<E, R>>();
  /** Sentences for the receipt. */
  readonly notes: string[] = [];
  /** Attempts that run side by side now; only the last one may wait and retry. */
  lanes = 1;
  readonly #tried: Tried[] = [];
  readonly #end: number;
  #cursor = 0;
  #retries = 0;
  /** An error after which no other backend is asked. */
  #final: Failure | null = null;
  /** After a prompt that was too long: what the context window must be larger than. */
  #largerThan: number | null = null;
  /** Made only when something waits, since most asks never do. */
  #waits: AbortController | null = null;
  readonly #onAbort = (): void => {
    const error = leftError(this.ask.signal);
    for (const { attempt } of this.live) attempt.abort(error);
    this.#waits?.abort(error);
  };

  /** `records`: where the account of the attempts is kept. */
  constructor(ask: Ask<E, R>, options: RunOptions, records: AttemptRecord[] = []) {
    this.ask = ask;
    this.records = records;
    this.options = options;
    this.#end =
      ask.timeoutMs === null
        ? Number.POSITIVE_INFINITY
        : options.timers.monotonic() + ask.timeoutMs + graceMs;
    options.budget.deposit();
    ask.signal.addEventListener('abort', this.#onAbort, once);
  }

  /** True while a route is left that was not asked. */
  get hasUntried(): boolean {
    return this.#cursor < this.ask.routes.length;
  }

  /** True after a refusal to answer such content, which holds for all backends. */
  get isFiltered(): boolean {
    return this.#final?.kind === 'filtered';
  }

  throwIfLeft(): void {
    if (this.ask.signal.aborted) throw leftError(this.ask.signal);
  }

  /** The next route and the wait before it; null when nothing is left to try. `reason`: for one not asked before. */
  next(reason: AttemptReason): Step | null {
    if (this.#final !== null) return null;
    let wanted = reason;
    while (this.hasUntried) {
      const route = this.ask.routes[this.#cursor++]!;
      if (!this.#isLargeEnough(route)) continue;
      const condition = this.options.conditions.of(route.backend.name);
      if (condition.coolMs === 0 && condition.breaker.admits)
        return { route, reason: this.#reasonFor(route, wanted), waitMs: 0 };
      this.#skip(route, condition);
      wanted = 'failover';
    }
    return this.lanes > 1 ? null : this.#again();
  }

  /** The same backend once more, when the connection it was asked over turned out to be a dead one. */
  staleAgain(route: Route): boolean {
    const tried = this.#of(route);
    if (tried.failure?.kind !== 'stale' || tried.stale) return false;
    tried.stale = true;
    return true;
  }

  async wait(ms: number): Promise<void> {
    this.throwIfLeft();
    if (ms <= 0) return;
    this.#waits ??= new AbortController();
    await this.options.timers.sleep(ms, this.#waits.signal);
  }

  /** Ends the waits of lanes that are no longer needed. */
  stopWaiting(): void {
    this.#waits?.abort();
    this.#waits = null;
  }

  /** Begins an attempt; null when the backend's breaker refuses it. */
  begin({ route, reason, waitMs }: Step): Live<E, R> | null {
    const condition = this.options.conditions.of(route.backend.name);
    const ticket = condition.breaker.admit();
    if (ticket === 0) {
      this.#skip(route, condition);
      return null;
    }
    condition.begin();
    const record: Writable<AttemptRecord> = {
      backend: route.backend.name,
      model: route.model,
      reason,
      outcome: 'running',
      code: null,
      kind: null,
      waitMs,
      firstTokenMs: null,
      ms: 0,
    };
    this.records.push(record);
    const attempt = new Attempt<E>(route.backend.name, this.options.timers, route.limits, this.#end);
    const live = { route, attempt, reading: this.ask.read(), condition, ticket, record };
    this.live.add(live);
    return live;
  }

  /** The first piece has come. */
  commit(live: Live<E, R>): void {
    live.attempt.commit();
    live.record.firstTokenMs = live.attempt.ms;
    live.condition.firstToken(live.record.firstTokenMs);
  }

  /** Its whole answer has come. */
  succeed(live: Live<E, R>): void {
    this.#settle(live, 'answered', null, 'success');
  }

  /** Another one was faster, or it was outvoted. */
  lose(live: Live<E, R>): void {
    this.#settle(live, 'lost', null, 'neutral');
  }

  /** It failed. Throws when the caller has left; else what it meant. `broken`: after its first piece. */
  fail(live: Live<E, R>, thrown: unknown, broken = false): Failure {
    if (this.ask.signal.aborted) {
      this.#settle(live, 'left', null, 'neutral');
      throw leftError(this.ask.signal);
    }
    let failure = failureOf(thrown);
    const tried = this.#of(live.route);
    // Two dead connections in a row are no coincidence of timing.
    if (failure.kind === 'stale' && tried.stale) failure = { ...failure, kind: 'reset', ...FAILURES.reset };
    const silent = failure.kind === 'silent';
    const outcome = !broken ? 'failed' : silent ? 'stalled' : 'cut';
    this.#settle(live, outcome, failure, failure.counts ? 'failure' : 'neutral');
    tried.attempts++;
    tried.failure = failure;
    const { retryAfterMs, kind } = failure;
    if (retryAfterMs !== null) {
      tried.readyAt = this.options.timers.monotonic() + retryAfterMs;
      // A queue of this node that is full is no reason to keep others away from it.
      if (kind === 'rate_limited' || kind === 'overloaded') live.condition.cool(retryAfterMs);
    }
    return failure;
  }

  /** Takes a failure before the first piece into account for what is asked next. */
  learn(route: Route, failure: Failure): void {
    if (failure.kind === 'context') {
      // Once to a larger one, not up a whole staircase.
      if (this.#largerThan !== null) this.#final = failure;
      this.#largerThan = route.context ?? 0;
    } else if (!failure.elsewhere && !failure.again) this.#final = failure;
  }

  /** What to tell the caller now that nothing is left to try. */
  verdict(): KithError {
    return this.#final?.error ?? verdict(this.#tried, this.ask.routes.length, this.options);
  }

  /** Gives everything back: attempts that are under way were left by the caller. */
  close(): void {
    this.ask.signal.removeEventListener('abort', this.#onAbort);
    this.#waits?.abort();
    for (const live of this.live) this.#settle(live, 'left', null, 'neutral');
  }

  #settle(
    live: Live<E, R>,
    outcome: AttemptRecord['outcome'],
    failure: Failure | null,
    health: 'success' | 'failure' | 'neutral',
  ): void {
    if (!this.live.delete(live)) return;
    const { record, condition, attempt } = live;
    record.outcome = outcome;
    // An answer that waited to be compared with others was over when it was whole.
    record.ms ||= attempt.ms;
    if (failure !== null) {
      record.code = failure.error.code;
      record.kind = failure.kind;
    }
    condition.breaker.settle(live.ticket, health);
    condition.end(health);
    attempt.close(outcome === 'answered' && live.reading.over);
  }

  #skip(route: Route, { coolMs, breaker }: Condition): void {
    const code = coolMs > 0 ? 'cooling_down' : 'breaker_open';
    const tried = this.#of(route);
    const wait = Math.max(coolMs, breaker.waitMs);
    tried.readyAt = this.options.timers.monotonic() + wait;
    const { name } = route.backend;
    this.records.push({
      backend: name,
      model: route.model,
      reason: this.records.length === 0 ? 'first choice' : 'failover',
      outcome: 'skipped',
      code,
      kind: null,
      waitMs: 0,
      firstTokenMs: null,
      ms: 0,
    });
  }

  /** A route to ask again, and the wait before; null when none may be. */
  #again(): Step | null {
    const { timers, random, retries = 3, backoff, budget } = this.options;
    if (this.#retries >= retries) return null;
    const now = timers.monotonic();
    const mayBe = this.#tried.filter(({ route }) => this.#isLargeEnough(route));
    const best = readiest(mayBe, now, this.options);
    if (best === null) return null;
    const waitMs = Math.max(backoffMs(this.#retries, random, backoff), best.readyAt - now);
    if (now + waitMs >= this.#end) return null;
    // One that was passed over has not had the request yet: asking it adds no load.
    if (best.attempts > 0 && !budget.take()) return null;
    this.#retries++;
    return { route: best.route, reason: best.attempts > 0 ? 'retry' : 'failover', waitMs };
  }

  /** Whoever was asked before this run began was the first choice. */
  #reasonFor({ backend }: Route, wanted: AttemptReason): AttemptReason {
    if (this.#largerThan !== null) return 'larger context';
    if (wanted !== 'first choice' || this.records.length === 0) return wanted;
    return this.records.some((one) => one.backend === backend.name) ? 'retry' : 'failover';
  }

  #isLargeEnough({ context }: Route): boolean {
    return this.#largerThan === null || (context !== null && context > this.#largerThan);
  }

  #of(route: Route): Tried {
    return triedOf(this.#tried, route);
  }
}

function leftError(signal: AbortSignal): KithError {
  return isKithError(signal.reason) ? signal.reason : new AbortedError(undefined, { cause: signal.reason });
}

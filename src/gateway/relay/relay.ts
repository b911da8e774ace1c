/**
 * Passes a chat request's own bytes on where nothing in them has to be changed but the model's name, and the answer's
 * bytes back: what parsing, rebuilding and restating both cost is most of what a gateway costs.
 *
 * The policy is the same as for any request: catalogue, filters, breaker, conditions, budget and ledger. Whatever is out
 * of the ordinary (personal data to replace, a cache, several asks, a choice between models, an answer that fails before
 * its first piece) is left to the ordinary way.
 *
 * @module gateway/relay/relay
 */
import type { Clock, KithError } from '../../base/index.ts';
import { requestIdOf } from '../backends/stream-answer.ts';
import type { RemoteReceipt } from '../backends/types.ts';
import type { GatewayOptions } from '../options.ts';
import type { Candidate, Catalogue, Policy } from '../policy/index.ts';
import { type AttemptRecord, type Conditions, failureOf } from '../resilience/index.ts';
import { forwardHeaders } from '../steps/forward.ts';
import type { Plan, Planner } from '../steps/plan.ts';
import { isOpen } from '../steps/question.ts';
import { routeReport, spent } from '../steps/report.ts';
import type { Wishes } from '../steps/wishes.ts';
import type { Terms } from '../terms.ts';
import { UPSTREAM_LIMITS } from '../upstream/index.ts';
import type { StreamEnd } from './frames.ts';
import { Passing, type PassingReader } from './passing.ts';
import { type ChatShape, withModel } from './scan.ts';
import { createSweep } from './sweep.ts';
import type { Relaying, RelayPort, RelayReader, UsageEvent } from './types.ts';

/** Tokens of a whole answer that can be waited for without knowing whether anything comes. */
const maxWholeTokens = 512;
/** ms that one token of it may take. */
const wholeTokenMs = 50;
/** Of a stream, which is not held. */
const maxStreamBytes = 64 * 2 ** 20;
/** Of a whole answer, which is: as many as one event of a stream may have. 512 tokens are a hundredth of it. */
const maxWholeBytes = UPSTREAM_LIMITS.maxLineBytes;
/** More tokens than any model takes or gives: a server that reports them has not counted. */
const maxTokens = 10_000_000;
/** JSON has six or more characters around each message; a token has about six. */
const bytesPerToken = 8;

export interface RelayParts {
  readonly options: GatewayOptions;
  readonly planner: Planner;
  readonly catalogue: Catalogue;
  readonly policy: Policy;
  readonly conditions: Conditions;
}

export interface RelayRequest {
  readonly body: Buffer;
  readonly shape: ChatShape;
  readonly terms: Terms;
}

/** Null when the request has to be asked in the ordinary way. Asks nobody yet: whoever gets it calls it once. */
export type Relay = (request: RelayRequest) => ((reader: RelayReader) => Relaying) | null;

export function createRelay(parts: RelayParts): Relay {
  const { options, planner, catalogue } = parts;
  const { clock, cache = null } = options;
  const now = () => clock.monotonic();
  const sweep = createSweep(now);

  /** Those who would be asked; null when the request is not one that is passed on. */
  function candidatesOf({ shape }: RelayRequest, wishes: Wishes): readonly Candidate[] | null {
    if (isOpen(shape.model) || wishes.route !== 'auto' || wishes.redundancy !== 1) return null;
    // What fails is asked twice here: once more at each node of a ring would be too often.
    if (wishes.hops > 1) return null;
    // An answer that is held to its cost needs a limit of tokens that the caller did not write.
    if (wishes.maxCost !== null) return null;
    if (wishes.hedgeMs !== null || (cache !== null && wishes.cache !== 'off')) return null;
    if (shape.stream ? !shape.includeUsage : (shape.maxTokens ?? Number.POSITIVE_INFINITY) > maxWholeTokens)
      return null;
    const candidates = catalogue.candidates(shape.model, 'chat');
    if (candidates.length === 0) return null;
    // A stream that breaks off could be said again elsewhere, word for word.
    if (shape.stream && shape.settled && candidates.length > 1) return null;
    for (const { backend, continues } of candidates) {
      // An answer that could be gone on with elsewhere is worth more than the time.
      if (backend.relay === undefined || (shape.stream && continues)) return null;
      if (planner.redacts(wishes, backend.name) || !backend.relay.takes(shape)) return null;
    }
    return candidates;
  }

  return (request) => {
    const { shape } = request;
    const wishes = planner.settle(request.terms);
    const candidates = candidatesOf(request, wishes);
    if (candidates === null) return null;
    let plan: Plan;
    try {
      plan = planner.planAmong(candidates, wishes, {
        promptTokens: Math.ceil(shape.messageBytes / bytesPerToken),
        completionTokens: shape.maxTokens,
        tools: shape.tools,
        // Forms of an answer are restated for each kind of server, in the ordinary way.
        json: false,
        vision: false,
      });
    } catch {
      // The ordinary way finds the same, and says it.
      return null;
    }
    const candidate = plan.candidates[0]!;
    const port = candidate.backend.relay!;
    return (reader) => new Relayed({ ...parts, clock, now, sweep }, request, plan, candidate, port, reader);
  };
}

interface RelayedParts extends RelayParts {
  readonly clock: Clock;
  readonly now: () => number;
  readonly sweep: ReturnType<typeof createSweep>;
}

/** One request that is passed on, with the account that is kept of it. */
class Relayed implements Relaying, PassingReader {
  readonly #parts: RelayedParts;
  readonly #plan: Plan;
  readonly #candidate: Candidate;
  readonly #port: RelayPort;
  readonly #reader: RelayReader;
  readonly #passing: Passing;
  readonly #ticket: number;
  readonly #maxTokens: number;
  #left = false;

  constructor(
    parts: RelayedParts,
    { body, shape }: RelayRequest,
    plan: Plan,
    candidate: Candidate,
    port: RelayPort,
    reader: RelayReader,
  ) {
    this.#parts = parts;
    this.#plan = plan;
    this.#candidate = candidate;
    this.#port = port;
    this.#reader = reader;
    this.#maxTokens = shape.maxTokens ?? Number.POSITIVE_INFINITY;
    const condition = parts.conditions.of(candidate.backend.name);
    condition.begin();
    this.#ticket = condition.breaker.admit();
    const { limits } = candidate;
    this.#passing = new Passing(
      {
        server: port.origin,
        stream: shape.stream,
        limits,
        wholeMs: limits.firstTokenMs + (shape.maxTokens ?? 0) * wholeTokenMs,
        maxBytes: shape.stream ? maxStreamBytes : maxWholeBytes,
        decoder: () => port.decoder(candidate.model),
        now: parts.now,
        sweep: parts.sweep,
      },
      this,
    );
    if (this.#ticket === 0) {
      // Another request is its trial: told once this one is known to its caller.
      queueMicrotask(() => this.#refused());
      return;
    }
    const headers = forwardHeaders(plan.wishes, plan.providerOf(candidate.backend.name));
    port.send(withModel(body, shape, port.upstreamId(candidate.model)), shape.stream, this.#passing, headers);
  }

  resume(): void {
    this.#passing.resume();
  }

  leave(): void {
    if (this.#left) return;
    this.#left = true;
    this.#passing.leave();
    this.#settle('neutral');
    this.#record(null, 'left', this.#aboutCost());
  }

  whole(body: Buffer | string, { reason, usage }: StreamEnd): void {
    this.#settle('success');
    this.#left = true;
    this.#reader.whole(body, reason, this.#usageEvent(usage));
  }

  start(): void {
    const { startedAt, firstTokenAt } = this.#passing;
    this.#condition.firstToken(firstTokenAt! - startedAt);
    const { model, backend } = this.#candidate;
    const route = routeReport(this.#plan, backend.name, [this.#attempt('running')], null, null);
    this.#reader.start({ type: 'start', backend: backend.name, model, route });
  }

  data(bytes: Buffer): boolean {
    return this.#reader.data(bytes);
  }

  end({ reason, usage }: StreamEnd): void {
    this.#settle('success');
    this.#left = true;
    this.#reader.end(reason, this.#usageEvent(usage));
  }

  failed(error: KithError, begun: boolean, silent: boolean): void {
    if (this.#left) return;
    this.#left = true;
    // A failure before the first piece is found again by the ordinary way, which reads what it means. A server that
    // keeps silent is noted here: nobody should wait for it a second time.
    this.#settle(begun || silent ? 'failure' : 'neutral');
    if (!begun) {
      const { kind } = failureOf(error);
      this.#reader.unanswered({ ...this.#attempt('failed'), code: error.code, kind });
      return;
    }
    this.#record(null, 'failed', this.#aboutCost());
    this.#reader.broken(error);
  }

  get #condition() {
    return this.#parts.conditions.of(this.#candidate.backend.name);
  }

  #refused(): void {
    if (this.#left) return;
    this.#left = true;
    this.#passing.leave();
    this.#condition.end('neutral');
    this.#reader.unanswered(null);
  }

  #settle(outcome: 'success' | 'failure' | 'neutral'): void {
    const condition = this.#condition;
    condition.end(outcome);
    condition.breaker.settle(this.#ticket, outcome);
  }

  #attempt(outcome: AttemptRecord['outcome']): AttemptRecord {
    const { startedAt, firstTokenAt, endedAt } = this.#passing;
    return {
      backend: this.#candidate.backend.name,
      model: this.#candidate.model,
      reason: 'first choice',
      outcome,
      code: null,
      kind: null,
      waitMs: 0,
      firstTokenMs: firstTokenAt === null ? null : firstTokenAt - startedAt,
      ms: (endedAt ?? this.#parts.now()) - startedAt,
    };
  }

  /** Providers charge for what was left too: without a guess, leaving early would be a way around budgets. */
  #aboutCost(): number | null {
    const about = this.#passing.about;
    if (about === null) return null;
    const { promptTokens } = this.#plan.needs;
    const completionTokens = Math.min(about, this.#maxTokens);
    return spent(this.#plan, this.#candidate.backend.name, {
      promptTokens,
      cachedTokens: null,
      completionTokens,
    });
  }

  #usageEvent(reported: StreamEnd['usage']): UsageEvent {
    const usage = {
      promptTokens: credible(reported.promptTokens),
      cachedTokens: credible(reported.cachedTokens),
      completionTokens: credible(reported.completionTokens),
    };
    const { backend, model } = this.#candidate;
    const { startedAt, firstTokenAt, endedAt, headers } = this.#passing;
    const cost = spent(this.#plan, backend.name, usage);
    this.#record(usage, 'answered', cost);
    if (this.#plan.wishes.conversation !== null)
      this.#parts.policy.remember(this.#plan.wishes.conversation, this.#candidate);
    const firstTokenMs = firstTokenAt === null ? null : firstTokenAt - startedAt;
    const receipt: RemoteReceipt = {
      backend: backend.name,
      model,
      queueMs: null,
      prefillMs: firstTokenMs,
      decodeMs: firstTokenAt === null || endedAt === null ? null : endedAt - firstTokenAt,
      notes: [],
      upstream: {
        server: this.#port.origin,
        model: null,
        requestId: requestIdOf(headers),
        timings: { sentMs: null, headersMs: null, firstTokenMs, lastTokenMs: null },
      },
      route: routeReport(this.#plan, backend.name, [this.#attempt('answered')], null, cost),
    };
    return { type: 'usage', ...usage, receipt };
  }

  #record(
    usage: StreamEnd['usage'] | null,
    outcome: 'answered' | 'failed' | 'left',
    cost: number | null = null,
  ): void {
    const { tenant, agent } = this.#plan.wishes;
    this.#parts.options.onAttempts?.([this.#attempt(outcome)]);
    this.#parts.options.ledger?.record({
      tenant,
      agent,
      backend: this.#candidate.backend.name,
      model: this.#candidate.model,
      promptTokens: usage?.promptTokens ?? null,
      cachedTokens: usage?.cachedTokens ?? null,
      completionTokens: usage?.completionTokens ?? null,
      cost,
      outcome,
    });
  }
}

const credible = (tokens: number | null): number | null =>
  tokens !== null && tokens <= maxTokens ? tokens : null;

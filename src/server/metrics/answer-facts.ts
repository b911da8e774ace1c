/**
 * What is known about one answer while it is made: names, times and counts, never content. Figures, the access log and
 * traces all read these, so that each event costs one look at the clock.
 *
 * @module server/metrics/answer-facts
 */
import { AbortedError, type Clock, isKithError, totalOf } from '../../base/index.ts';
import type { ChatEvent, FinishReason, Receipt } from '../../gateway/index.ts';
import type { Exchange } from '../http/exchange.ts';
import type { AnswerKind, AnswerWatch } from '../types.ts';

/**
 * - `ok`: it came to its end.
 * - `cancelled`: the client went away first.
 * - `refused`: a limit was reached or nothing could answer now (429, 503, 529).
 * - `invalid`: the request was at fault (any other 4xx).
 * - `failed`: the node was at fault.
 */
export const outcomes = ['ok', 'cancelled', 'refused', 'invalid', 'failed'] as const;
export type Outcome = (typeof outcomes)[number];

/** Times are monotonic ms. Null: not known, or not known yet. */
export interface AnswerFacts {
  /** Request id, `req-...`. */
  readonly request: string;
  readonly kind: AnswerKind;
  readonly route: string;
  readonly agent: string | null;
  /** Id of a model that exists here; null when the name asked for is none. */
  model: string | null;
  backend: string | null;
  readonly startedAt: number;
  /** First piece of text or tool call. */
  firstAt: number | null;
  endedAt: number | null;
  promptTokens: number | null;
  cachedTokens: number | null;
  completionTokens: number | null;
  queueMs: number | null;
  prefillMs: number | null;
  decodeMs: number | null;
  /** Money, in the unit of the owner's prices. */
  cost: number | null;
  /** One for each choice, in the order in which they ended. */
  readonly reasons: FinishReason[];
  outcome: Outcome | null;
  /** Code of the error that ended it. */
  code: string | null;
}

export interface AnswerListener {
  started?(facts: AnswerFacts): void;
  /** A piece came `ms` after the one before of the same choice. */
  gap?(facts: AnswerFacts, ms: number, now: number): void;
  ended?(facts: AnswerFacts): void;
}

/**
 * Tokens per second of decoding, all choices together. The first token of a choice belongs to the prompt's computing;
 * null when there is no other.
 */
export function tokensPerSecond(facts: AnswerFacts): number | null {
  const { completionTokens, decodeMs, reasons } = facts;
  if (completionTokens === null || decodeMs === null || decodeMs <= 0) return null;
  const decoded = completionTokens - reasons.length;
  return decoded > 0 ? (decoded / decodeMs) * 1000 : null;
}

export function outcomeOf(error: unknown): { outcome: Outcome; code: string | null } {
  if (error === null || error === undefined) return { outcome: 'ok', code: null };
  if (!isKithError(error)) {
    // A plain AbortSignal's reason is a DOMException of this name.
    if ((error as { name?: unknown })?.name === 'AbortError')
      return { outcome: 'cancelled', code: 'aborted' };
    return { outcome: 'failed', code: 'internal_error' };
  }
  const { code, status } = error;
  if (error instanceof AbortedError) return { outcome: 'cancelled', code };
  if (status === 429 || status === 503) return { outcome: 'refused', code };
  return { outcome: status < 500 ? 'invalid' : 'failed', code };
}

/** Follows one answer. `model`: an id known to exist here, or null. */
export function watchAnswer(
  exchange: Exchange,
  kind: AnswerKind,
  model: string | null,
  clock: Pick<Clock, 'monotonic'>,
  listeners: readonly AnswerListener[],
): { facts: AnswerFacts; watch: AnswerWatch } {
  const facts: AnswerFacts = {
    request: `req-${exchange.id}`,
    kind,
    route: exchange.route,
    agent: exchange.caller.agent,
    model,
    backend: null,
    startedAt: clock.monotonic(),
    firstAt: null,
    endedAt: null,
    promptTokens: null,
    cachedTokens: null,
    completionTokens: null,
    queueMs: null,
    prefillMs: null,
    decodeMs: null,
    cost: null,
    reasons: [],
    outcome: null,
    code: null,
  };
  for (const listener of listeners) listener.started?.(facts);
  /** When the last piece of each choice came. */
  const lastAt: (number | undefined)[] = [];
  const piece = (choice: number): void => {
    const now = clock.monotonic();
    facts.firstAt ??= now;
    const last = lastAt[choice];
    lastAt[choice] = now;
    if (last === undefined) return;
    for (const listener of listeners) listener.gap?.(facts, now - last, now);
  };
  const event = (seen: ChatEvent): void => {
    switch (seen.type) {
      case 'start':
        facts.backend = seen.backend;
        facts.model = seen.model;
        break;
      case 'text':
      case 'tool_call':
      case 'tool_arguments':
        piece(seen.choice);
        break;
      case 'finish':
        facts.reasons.push(seen.reason);
        break;
      case 'usage':
        facts.promptTokens = seen.promptTokens;
        facts.cachedTokens = seen.cachedTokens;
        facts.completionTokens = seen.completionTokens;
        takeReceipt(facts, seen.receipt);
        break;
    }
  };
  return {
    facts,
    watch: {
      event,
      embedded(answer) {
        takeReceipt(facts, answer.receipt);
        facts.promptTokens = totalOf(answer.tokens);
      },
      end(error) {
        if (facts.endedAt !== null) return;
        facts.endedAt = clock.monotonic();
        Object.assign(facts, outcomeOf(error));
        for (const listener of listeners) listener.ended?.(facts);
      },
    },
  };
}

function takeReceipt(facts: AnswerFacts, receipt: Receipt): void {
  facts.backend = receipt.backend;
  facts.model = receipt.model;
  facts.queueMs = receipt.queueMs;
  facts.prefillMs = receipt.prefillMs;
  facts.decodeMs = receipt.decodeMs;
  facts.cost = receipt.route?.cost ?? null;
}

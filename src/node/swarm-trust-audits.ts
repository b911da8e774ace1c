/**
 * Audits: a small share of what peers answered is computed again here, and compared. Off unless the owner sets a share.
 *
 * Only what has one right answer is compared: temperature 0, one choice, no penalties, the same file (the peer says its
 * SHA-256), the same number of prompt tokens (so the same template). Rounding differs between builds, devices and batches,
 * so where the peer chose another token than this node would, it is asked how much less likely that token is here:
 *
 * | Here, the peer's token is | Verdict |
 * |---|---|
 * | the same to the end of what is compared, or at most e^1 times less likely than the best | right |
 * | over e^1 and up to e^3 times less likely | none: nothing is noted |
 * | over e^3 times less likely than the best, or not among the likely ones at all | wrong |
 *
 * After a near tie the two answers are of different beginnings, and no further token is compared. Right is an observation of
 * as much weight as there were tokens: one for 16 and more. Wrong is a whole one, and an incident: this node recomputed it.
 *
 * @module node/swarm-trust-audits
 */
import { createHash } from 'node:crypto';
import { type Clock, isKithError, type Logger, messageOf, type Random, toHex } from '../base/index.ts';
import type { ChatRequest, PeerServiceOptions } from '../gateway/index.ts';
import { auditShare, type Trust } from '../trust/index.ts';
import type { SeenChat } from './swarm-trust-watch.ts';

export interface AuditParts {
  /** Share of a peer's answers after its first 20, all of which are computed again. 0: no audits. */
  readonly share: number;
  /** This machine's engine. */
  readonly engine: Pick<PeerServiceOptions['engine'], 'models' | 'chat'>;
  /** SHA-256 of the model's file as the peer says it, hexadecimal; null: it does not. */
  readonly hashOf: (peer: string, model: string) => Promise<string | null>;
  readonly trust: Pick<Trust, 'observe' | 'incident' | 'count'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly behind: (what: string, work: () => Promise<void>) => void;
}

export interface Audits {
  wantsText(peer: string, request: ChatRequest): boolean;
  take(seen: SeenChat, request: ChatRequest): void;
}

/** What audits may cost: one at a time, this many an hour, of prompts and answers that are no longer. */
export const AUDIT_BOUNDS = {
  perHour: 60,
  promptChars: 16_384,
  tokens: 128,
  timeMs: 120_000,
} as const;
const HOUR_MS = 3_600_000;
/** Natural logarithms of how much less likely than the best. */
const TIE = 1;
const WRONG = 3;
const ALTERNATIVES = 10;
const FULL_WEIGHT_TOKENS = 16;

export type AuditVerdict =
  | { readonly verdict: 'right'; readonly tokens: number }
  | { readonly verdict: 'open' | 'wrong'; readonly tokens: number; readonly why: string };

/** One token that this node would write, and the likely ones in its place, likeliest first. */
export interface OwnToken {
  readonly bytes: Uint8Array;
  readonly logprob: number;
  readonly top: readonly { readonly bytes: Uint8Array; readonly logprob: number }[];
}

/** Holds a peer's words against this node's own tokens. */
export function judge(answer: Uint8Array, own: readonly OwnToken[]): AuditVerdict {
  let at = 0;
  const goesOn = (bytes: Uint8Array): boolean =>
    bytes.length > 0 && Buffer.compare(answer.subarray(at, at + bytes.length), bytes) === 0;
  for (const [tokens, { bytes, logprob, top }] of own.entries()) {
    // It ended sooner, as it may have been told to; one that says little to be right tells little.
    if (at === answer.length)
      return tokens >= FULL_WEIGHT_TOKENS
        ? { verdict: 'right', tokens }
        : { verdict: 'open', tokens, why: 'it ended sooner than it does here' };
    // A token may be a mark that is not text.
    if (bytes.length === 0 || goesOn(bytes)) {
      at += bytes.length;
      continue;
    }
    const best = Math.max(logprob, ...top.map((each) => each.logprob));
    const said = top.filter((each) => goesOn(each.bytes)).map((each) => each.logprob);
    const least = Math.min(logprob, ...top.map((each) => each.logprob));
    const behind = best - (said.length > 0 ? Math.max(...said) : least);
    if (said.length > 0 && behind <= TIE) return { verdict: 'right', tokens: tokens + 1 };
    const why = `token ${tokens + 1} is ${said.length > 0 ? '' : 'more than '}e^${behind.toFixed(1)} times less likely here`;
    return { verdict: behind > WRONG ? 'wrong' : 'open', tokens: tokens + 1, why };
  }
  return { verdict: 'right', tokens: own.length };
}

export function createAudits(parts: AuditParts): Audits {
  const { share, engine, hashOf, trust, clock, random, log, signal, behind } = parts;
  let running = false;
  let since = Number.NEGATIVE_INFINITY;
  let count = 0;

  function wantsText(peer: string, request: ChatRequest): boolean {
    if (share === 0 || running || !isComparable(request)) return false;
    if (clock.monotonic() - since >= HOUR_MS) {
      since = clock.monotonic();
      count = 0;
    }
    return count < AUDIT_BOUNDS.perHour && random.float() < auditShare(trust.count(peer, 'audit'), share);
  }

  async function own(
    model: string,
    request: ChatRequest,
  ): Promise<{ tokens: OwnToken[]; prompt: number | null }> {
    const { messages, variables, sampler, stop, overflow, keepTokens, maxTokens } = request;
    const tokens: OwnToken[] = [];
    let prompt: number | null = null;
    const events = engine.chat({
      ...{ model, messages, stop, overflow, keepTokens, n: 1 },
      ...(variables === undefined ? {} : { variables }),
      sampler: { ...sampler, topLogprobs: ALTERNATIVES },
      maxTokens: Math.min(maxTokens ?? AUDIT_BOUNDS.tokens, AUDIT_BOUNDS.tokens),
      timeoutMs: AUDIT_BOUNDS.timeMs,
      signal,
    });
    for await (const event of events) {
      if (event.type === 'text') tokens.push(...(event.logprobs ?? []));
      else if (event.type === 'usage') prompt = event.promptTokens;
    }
    return { tokens, prompt };
  }

  async function audit(seen: SeenChat, request: ChatRequest): Promise<void> {
    const { peer, model, text, promptTokens } = seen;
    const row = (await engine.models()).find(({ id }) => id === model);
    if (row?.digest === undefined || row.state === 'available') return;
    if ((await hashOf(peer, model)) !== row.digest) return;
    const { tokens, prompt } = await own(model, request);
    if (prompt === null || prompt !== promptTokens) return;
    const answer = new TextEncoder().encode(text!);
    const verdict = judge(answer, tokens);
    log.info('an answer of a peer was computed again', { peer, model, ...verdict });
    if (verdict.verdict === 'open' || verdict.tokens === 0) return;
    if (verdict.verdict === 'right') {
      trust.observe(peer, 'audit', 1, Math.min(1, verdict.tokens / FULL_WEIGHT_TOKENS));
      return;
    }
    const digest = createHash('sha256').update(JSON.stringify(request.messages)).update('\0').update(answer);
    trust.observe(peer, 'audit', 0);
    trust.incident(peer, 'recomputed', `answer ${toHex(digest.digest())}`);
    log.warn('a peer answered what its model does not say', { peer, model, why: verdict.why });
  }

  return {
    wantsText,
    take(seen, request) {
      if (running) return;
      running = true;
      count++;
      behind('an answer was not computed again', async () => {
        try {
          await audit(seen, request);
        } catch (error) {
          // The engine may be busy, or have no room for the model: the next answer is as good.
          if (!isKithError(error)) throw error;
          log.debug('an answer was not computed again', { err: messageOf(error) });
        } finally {
          running = false;
        }
      });
    },
  };
}

/** Requests that have one right answer. */
function isComparable({ n, sampler, messages, grammar, tools, prefill, maxTokens }: ChatRequest): boolean {
  const { temperature, repeatPenalty = 1, presencePenalty = 0, frequencyPenalty = 0 } = sampler;
  return (
    n === 1 &&
    temperature === 0 &&
    repeatPenalty === 1 &&
    presencePenalty === 0 &&
    frequencyPenalty === 0 &&
    (sampler.logitBias ?? []).length === 0 &&
    (sampler.topLogprobs ?? null) === null &&
    maxTokens !== 0 &&
    grammar === undefined &&
    (tools ?? []).length === 0 &&
    prefill === undefined &&
    messages.every(({ content }) => typeof content === 'string') &&
    messages.reduce((sum, { content }) => sum + (content?.length ?? 0), 0) <= AUDIT_BOUNDS.promptChars
  );
}

/**
 * Which question a request asks: SHA-256 of the canonical JSON (RFC 8785) of everything that determines the answer.
 *
 * In the key: model and revision, messages, sampler, token limit, stop texts, number of choices, overflow policy,
 * grammar, tools and how they may be called, template variables, the answer's beginning, the caller, the privacy level.
 * Not in it: the time limit and the signal (they decide whether an answer comes, not which), the seed at temperature 0
 * or where it was drawn for the caller, and whatever else the request carries (`user`, `metadata`).
 *
 * @module gateway/cache/key
 */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../../base/index.ts';
import type { ChatRequest } from '../types.ts';
import type { AnswerKey, AnswerScope } from './types.ts';

/** Part of each key: a change of what goes into the key changes it, so that old answers are never met by mistake. */
const KEY_VERSION = 1;

/**
 * Whether answers to the request may be kept at all: the caller opted in, or the temperature is 0 and named, and the
 * privacy level is not the highest. Log-probabilities are not kept, so requests for them are answered anew.
 */
export function isCacheable(request: ChatRequest, scope: AnswerScope): boolean {
  if (scope.privacy === 'maximum') return false;
  if ((request.sampler.topLogprobs ?? null) !== null) return false;
  return scope.optIn === true || request.sampler.temperature === 0;
}

/** Null when the request has no canonical form (a lone surrogate, nesting without end): it is not cached then. */
export function answerKey(request: ChatRequest, scope: AnswerScope): AnswerKey | null {
  return digest(determinants(request, scope, request.messages), scope.model);
}

/**
 * The same but for the last message's text: questions that only differ there have the same topic. Null as above, and
 * when the last message is not a user's text.
 */
export function topicKey(request: ChatRequest, scope: AnswerScope): AnswerKey | null {
  const last = request.messages.at(-1);
  if (last?.role !== 'user' || last.content === null) return null;
  return digest(
    { topic: determinants(request, scope, [...request.messages.slice(0, -1), { ...last, content: null }]) },
    scope.model,
  );
}

function determinants(request: ChatRequest, scope: AnswerScope, messages: ChatRequest['messages']) {
  const tools = request.tools ?? [];
  const { seed, topLogprobs, ...sampler } = request.sampler;
  const seedCounts = sampler.temperature !== 0 && scope.drawnSeed !== true;
  return {
    v: KEY_VERSION,
    model: scope.model,
    revision: scope.revision ?? null,
    tenant: scope.tenant,
    privacy: scope.privacy,
    messages,
    n: request.n,
    sampler: seedCounts ? { ...sampler, seed: seed ?? null } : sampler,
    maxTokens: request.maxTokens,
    stop: request.stop,
    overflow: request.overflow,
    keepTokens: request.keepTokens,
    grammar: request.grammar ?? null,
    tools,
    toolChoice: tools.length === 0 ? null : (request.toolChoice ?? 'auto'),
    parallelToolCalls: tools.length === 0 ? null : (request.parallelToolCalls ?? true),
    variables: request.variables ?? {},
    prefill: request.prefill ?? '',
  };
}

function digest(value: unknown, model: string): AnswerKey | null {
  try {
    const text = canonicalJson(withoutUndefined(value, 0));
    return { id: createHash('sha256').update(text).digest('hex'), model };
  } catch {
    // No canonical form: canonical_json_invalid.
    return null;
  }
}

/** An optional field that is there with the value undefined means what its absence means. */
function withoutUndefined(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || depth > 256) return value;
  if (Array.isArray(value)) return value.map((item) => withoutUndefined(item, depth + 1));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  // Without a prototype, so that a key named __proto__ stays a key.
  const copy: Record<string, unknown> = Object.create(null);
  for (const [key, item] of Object.entries(value)) {
    if (item !== undefined) copy[key] = withoutUndefined(item, depth + 1);
  }
  return copy;
}

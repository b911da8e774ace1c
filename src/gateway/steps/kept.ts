/**
 * Answers from the cache, with the route that says so.
 *
 * @module gateway/steps/kept
 */
import { canonicalJson } from '../../base/index.ts';
import { type AnswerCache, type AnswerScope, cacheNoteOf } from '../cache/index.ts';
import type { Candidate } from '../policy/index.ts';
import type { ChatEvent, ChatRequest, RouteReport } from '../types.ts';
import { nowhere } from './report.ts';
import type { Wishes } from './wishes.ts';

/** What the cache must know beside the request. Candidates that differ may answer differently. */
export function scopeOf(request: ChatRequest, wishes: Wishes, candidates: readonly Candidate[]): AnswerScope {
  const models = [...new Set(candidates.map(({ model }) => model))].sort();
  return {
    model: models.join(' '),
    revision: revisionOf(wishes),
    tenant: wishes.tenant,
    privacy: wishes.privacy,
    drawnSeed: request.drawnSeed ?? false,
    optIn: wishes.cache === 'keep' || wishes.cache === 'similar',
    similar: wishes.cache === 'similar',
  };
}

function revisionOf({ hops, route, peers }: Wishes): string {
  // A request that came back to its own node must not wait for the answer that waits for it.
  const way = hops === 0 ? route : `${route} ${hops}`;
  // Nor may one be asked in the place of another that asks more of the peers that see it.
  return peers === null ? way : `${way} ${canonicalJson(peers)}`;
}

/** The cache's answer, or a new one. `onKept` hears of an answer that cost nothing. */
export async function* throughCache(
  cache: AnswerCache,
  request: ChatRequest,
  scope: AnswerScope,
  wishes: Wishes,
  ask: (signal: AbortSignal) => AsyncIterable<ChatEvent>,
  onKept: (backend: string, model: string) => void,
): AsyncGenerator<ChatEvent> {
  let own = false;
  const events = cache.answer(request, scope, (signal) => {
    own = true;
    return ask(signal);
  });
  for await (const event of events) {
    if (own) yield event;
    else if (event.type === 'start') yield { ...event, route: route(wishes, null) };
    else if (event.type === 'usage') {
      const { receipt } = event;
      onKept(receipt.backend, receipt.model);
      yield { ...event, receipt: { ...receipt, route: route(wishes, cacheNoteOf(receipt)) } };
    } else yield event;
  }
}

function route(wishes: Wishes, cache: RouteReport['cache']): RouteReport {
  const privacy = nowhere(wishes.privacy);
  return { step: 'cache', attempts: [], privacy, cache, cost: 0, complexity: null };
}

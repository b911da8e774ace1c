/**
 * The steps below the backends: a search adapter's answer, the last good one, an explanation.
 *
 * @module gateway/steps/rescue
 */
import { isKithError, type KithError } from '../../base/index.ts';
import type { AnswerCache, AnswerKey } from '../cache/index.ts';
import type { Ladder, StandIn } from '../ladder/index.ts';
import { DEGRADATIONS } from '../terms.ts';
import type { ChatEvent, ChatRequest, RouteReport } from '../types.ts';
import { attemptsBefore, evidenceOf, nowhere } from './report.ts';
import type { Wishes } from './wishes.ts';

export interface RescueParts {
  readonly ladder: Ladder | null;
  readonly cache: AnswerCache | null;
}

/**
 * The answer's events, or those of what stands in for it when no backend began one. Once a piece was passed on an error
 * stays an error.
 */
export async function* rescued(
  { ladder, cache }: RescueParts,
  request: ChatRequest,
  wishes: Wishes,
  key: AnswerKey | null,
  events: AsyncIterable<ChatEvent>,
): AsyncGenerator<ChatEvent> {
  let begun = false;
  try {
    for await (const event of events) {
      begun = true;
      yield event;
    }
  } catch (error) {
    if (begun || !isKithError(error) || error.code === 'aborted') throw error;
    const upTo = DEGRADATIONS.indexOf(wishes.degrade);
    const allows = (step: (typeof DEGRADATIONS)[number]) => DEGRADATIONS.indexOf(step) <= upTo;
    const distress = { error, privacy: wishes.privacy, locale: wishes.locale, signal: request.signal };
    // A text of ours is no answer where a form or a call was asked for.
    const anyText =
      request.grammar === undefined && (request.toolChoice ?? 'auto') === 'auto' && request.n === 1;
    // Who is in danger is told where help is, whatever kept the request from being answered.
    const inDanger = ladder !== null && anyText && allows('explain') && ladder.inDanger(request);
    if (inDanger) return yield* eventsOf(ladder.explain(request, distress), error, wishes);
    if (!isOutage(error)) throw error;
    if (ladder !== null && anyText && allows('search')) {
      const found = await ladder.search(request, distress);
      if (found !== null) return yield* eventsOf(found, error, wishes);
    }
    if (cache !== null && key !== null && allows('stale')) {
      const last = await cache.lastGood(key);
      if (last !== null) return yield* staleEvents(last.events, last.ageMs, error, wishes);
    }
    if (ladder !== null && anyText && allows('explain'))
      return yield* eventsOf(ladder.explain(request, distress), error, wishes);
    throw error;
  }
}

/** True when the request was sound and nobody was there to answer it. */
function isOutage(error: KithError): boolean {
  return error.status >= 500 || (error.status === 429 && error.code !== 'budget_exceeded');
}

function route(step: RouteReport['step'], error: KithError, privacy: RouteReport['privacy']): RouteReport {
  return { step, attempts: attemptsBefore(error), privacy, cache: null, cost: 0, complexity: null };
}

function* eventsOf(standIn: StandIn, error: KithError, wishes: Wishes): Generator<ChatEvent> {
  const { step, source, text, notes, destination, replaced } = standIn;
  const model = `kith/${step}`;
  const level = wishes.privacy;
  const privacy = destination === null ? nowhere(level) : evidenceOf(level, destination, replaced);
  const how = route(step, error, privacy);
  yield { type: 'start', backend: source, model, route: how };
  yield { type: 'text', choice: 0, text, logprobs: null };
  yield { type: 'finish', choice: 0, reason: 'stop', stop: null, slidTokens: 0 };
  const receipt = {
    backend: source,
    model,
    queueMs: null,
    prefillMs: null,
    decodeMs: null,
    notes: [...notes, `No backend answered: ${error.message}`],
    route: how,
  };
  yield { type: 'usage', promptTokens: 0, cachedTokens: 0, completionTokens: 0, receipt };
}

function* staleEvents(
  events: readonly ChatEvent[],
  ageMs: number,
  error: KithError,
  wishes: Wishes,
): Generator<ChatEvent> {
  const minutes = Math.round(ageMs / 60_000);
  const note = `No backend answered (${error.code}); this is the last good answer to the same question, ${minutes} min old.`;
  const how = route('stale', error, nowhere(wishes.privacy));
  for (const event of events) {
    if (event.type === 'start') yield { ...event, route: how };
    else if (event.type === 'usage') {
      const { receipt } = event;
      const cache = 'cache' in receipt ? (receipt as { cache: RouteReport['cache'] }).cache : null;
      yield { ...event, receipt: { ...receipt, notes: [...receipt.notes, note], route: { ...how, cache } } };
    } else yield event;
  }
}

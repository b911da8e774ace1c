/**
 * Passes on an answer that has begun, and goes on with another backend, or ends in an error, when it breaks off.
 *
 * @module gateway/resilience/stream
 */
import { KithError } from '../../base/index.ts';
import type { ChatEvent } from '../types.ts';
import { continuationOf, goOnFrom } from './continuation.ts';
import { type Failure, isTotal } from './failure.ts';
import { brokenOff, type Opened } from './open.ts';
import type { ChatReading } from './reading.ts';
import type { Continued, Live, Run } from './run.ts';
import type { Route } from './types.ts';

type ChatRun = Run<ChatEvent, ChatReading>;
type ChatLive = Live<ChatEvent, ChatReading>;

export async function* streamAnswer(
  run: ChatRun,
  first: Opened<ChatEvent, ChatReading>,
): AsyncGenerator<ChatEvent> {
  const { live, held } = first;
  for (const event of held) yield withNotes(run, event);
  const broken = yield* rest(run, live, null);
  if (broken !== null) yield* goOn(run, live.route, broken, continuationOf(live, null));
}

/** Passes on what is still to come. Returns what broke the answer off, null when it is whole. */
async function* rest(
  run: ChatRun,
  live: ChatLive,
  before: Continued | null,
): AsyncGenerator<ChatEvent, Failure | null> {
  const { attempt, reading } = live;
  for (;;) {
    let result: IteratorResult<ChatEvent>;
    try {
      result = await attempt.next();
    } catch (error) {
      // All was said but for the closing facts: the answer is whole.
      if (!reading.whole || run.ask.signal.aborted) return run.fail(live, error, true);
      result = { done: true, value: undefined };
    }
    if (result.done) {
      if (!reading.whole) return run.fail(live, brokenOff(live.route.backend.name, reading.size, null), true);
      run.succeed(live);
      for (const event of reading.rest()) yield withNotes(run, added(event, before));
      return null;
    }
    const event = result.value;
    reading.take(event);
    if (!reading.over) {
      yield event;
      continue;
    }
    // Nothing comes after the closing facts, and a backend that does not end then is not waited for.
    run.succeed(live);
    yield withNotes(run, added(event, before));
    return null;
  }
}

/** Lets other backends go on; throws when none does. */
async function* goOn(
  run: ChatRun,
  first: Route,
  failure: Failure,
  text: Continued | null,
): AsyncGenerator<ChatEvent> {
  const helpers = { continued: new Set<Route>(), replayed: new Set<Route>() };
  let cut = first;
  let broken = failure;
  let from = text;
  for (;;) {
    const seam = from === null ? null : await goOnFrom(run, cut, broken, from, helpers);
    if (seam === null) throw endOf(cut, broken, from?.text.length ?? null);
    const { live, held, before } = seam;
    const how = before === null ? 'gave the same answer and went on' : 'went on from its text';
    run.notes.push(
      `The answer of '${cut.backend.name}' broke off (${broken.error.code}); '${live.route.backend.name}' ${how}.`,
    );
    for (const event of held) yield event;
    const next = yield* rest(run, live, before);
    if (next === null) return;
    from = continuationOf(live, before);
    broken = next;
    cut = live.route;
  }
}

/** The error that stands where the rest of the answer should: one of few codes, with what the backend said inside. */
function endOf({ backend }: Route, failure: Failure, characters: number | null): KithError {
  const { error, kind } = failure;
  const own = ['stream_cut', 'stream_stalled', 'answer_timeout', 'request_timeout'];
  if (own.includes(error.code) || kind === 'filtered') return error;
  if (kind === 'silent' && !isTotal(failure))
    return new KithError(
      'stream_stalled',
      `The answer of '${backend.name}' stopped in the middle: ${error.message}`,
      {
        status: 504,
        details: { backend: backend.name, characters },
        cause: error,
      },
    );
  if (isTotal(failure)) return error;
  return brokenOff(backend.name, characters, error);
}

/** Usage of the last part with what was said before it. */
function added(event: ChatEvent, before: Continued | null): ChatEvent {
  if (event.type !== 'usage' || before === null) return event;
  return { ...event, completionTokens: event.completionTokens + before.tokens };
}

/** The receipt tells what the caller could not see: who failed before, who agreed, who went on. */
export function withNotes(run: Run<ChatEvent, ChatReading>, event: ChatEvent): ChatEvent {
  if (event.type !== 'usage') return event;
  const failed = run.records.filter(({ outcome }) => outcome === 'failed' || outcome === 'skipped');
  if (failed.length === 0 && run.notes.length === 0) return event;
  const notes = [
    ...event.receipt.notes,
    ...failed.map(({ backend, code }) => `'${backend}' was to answer first and did not (${code}).`),
    ...run.notes,
  ];
  return { ...event, receipt: { ...event.receipt, notes } };
}

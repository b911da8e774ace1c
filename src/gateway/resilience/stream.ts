/**
 * Passes on an answer from its first piece, and goes on with another backend, or ends in an error, when it breaks off.
 *
 * @module gateway/resilience/stream
 */
import { KithError } from '../../base/index.ts';
import type { ChatEvent } from '../types.ts';
import type { Continued, Live } from './ask.ts';
import { continuationOf, goOnFrom, type Helpers, type Seam } from './continuation.ts';
import { type Failure, isTotal } from './failure.ts';
import { brokenOff, type Opened } from './open.ts';
import type { ChatReading } from './reading.ts';
import type { Run } from './run.ts';

type ChatRun = Run<ChatEvent, ChatReading>;

/** One generator from the backend to the caller: each more would cost every event as much again. */
export async function* streamAnswer(
  begin: () => ChatRun,
  open: (run: ChatRun) => Promise<Opened<ChatEvent, ChatReading>>,
): AsyncGenerator<ChatEvent> {
  const run = begin();
  let helpers: Helpers | null = null;
  try {
    const { live, held } = await open(run);
    let seam: Seam = { live, held, before: null };
    for (;;) {
      const { live, before } = seam;
      const { attempt, reading } = live;
      for (const event of seam.held) yield event;
      let broken: Failure | null = null;
      let closing: readonly ChatEvent[] | null = null;
      while (broken === null && closing === null) {
        let event: ChatEvent | null = null;
        try {
          const result = await attempt.next();
          if (!result.done) event = result.value;
          else if (!reading.whole) throw brokenOff(live.route.backend.name, reading.size, null);
        } catch (error) {
          // All was said but for the closing facts: the answer is whole.
          if (!reading.whole || run.ask.signal.aborted) broken = run.fail(live, error, true);
        }
        if (broken !== null) break;
        if (event === null) closing = reading.rest();
        else {
          reading.take(event);
          // Nothing comes after the closing facts, and a backend that does not end then is not waited for.
          if (reading.over) closing = [event];
          else yield event;
        }
      }
      if (closing !== null) {
        run.succeed(live);
        for (const event of closing) yield withNotes(run, added(event, before));
        return;
      }
      helpers ??= { continued: new Set(), replayed: new Set() };
      seam = await nextSeam(run, live, broken!, continuationOf(live, before), helpers);
    }
  } finally {
    run.close();
  }
}

/** Who goes on with the answer; throws when nobody does. */
async function nextSeam(
  run: ChatRun,
  { route }: Live<ChatEvent, ChatReading>,
  broken: Failure,
  from: Continued | null,
  helpers: Helpers,
): Promise<Seam> {
  const seam = from === null ? null : await goOnFrom(run, route, broken, from, helpers);
  if (seam === null) throw endOf(route.backend.name, broken, from?.text.length ?? null);
  const how = seam.before === null ? 'gave the same answer and went on' : 'went on from its text';
  run.notes.push(
    `The answer of '${route.backend.name}' broke off (${broken.error.code}); '${seam.live.route.backend.name}' ${how}.`,
  );
  return seam;
}

/** The error that stands where the rest of the answer should: one of few codes, with what the backend said inside. */
function endOf(backend: string, failure: Failure, characters: number | null): KithError {
  const { error, kind } = failure;
  const own = ['stream_cut', 'stream_stalled', 'answer_timeout', 'request_timeout'];
  if (own.includes(error.code) || kind === 'filtered' || isTotal(failure)) return error;
  if (kind !== 'silent') return brokenOff(backend, characters, error);
  return new KithError(
    'stream_stalled',
    `The answer of '${backend}' stopped in the middle: ${error.message}`,
    {
      status: 504,
      details: { backend, characters },
      logged: `The answer of '${backend}' stopped in the middle: ${error.logged}`,
      cause: error,
    },
  );
}

/** Usage of the last part with what was said before it. */
function added(event: ChatEvent, before: Continued | null): ChatEvent {
  if (event.type !== 'usage' || before === null) return event;
  const { completionTokens } = event;
  return { ...event, completionTokens: completionTokens === null ? null : completionTokens + before.tokens };
}

/** The receipt tells what the caller could not see: who failed before, who agreed, who went on. */
export function withNotes(run: ChatRun, event: ChatEvent): ChatEvent {
  if (event.type !== 'usage' || (run.records.length === 1 && run.notes.length === 0)) return event;
  const failed = run.records.filter(({ outcome }) => outcome === 'failed' || outcome === 'skipped');
  if (failed.length === 0 && run.notes.length === 0) return event;
  const notes = [
    ...event.receipt.notes,
    ...failed.map(({ backend, code, reason }) =>
      reason === 'redundant' || reason === 'hedge'
        ? `'${backend}' was asked too and did not answer (${code}).`
        : `'${backend}' was to answer first and did not (${code}).`,
    ),
    ...run.notes,
  ];
  return { ...event, receipt: { ...event.receipt, notes } };
}

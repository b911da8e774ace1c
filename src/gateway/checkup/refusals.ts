/**
 * Checks of how a backend refuses and lets go: an unknown model, a limit that is too short, a caller who leaves.
 *
 * @module gateway/checkup/refusals
 */
import { AbortedError, isKithError } from '../../base/index.ts';
import { createConditions, createFailover, createRetryBudget, timersOf } from '../resilience/index.ts';
import type { ChatEvent, ChatRequest } from '../types.ts';
import { failureOf, UpstreamError } from '../upstream/index.ts';
import { explainAsk, explainError } from './explain.ts';
import { askIn, type Finding, inTime, type Visit } from './visit.ts';

const ms = (value: number): number => Math.round(value * 10) / 10;

export async function checkBadModel(visit: Visit): Promise<Finding> {
  const name = `kith-doctor-${Buffer.from(visit.random.bytes(6)).toString('hex')}`;
  const asked = await askIn(visit, { model: name, text: 'Reply with the single word: ready', maxTokens: 8 });
  const { error } = asked;
  if (asked.late)
    return {
      state: 'fail',
      message: `It neither refused a model that does not exist nor answered within ${visit.checkMs / 1000} s.`,
      remedy: 'Look at the log of that server; a mistyped model would hang until a limit ends it.',
    };
  if (error === null) {
    const measured = { status: 200, answeredBy: asked.answeredBy };
    const message =
      'It answered for a model that does not exist: it takes any name for the model that it has.';
    return (visit.options.models ?? []).length > 0
      ? {
          state: 'ok',
          message: `${message} The configuration names its models, so that others are refused here.`,
          measured,
        }
      : {
          state: 'warn',
          message,
          remedy: 'Name its models in the configuration, so that a mistyped one is refused here.',
          measured,
        };
  }
  const status =
    error instanceof UpstreamError ? error.upstreamStatus : isKithError(error) ? error.status : null;
  const { code, message, remedy } = explainError(error);
  const measured = { status, ms: ms(asked.ms) };
  if (status === 404 || status === 400 || status === 422 || code === 'model_not_found')
    return {
      state: 'ok',
      message: `It refuses a model that does not exist (${status ?? 'no status'}, ${code}) within ${ms(asked.ms)} ms.`,
      code,
      measured,
    };
  return failureOf(error) === 'server_error' || failureOf(error) === 'auth'
    ? {
        state: 'warn',
        message: `It answers with status ${status ?? 'none'} to a model that does not exist, which looks like a fault of its own.`,
        remedy: 'Name its models in the configuration, so that a mistyped one is refused here.',
        code,
        measured,
      }
    : { state: 'fail', message, remedy, code, measured };
}

/** Shorter than any answer takes. */
const shortMs = 1;
/** A connection that was let go of is gone within this time. */
const goneWithinMs = 1000;

/** Asks as the gateway does: with a limit on the first token that passes at once. */
export async function checkShortTimeout(visit: Visit): Promise<Finding> {
  const { backend, clock, random, signal } = visit;
  const before = busyOf(visit);
  const now = () => clock.monotonic();
  const failover = createFailover({
    timers: timersOf(clock),
    random,
    // Its own, so that nothing of this counts against the backend.
    conditions: createConditions({ now }),
    budget: createRetryBudget({ now }),
    retries: 0,
  });
  visit.requests++;
  visit.tokens = null;
  const began = now();
  const limits = { firstTokenMs: shortMs, interTokenMs: visit.checkMs, totalMs: visit.checkMs };
  const { answer } = failover.chat(longRequest(visit, signal), [
    { backend, model: visit.model ?? '', context: null, continues: false, limits },
  ]);
  let error: unknown = null;
  try {
    for await (const event of answer) if (event.type === 'text') break;
  } catch (thrown) {
    error = thrown;
  }
  const endedMs = now() - began;
  const goneMs = await letGo(visit, before);
  const measured = { limitMs: shortMs, endedMs: ms(endedMs), busyAfter: busyOf(visit), goneMs };
  if (error === null)
    return {
      state: 'ok',
      message: `It began to answer within ${shortMs} ms, before the shortest limit could pass.`,
      measured,
    };
  const { code, message, remedy } = explainError(error);
  if (code !== 'first_token_timeout') return { state: 'fail', message, remedy, code, measured };
  if (goneMs === null)
    return {
      state: 'fail',
      message: `A limit of ${shortMs} ms ended the request after ${ms(endedMs)} ms, but its connection is still busy after ${goneWithinMs} ms.`,
      remedy: 'Report this as a fault of Kith, with `kith version`.',
      code,
      measured,
    };
  const left = before === null ? '' : ', and no connection is left open';
  return {
    state: 'ok',
    message: `A limit of ${shortMs} ms ends a request after ${ms(endedMs)} ms with ${code}${left}.`,
    code,
    measured,
  };
}

/** Whoever leaves costs nothing more after this time. */
const leftWithinMs = 50;

export async function checkAbort(visit: Visit): Promise<Finding> {
  const { backend, clock, signal } = visit;
  const before = busyOf(visit);
  const leave = new AbortController();
  const request = longRequest(visit, AbortSignal.any([signal, leave.signal]));
  visit.requests++;
  // How much was written when it was left is not told.
  visit.tokens = null;
  const events = backend.chat(request)[Symbol.asyncIterator]();
  try {
    const begun = await inTime(untilText(events), signal);
    if (begun !== true)
      return begun === null
        ? explainAsk({ ...silence, ms: visit.checkMs }, visit.checkMs)!
        : { state: 'ok', message: 'It gave an answer without text, before it could be left.' };
  } catch (error) {
    return { state: 'fail', ...explainError(error) };
  }
  const leftAt = clock.monotonic();
  leave.abort(new AbortedError());
  const enough = new AbortController();
  const patience = clock.sleep(goneWithinMs, enough.signal).then(
    () => 'hangs' as const,
    () => 'left' as const,
  );
  const how = await Promise.race([untilEnd(events), patience]);
  enough.abort();
  const endedMs = clock.monotonic() - leftAt;
  const goneMs = how === 'hangs' ? null : await letGo(visit, before);
  const takenMs = goneMs === null ? null : endedMs + goneMs;
  const measured = { leftMs: takenMs === null ? null : ms(takenMs), ended: how };
  if (takenMs === null)
    return {
      state: 'fail',
      message: `It was still at work ${goneWithinMs} ms after its caller had left.`,
      remedy: 'Report this as a fault of Kith, with `kith version`.',
      measured,
    };
  if (how === 'whole')
    return { state: 'ok', message: 'Its answer was whole before it could be left.', measured };
  const message = `It was left ${ms(takenMs)} ms after its caller had gone.`;
  return takenMs <= leftWithinMs
    ? { state: 'ok', message, measured }
    : {
        state: 'warn',
        message: `${message} The limit is ${leftWithinMs} ms.`,
        remedy: 'Look again when this machine is less busy.',
        measured,
      };
}

const silence = {
  text: '',
  calls: [],
  pieces: [],
  finish: null,
  answeredBy: null,
  tokens: null,
  completionTokens: null,
  ending: null,
  error: null,
  late: true,
  overrun: false,
  left: false,
};

function longRequest({ model }: Visit, signal: AbortSignal): ChatRequest {
  return {
    model,
    messages: [{ role: 'user', content: 'Count from 1 to 200, with spaces.' }],
    maxTokens: 256,
    n: 1,
    sampler: {},
    stop: [],
    overflow: null,
    keepTokens: 0,
    timeoutMs: null,
    signal,
  };
}

/** False when it ends without any. */
async function untilText(events: AsyncIterator<ChatEvent>): Promise<boolean> {
  for (;;) {
    const next = await events.next();
    if (next.done) return false;
    if (next.value.type === 'text') return true;
  }
}

/** `whole`: the rest of the answer was here already. */
async function untilEnd(events: AsyncIterator<ChatEvent>): Promise<'whole' | 'left'> {
  try {
    for (;;) if ((await events.next()).done) return 'whole';
  } catch {
    return 'left';
  }
}

/** Connections that carry a request now; null where the backend has none, or does not say. */
function busyOf({ backend }: Visit): number | null {
  return backend.connections?.().busy ?? null;
}

/** ms until no more connections are busy than before; null when that does not come to be. */
async function letGo(visit: Visit, before: number | null): Promise<number | null> {
  if (before === null) return 0;
  const from = visit.clock.monotonic();
  for (;;) {
    const passed = visit.clock.monotonic() - from;
    if ((busyOf(visit) ?? 0) <= before) return ms(passed);
    if (passed >= goneWithinMs) return null;
    await visit.clock.sleep(1);
  }
}

/**
 * Goes from backend to backend until one has begun to answer, or until one has answered whole.
 *
 * @module gateway/resilience/open
 */
import { KithError, loggedMessageOf } from '../../base/index.ts';
import type { Continued, Live, Step } from './ask.ts';
import type { Reading } from './reading.ts';
import type { Run } from './run.ts';
import type { AttemptReason } from './types.ts';

/** An answer that has begun: nothing of it was passed on yet. */
export interface Opened<E, R extends Reading<E>> {
  readonly live: Live<E, R>;
  /** What came so far; the last event is the first piece of the answer itself. */
  readonly held: readonly E[];
}

/** Events that may come before the first piece. An endless row of them would keep every timer from ringing. */
const maxHeld = 16;

/** Asks one route after the other until one begins to answer. Throws the run's verdict when none does. */
export async function open<E, R extends Reading<E>>(
  run: Run<E, R>,
  reason: AttemptReason,
): Promise<Opened<E, R>> {
  let wanted = reason;
  for (;;) {
    run.throwIfLeft();
    const step = run.next(wanted);
    if (step === null) throw run.verdict();
    const opened = await tryStep(run, step);
    if (opened !== null) return opened;
    wanted = 'failover';
  }
}

/** One route; null when it did not begin to answer. `continued`: what it is to go on from. */
export async function tryStep<E, R extends Reading<E>>(
  run: Run<E, R>,
  step: Step,
  continued: Continued | null = null,
): Promise<Opened<E, R> | null> {
  let now: Step = step;
  for (;;) {
    if (now.waitMs > 0) await run.wait(now.waitMs);
    const live = run.begin(now);
    if (live === null) return null;
    const { attempt, reading, route } = live;
    try {
      const held: E[] = [];
      attempt.start((signal) => run.ask.start(route, signal, continued));
      for (;;) {
        const { done, value } = await attempt.next();
        if (done || held.length === maxHeld) throw malformed(route.backend.name, done === true);
        held.push(value);
        if (!reading.take(value)) continue;
        run.commit(live);
        return { live, held };
      }
    } catch (error) {
      if (!run.live.has(live)) throw error;
      const failure = run.fail(live, error);
      if (!run.staleAgain(now.route)) {
        run.learn(now.route, failure);
        return null;
      }
      now = { route: now.route, reason: 'stale connection', waitMs: 0 };
    }
  }
}

function malformed(backend: string, ended: boolean): KithError {
  const what = ended ? 'ended its answer before it began' : 'sent no answer, only what comes before one';
  return new KithError('answer_malformed', `'${backend}' ${what}.`, { status: 502 });
}

/** An answer that is whole, not yet passed on. */
export interface Whole<E, R extends Reading<E>> {
  readonly live: Live<E, R>;
  readonly events: readonly E[];
}

/** Like `open`, to the end of the answer: one that breaks off is asked of another backend from the start. */
export async function openWhole<E, R extends Reading<E>>(
  run: Run<E, R>,
  reason: AttemptReason,
  maxSize: number,
): Promise<Whole<E, R>> {
  let wanted = reason;
  for (;;) {
    const { live, held } = await open(run, wanted);
    try {
      const events = await drain(live, held, maxSize);
      live.record.ms = live.attempt.ms;
      return { live, events };
    } catch (error) {
      if (!run.live.has(live)) throw error;
      run.learn(live.route, run.fail(live, error, true));
      wanted = 'failover';
    }
  }
}

async function drain<E, R extends Reading<E>>(
  { attempt, reading, route }: Live<E, R>,
  held: readonly E[],
  maxSize: number,
): Promise<E[]> {
  const events = [...held];
  try {
    while (!reading.over) {
      const { done, value } = await attempt.next();
      if (done) break;
      reading.take(value);
      events.push(value);
      if (reading.size > maxSize || events.length > maxSize)
        throw new KithError(
          'answer_too_long',
          `The answer of '${route.backend.name}' is over ${maxSize} characters, more than is held back to be sent whole. Ask for a streamed answer.`,
          { status: 502 },
        );
    }
  } catch (error) {
    if (!reading.whole) throw error;
  }
  if (!reading.whole) throw brokenOff(route.backend.name, reading.size, null);
  return [...events, ...reading.rest()];
}

/** The answer ended without its end. `cause`: what the backend said, if anything. */
export function brokenOff(backend: string, characters: number | null, cause: unknown): KithError {
  const messageWith = (why: string) =>
    `The answer of '${backend}' broke off in the middle${characters === null ? '' : `, after ${characters} characters`}${why.replace(/\.\)$/, ')')}. What came is not the whole answer: ask again.`;
  return new KithError('stream_cut', messageWith(cause instanceof Error ? ` (${cause.message})` : ''), {
    status: 502,
    details: { backend, characters },
    logged: messageWith(cause instanceof Error ? ` (${loggedMessageOf(cause)})` : ''),
    ...(cause === null ? {} : { cause }),
  });
}

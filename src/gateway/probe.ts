/**
 * Asks the engine process how it is, within a bound, however often and by however many it is asked: there is one
 * question at a time, and those who ask meanwhile share its answer.
 *
 * @module gateway/probe
 */
import { type Clock, messageOf } from '../base/index.ts';
import type { Engine, EngineStatus } from '../engine/index.ts';
import type { BackendHealth } from './types.ts';

/** An engine process that does not answer for this long is reported as degraded, ms. */
export const probeMs = 2_000;
/** Deaths of the engine process after which its breaker opens (engine/process/supervision.ts). */
const breakerDeaths = 5;

export interface ProbeAnswer {
  /** `starting` while the process starts or is busy with loading. */
  readonly status: 'ok' | 'starting' | 'degraded';
  /** ms to the answer, 0.1 ms fine; null when the process was not asked or did not answer in time. */
  readonly latencyMs: number | null;
  /** What is wrong or going on, for people. */
  readonly message: string | null;
  /** False when requests are refused or would hang. */
  readonly answers: boolean;
  readonly breaker: BackendHealth['breaker'];
  /** What the process said; null when it said nothing. */
  readonly engine: EngineStatus | null;
}

type Verdict = Omit<ProbeAnswer, 'breaker'>;

export interface ProbeOptions {
  readonly engine: Pick<Engine, 'state' | 'status'>;
  readonly clock: Clock;
  /** True while models are being loaded: native code may then keep the process from answering. */
  readonly loading: () => boolean;
}

interface Question {
  readonly asked: number;
  readonly outcome: Promise<
    { readonly engine: EngineStatus; readonly ms: number } | { readonly error: unknown }
  >;
}

export function createProbe({ engine, clock, loading }: ProbeOptions): () => Promise<ProbeAnswer> {
  let open: Question | null = null;

  function ask(): Question {
    const asked = clock.monotonic();
    // No signal: a question that was given up would leave its place with the process, one more each time. The process
    // answers it late, or is ended by its heartbeat.
    const outcome = engine.status().then(
      (status) => ({ engine: status, ms: clock.monotonic() - asked }),
      (error: unknown) => ({ error }),
    );
    const question = { asked, outcome };
    open = question;
    void outcome.then(() => {
      if (open === question) open = null;
    });
    return question;
  }

  const unanswered: Verdict = {
    status: 'degraded',
    latencyMs: null,
    message: `The engine process has not answered for ${probeMs} ms.`,
    answers: false,
    engine: null,
  };

  async function look(): Promise<Verdict> {
    const question = open ?? ask();
    const left = question.asked + probeMs - clock.monotonic();
    const patience = new AbortController();
    const late = clock.sleep(Math.max(0, left), patience.signal).then(
      () => null,
      () => null,
    );
    const outcome = await Promise.race([question.outcome, late]);
    patience.abort();
    if (outcome === null) {
      if (!loading()) return unanswered;
      return { ...unanswered, status: 'starting', message: 'The engine is loading a model.', answers: true };
    }
    if ('error' in outcome) {
      const message = `The engine process failed: ${messageOf(outcome.error)}`;
      return byState(engine.state()) ?? { ...unanswered, message };
    }
    const latencyMs = Math.round(outcome.ms * 10) / 10;
    return { status: 'ok', latencyMs, message: null, answers: true, engine: outcome.engine };
  }

  return async () => {
    // One look at the state for all that is said of it: a pause may end between two.
    const state = engine.state();
    const known = byState(state);
    if (known !== null) return { ...known, breaker: breakerOf(state) };
    return { ...(await look()), breaker: breakerOf(engine.state()) };
  };
}

/** What is known without asking; null while the process runs. */
function byState(state: ReturnType<Engine['state']>): Verdict | null {
  const cause = state.lastCause ?? 'unknown cause';
  const silent = { latencyMs: null, engine: null };
  switch (state.state) {
    case 'running':
      return null;
    case 'broken':
      return {
        ...silent,
        status: 'degraded',
        message: `The engine keeps failing and is left alone for a while: ${cause}.`,
        answers: false,
      };
    case 'waiting':
      return {
        ...silent,
        status: 'degraded',
        message: `The engine failed and is about to start again: ${cause}.`,
        answers: true,
      };
    case 'closed':
      return { ...silent, status: 'degraded', message: 'The engine is shut down.', answers: false };
    case 'starting':
      if (state.recentDeaths > 0) {
        return {
          ...silent,
          status: 'degraded',
          message: `The engine failed and is starting again: ${cause}.`,
          answers: true,
        };
      }
      return { ...silent, status: 'starting', message: 'The engine is starting.', answers: true };
    case 'idle':
      return breakerOf(state).state === 'half_open'
        ? {
            ...silent,
            status: 'degraded',
            message: `The engine kept failing; the next request starts it again. Last: ${cause}.`,
            answers: true,
          }
        : { ...silent, status: 'ok', message: null, answers: true };
  }
}

/** The engine's breaker. It is half open when its pause is over and the deaths that opened it still count. */
function breakerOf(state: ReturnType<Engine['state']>): BackendHealth['breaker'] {
  const failures = state.recentDeaths;
  if (state.state === 'broken') return { state: 'open', failures };
  return { state: state.state === 'running' || failures < breakerDeaths ? 'closed' : 'half_open', failures };
}

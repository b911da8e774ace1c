/**
 * One backend asked directly, with the account of it that failover would give.
 *
 * @module gateway/steps/alone
 */
import { type Clock, isKithError } from '../../base/index.ts';
import type { Candidate } from '../policy/index.ts';
import type { Answering as Asked, AttemptRecord } from '../resilience/index.ts';
import type { ChatEvent } from '../types.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

function begun({ backend, model }: Candidate): Writable<AttemptRecord> {
  return {
    backend: backend.name,
    model,
    reason: 'first choice',
    outcome: 'running',
    code: null,
    kind: null,
    waitMs: 0,
    firstTokenMs: null,
    ms: 0,
  };
}

/** One backend asked directly, with the account that failover would give of it. */
export function alone(
  clock: Clock,
  candidate: Candidate,
  ask: () => AsyncIterable<ChatEvent>,
): Asked<AsyncGenerator<ChatEvent>> {
  const attempts: Writable<AttemptRecord>[] = [];
  async function* answer(): AsyncGenerator<ChatEvent> {
    const attempt = begun(candidate);
    attempts.push(attempt);
    const began = clock.monotonic();
    try {
      for await (const event of ask()) {
        if (event.type === 'usage') {
          attempt.ms = clock.monotonic() - began;
          attempt.outcome = 'answered';
        } else if (event.type !== 'start') attempt.firstTokenMs ??= clock.monotonic() - began;
        yield event;
      }
    } catch (error) {
      attempt.outcome = attempt.firstTokenMs === null ? 'failed' : 'cut';
      attempt.code = isKithError(error) ? error.code : null;
      throw error;
    } finally {
      if (attempt.outcome === 'running') attempt.outcome = 'left';
      attempt.ms ||= clock.monotonic() - began;
    }
  }
  return { answer: answer(), attempts };
}

/** Likewise, for an answer that comes as a whole. */
export function aloneWhole<Answer>(
  clock: Clock,
  candidate: Candidate,
  ask: () => Promise<Answer>,
): Asked<Promise<Answer>> {
  const attempt = begun(candidate);
  const began = clock.monotonic();
  const answer = ask().then(
    (value) => {
      attempt.outcome = 'answered';
      attempt.ms = clock.monotonic() - began;
      return value;
    },
    (error: unknown) => {
      attempt.outcome = 'failed';
      attempt.code = isKithError(error) ? error.code : null;
      throw error;
    },
  );
  return { answer, attempts: [attempt] };
}

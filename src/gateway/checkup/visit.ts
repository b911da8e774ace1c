/**
 * One check-up under way: what the checks share, the time they have, and what they have cost.
 *
 * @module gateway/checkup/visit
 */
import { AbortedError, type Clock, type Random } from '../../base/index.ts';
import type { Backend } from '../types.ts';
import { type Asked, ask, type Question } from './ask.ts';
import type { Reached, Unreached } from './reach.ts';
import type { CheckState, CheckupOptions, Measured } from './types.ts';

/** What a check has found. */
export interface Finding {
  readonly state: CheckState;
  readonly message: string;
  readonly remedy?: string | null;
  readonly code?: string | null;
  readonly measured?: Measured;
}

export interface Visit {
  readonly backend: Backend;
  readonly options: CheckupOptions;
  readonly clock: Clock;
  readonly random: Random;
  /** Model that is asked; null before it is known, and when there is none. */
  model: string | null;
  /** What the look at its server found; null without an address. */
  way: Reached | Unreached | null;
  /** The first real answer, which several checks look at; null before it was asked for. */
  first: Asked | null;
  /** ms that the check under way may take. */
  checkMs: number;
  /** Fires when the check under way has to end. */
  signal: AbortSignal;
  /** Of the check under way. */
  requests: number;
  /** Null once an answer came without a count. */
  tokens: number | null;
}

/** Asks the model and counts what it cost. Never throws, ends with the check's time at the latest. */
export async function askIn(visit: Visit, question: Question): Promise<Asked> {
  visit.requests++;
  const asked = await ask(visit.backend, visit.clock, {
    model: visit.model,
    signal: visit.signal,
    ...question,
  });
  spend(visit, asked.tokens);
  return asked;
}

export function spend(visit: Visit, tokens: number | null): void {
  visit.tokens = visit.tokens === null || tokens === null ? null : visit.tokens + tokens;
}

/** The promise's value, or null when the signal fires first. What comes later is dropped. */
export function inTime<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const late = () => resolve(null);
    if (signal.aborted) late();
    signal.addEventListener('abort', late, { once: true });
    promise.then(resolve, (error: unknown) =>
      error instanceof AbortedError && signal.aborted ? late() : reject(error),
    );
    promise.finally(() => signal.removeEventListener('abort', late)).catch(() => {});
  });
}

/**
 * One ask: what is asked of whom, an attempt at it that is under way, and the step that comes next.
 *
 * @module gateway/resilience/ask
 */
import type { Attempt } from './attempt.ts';
import type { BreakerTicket } from './breaker.ts';
import type { Condition } from './condition.ts';
import type { Reading } from './reading.ts';
import type { AttemptReason, AttemptRecord, Route } from './types.ts';

export interface Ask<E, R extends Reading<E> = Reading<E>> {
  /** In the order in which they are asked. */
  readonly routes: readonly Route[];
  readonly signal: AbortSignal;
  /** ms for the whole ask; null = what each route's limits say. */
  readonly timeoutMs: number | null;
  /** Chance has no part in the answer: one that broke off may be made again and compared. @default false */
  readonly replays?: boolean;
  start(route: Route, signal: AbortSignal, continued: Continued | null): AsyncIterable<E>;
  read(): R;
}

/** What a backend is asked to go on from. */
export interface Continued {
  readonly text: string;
  /** Estimate. */
  readonly tokens: number;
}

/** An attempt that is under way. */
export interface Live<E, R extends Reading<E>> {
  readonly route: Route;
  readonly attempt: Attempt<E>;
  readonly reading: R;
  readonly condition: Condition;
  readonly ticket: BreakerTicket;
  readonly record: Writable<AttemptRecord>;
}

/** Whom to ask next. */
export interface Step {
  readonly route: Route;
  readonly reason: AttemptReason;
  readonly waitMs: number;
}

export type Writable<T> = { -readonly [K in keyof T]: T[K] };

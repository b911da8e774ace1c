/**
 * How the engine process is watched: limits with their defaults, and what is known about it.
 *
 * @module engine/process/supervision
 */

import type { Logger } from '../../base/index.ts';

/** The part of the log that the engine uses. */
export type EngineLog = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

export interface SupervisorLimits {
  /** ms between two looks at a process that has requests in flight. @default 2000 */
  readonly heartbeatMs: number;
  /** Looks in a row without any byte from the process before it is killed. @default 15 (30 s) */
  readonly silentBeats: number;
  /** The same while a model loads: native code may hold the loop then. @default 90 (3 min) */
  readonly silentBeatsLoading: number;
  /** ms one forward pass may take before the process counts as hung. @default 300000 */
  readonly passMs: number;
  /** ms a new process has to answer the first message. @default 60000 */
  readonly startMs: number;
  /** Deaths within `deathsWindowMs` that open the breaker. @default 5 */
  readonly deaths: number;
  /** @default 60000 */
  readonly deathsWindowMs: number;
  /** ms during which an open breaker refuses to start the process. @default 30000 */
  readonly breakerMs: number;
  /** Pause before the first, second, ... restart within the window, in ms. @default 0, 250, 1000, 2000, 5000 */
  readonly backoffMs: readonly number[];
  /** ms that a stopping process gets to drain. @default 5000 */
  readonly drainMs: number;
}

export const DEFAULT_SUPERVISOR_LIMITS: SupervisorLimits = {
  heartbeatMs: 2000,
  silentBeats: 15,
  silentBeatsLoading: 90,
  passMs: 300_000,
  startMs: 60_000,
  deaths: 5,
  deathsWindowMs: 60_000,
  breakerMs: 30_000,
  backoffMs: [0, 250, 1000, 2000, 5000],
  drainMs: 5000,
};

export interface SupervisorStatus {
  /** `waiting`: it died and starts again after a pause; `broken`: it died too often and is left alone for a while. */
  readonly state: 'idle' | 'starting' | 'running' | 'waiting' | 'broken' | 'closed';
  readonly pid: number | null;
  readonly uptimeMs: number | null;
  /** Times the process was started again after it died. */
  readonly restarts: number;
  /** Deaths within `deathsWindowMs`: what counts towards opening the breaker. */
  readonly recentDeaths: number;
  /** Why the last process ended, or null. */
  readonly lastCause: string | null;
  /** Resident bytes of the process as it last reported them, or null. */
  readonly rssBytes: number | null;
}

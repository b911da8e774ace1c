/**
 * Lets a node rest after failures in a row; then one request tries it before the others follow.
 *
 * @module client/breaker
 */
import type { BreakerState } from './types.ts';

/** `neither`: the caller left, or it was no fault of the node: it says nothing about it. */
export type Outcome = 'success' | 'failure' | 'neither';

export interface Breaker {
  state(): BreakerState;
  /** ms until a request may try again; 0 when one may now. */
  restMs(): number;
  /** The right to send one request, to be called once with how it went; null while the node rests. */
  enter(): ((outcome: Outcome) => void) | null;
}

export function createBreaker(failures: number, restMs: number, now: () => number): Breaker {
  let row = 0;
  let openedAt: number | null = null;
  let probing = false;
  const left = () => (openedAt === null ? 0 : Math.max(0, openedAt + restMs - now()));
  return {
    state: () => (openedAt === null ? 'closed' : left() > 0 ? 'open' : 'half_open'),
    restMs: left,
    enter() {
      const probe = openedAt !== null;
      if (probe && (probing || left() > 0)) return null;
      probing ||= probe;
      let settled = false;
      return (outcome) => {
        if (settled) return;
        settled = true;
        if (probe) probing = false;
        if (outcome === 'success') {
          row = 0;
          openedAt = null;
        } else if (outcome === 'failure') {
          row++;
          // A request from before the rest says nothing new.
          if (probe || (openedAt === null && row >= failures)) openedAt = now();
        }
      };
    },
  };
}

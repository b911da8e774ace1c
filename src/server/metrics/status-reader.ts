/**
 * Asks the node for its status, one question at a time and within a bound: whoever scrapes gets the last answer when the
 * node does not tell in time.
 *
 * @module server/metrics/status-reader
 */
import type { Clock } from '../../base/index.ts';
import type { NodeStatus } from '../types.ts';

/** A status this young is not asked for again, ms. */
const youngMs = 500;

export interface StatusReader {
  /**
   * Waits for at most `boundMs` and never rejects. `fresh`: the status is of this moment; otherwise it is the last one
   * that came, or null.
   */
  read(boundMs: number): Promise<{ readonly status: NodeStatus | null; readonly fresh: boolean }>;
}

export function createStatusReader(ask: () => Promise<NodeStatus>, clock: Clock): StatusReader {
  let last: NodeStatus | null = null;
  let at = Number.NEGATIVE_INFINITY;
  let asking: Promise<boolean> | null = null;
  return {
    async read(boundMs) {
      if (clock.monotonic() - at < youngMs) return { status: last, fresh: true };
      asking ??= ask()
        .then(
          (status) => {
            last = status;
            at = clock.monotonic();
            return true;
          },
          () => false,
        )
        .finally(() => {
          asking = null;
        });
      const inTime = new AbortController();
      const late = clock.sleep(boundMs, inTime.signal).then(
        () => false,
        () => false,
      );
      const fresh = await Promise.race([asking, late]);
      inTime.abort();
      return { status: last, fresh };
    },
  };
}

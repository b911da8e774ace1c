/**
 * Asks the node for its status, one question at a time and never for longer than a second: whoever scrapes gets the last
 * answer when the node does not tell in time.
 *
 * @module server/metrics/status-reader
 */
import type { Clock } from '../../base/index.ts';
import type { NodeStatus } from '../types.ts';

const boundMs = 1_000;
/** A status this young is not asked for again, ms. */
const youngMs = 500;

export interface StatusReader {
  /** Never rejects. `fresh`: the status is of this moment; otherwise it is the last one that came, or null. */
  read(): Promise<{ readonly status: NodeStatus | null; readonly fresh: boolean }>;
}

export function createStatusReader(
  ask: () => Promise<NodeStatus>,
  clock: Pick<Clock, 'monotonic'>,
): StatusReader {
  let last: NodeStatus | null = null;
  let at = Number.NEGATIVE_INFINITY;
  let asking: Promise<boolean> | null = null;
  return {
    async read() {
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
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<boolean>((resolve) => {
        timer = setTimeout(() => resolve(false), boundMs);
      });
      const fresh = await Promise.race([asking, late]);
      clearTimeout(timer);
      return { status: last, fresh };
    },
  };
}

/**
 * How often the engine process was started again in the last 10 minutes, from a count that only grows.
 *
 * @module server/metrics/restarts
 */
const spanMs = 600_000;

export function createRestartCount(): { note(total: number, now: number): number } {
  /** Each growth: when it was seen and by how much. */
  let growths: { readonly at: number; readonly by: number }[] = [];
  let last = 0;
  return {
    /** `now`: monotonic ms. Returns the restarts of the span. */
    note(total, now) {
      if (total > last) growths.push({ at: now, by: total - last });
      last = Math.max(last, total);
      growths = growths.filter(({ at }) => at > now - spanMs).slice(-1000);
      return growths.reduce((sum, { by }) => sum + by, 0);
    },
  };
}

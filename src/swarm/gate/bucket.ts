/**
 * Token buckets: so many a second, with a burst.
 *
 * @module swarm/gate/bucket
 */

export class TokenBucket {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #at: number;

  /** `now` in ms on a clock that never goes back. Starts full. */
  constructor(perSecond: number, burst: number, now: number) {
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
    this.#tokens = burst;
    this.#at = now;
  }

  #fill(now: number): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + Math.max(0, now - this.#at) * this.#perMs);
    this.#at = Math.max(this.#at, now);
  }

  /** Takes `count` if they are there. */
  take(count: number, now: number): boolean {
    this.#fill(now);
    if (this.#tokens < count) return false;
    this.#tokens -= count;
    return true;
  }

  /** Takes `count` whether they are there or not; returns the ms until the debt is paid, 0 when there is none. */
  spend(count: number, now: number): number {
    this.#fill(now);
    this.#tokens -= count;
    return this.#tokens >= 0 ? 0 : -this.#tokens / this.#perMs;
  }

  /** Ms until `count` will be there. */
  wait(count: number, now: number): number {
    this.#fill(now);
    return this.#tokens >= count ? 0 : (count - this.#tokens) / this.#perMs;
  }

  full(now: number): boolean {
    this.#fill(now);
    return this.#tokens >= this.#burst;
  }
}

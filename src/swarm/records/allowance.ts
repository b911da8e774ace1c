/**
 * So many a minute for each of many names, in bounded memory.
 *
 * @module swarm/records/allowance
 */
import type { Clock } from '../../base/index.ts';

export interface AllowanceOptions {
  readonly clock: Clock;
  /** Refilled evenly. */
  readonly perMinute: number;
  /** What can be used at once. @default perMinute */
  readonly burst?: number;
  /** Names remembered; the one used longest ago is forgotten, which gives it a full allowance again. @default 8192 */
  readonly names?: number;
}

/** Token buckets by name. */
export class Allowance {
  readonly #clock: Clock;
  readonly #perMinute: number;
  readonly #burst: number;
  readonly #names: number;
  readonly #levels = new Map<string, { level: number; at: number }>();

  constructor(options: AllowanceOptions) {
    this.#clock = options.clock;
    this.#perMinute = options.perMinute;
    this.#burst = options.burst ?? options.perMinute;
    this.#names = options.names ?? 8192;
  }

  /** Whether one more is allowed; takes nothing. */
  has(name: string): boolean {
    return this.#level(name) >= 1;
  }

  /** Takes one and returns true, or returns false when none is left. */
  take(name: string): boolean {
    const level = this.#level(name);
    const allowed = level >= 1;
    this.#levels.delete(name);
    this.#levels.set(name, { level: allowed ? level - 1 : level, at: this.#clock.monotonic() });
    if (this.#levels.size > this.#names) this.#levels.delete(this.#levels.keys().next().value!);
    return allowed;
  }

  #level(name: string): number {
    const held = this.#levels.get(name);
    if (held === undefined) return this.#burst;
    const refilled = ((this.#clock.monotonic() - held.at) / 60_000) * this.#perMinute;
    return Math.min(this.#burst, held.level + refilled);
  }
}

/**
 * Finds the shard at which a path is stuck. One that dies is noticed by its connection; one that is frozen, or takes a step and never
 * ends it, only by asking.
 *
 * @module shards/path/watch
 */
import type { Hop } from './hop.ts';
import type { PathLimits } from './types.ts';

/** ms between two looks, at most. */
const LOOK_MS = 500;

export interface WatchOptions {
  readonly limits: PathLimits;
  /** Monotonic ms. */
  readonly now: () => number;
  /** Shards in order; none while the path is mended. */
  readonly hops: () => readonly Hop[];
  /** The step that waits longest for its rows, and since when. */
  readonly oldest: () => { readonly n: number; readonly since: number } | null;
}

export class Watch {
  readonly #options: WatchOptions;
  #timer: NodeJS.Timeout | null = null;
  #looking = false;
  /** Last steps that the shards had computed when they were last asked, and since when. */
  #progress: { readonly done: readonly number[]; readonly since: number } = { done: [], since: 0 };

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer ??= setInterval(
      () => void this.#look(),
      Math.min(LOOK_MS, this.#options.limits.stallMs / 2),
    ).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  async #look(): Promise<void> {
    const { limits, now, hops: current, oldest } = this.#options;
    const { stallMs, probeMs, stuckMs } = limits;
    const hops = [...current()];
    const step = oldest();
    if (this.#looking || hops.length === 0 || step === null || now() - step.since < stallMs) return;
    this.#looking = true;
    try {
      const pongs = await Promise.all(hops.map((hop) => hop.ping(probeMs)));
      if (current().length === 0 || oldest()?.n !== step.n) return;
      const silent = hops.filter((_, k) => pongs[k] === null);
      for (const hop of silent) hop.drop(new Error(`it did not answer within ${probeMs} ms`));
      if (silent.length > 0) return;
      const done = pongs.map((pong) => pong!.done);
      if (done.some((n, k) => n !== this.#progress.done[k])) {
        this.#progress = { done, since: now() };
        return;
      }
      if (now() - this.#progress.since < stuckMs) return;
      // The first that has not computed the step; or the last one, which did and whose rows never came.
      const k = done.findIndex((n) => n < step.n);
      hops.at(k)!.drop(new Error(`it did not come further within ${stuckMs} ms`));
    } finally {
      this.#looking = false;
    }
  }
}

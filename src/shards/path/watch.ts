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
  /** The step that waits longest for its rows: when it was asked for, and since when nothing was heard of the path. */
  readonly oldest: () => { readonly n: number; readonly begun: number; readonly since: number } | null;
  /** A step has taken `ms` and more than it may. */
  readonly onLate: (ms: number) => void;
}

export class Watch {
  readonly #options: WatchOptions;
  #timer: NodeJS.Timeout | null = null;
  #looking = false;
  /** When shards were last asked while nothing was under way. */
  #lastBeat = 0;
  /** Last steps that the shards had computed when they were last asked, and since when. */
  #progress: { readonly done: readonly number[]; readonly since: number } = { done: [], since: 0 };

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#lastBeat = this.#options.now();
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
    const step = oldest();
    if (step !== null && now() - step.begun > limits.stepMs) {
      this.#options.onLate(limits.stepMs);
      return;
    }
    const hops = [...current()];
    if (this.#looking || hops.length === 0) return;
    if (step === null) {
      await this.#beat(hops);
      return;
    }
    if (now() - step.since < stallMs) return;
    this.#looking = true;
    try {
      const pongs = await Promise.all(hops.map((hop) => hop.ping(probeMs)));
      if (current().length === 0 || oldest()?.n !== step.n) return;
      if (this.#dropSilent(hops, pongs)) return;
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

  /** Asks shards now and then while nothing is under way, so that one that is lost is replaced before it is needed. */
  async #beat(hops: readonly Hop[]): Promise<void> {
    const { limits, now } = this.#options;
    if (now() - this.#lastBeat < limits.beatMs) return;
    this.#lastBeat = now();
    this.#looking = true;
    try {
      this.#dropSilent(hops, await Promise.all(hops.map((hop) => hop.ping(limits.probeMs))));
    } finally {
      this.#looking = false;
    }
  }

  #dropSilent(hops: readonly Hop[], pongs: readonly unknown[]): boolean {
    const silent = hops.filter((hop, k) => pongs[k] === null && !hop.gone);
    const why = `it did not answer within ${this.#options.limits.probeMs} ms`;
    for (const hop of silent) hop.drop(new Error(why));
    return silent.length > 0;
  }
}

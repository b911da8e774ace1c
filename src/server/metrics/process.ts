/**
 * Figures of the node's own process.
 *
 * @module server/metrics/process
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** The monitor's timer; what it measures at rest is this much, so it is taken off. */
const resolutionMs = 50;

export interface LoopDelay {
  /** ms by which timers were late, over the last period. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface ProcessFigures extends Disposable {
  /** Delay of the event loop in the last whole period. */
  readonly loop: LoopDelay;
  /** Ends a period. */
  tick(): void;
}

export function watchProcess(): ProcessFigures {
  const monitor = monitorEventLoopDelay({ resolution: resolutionMs });
  monitor.enable();
  let loop: LoopDelay = { p50: 0, p99: 0, max: 0 };
  const late = (ns: number): number =>
    Number.isFinite(ns) ? Math.max(0, Math.round((ns / 1e6 - resolutionMs) * 1000) / 1000) : 0;
  return {
    get loop() {
      return loop;
    },
    tick() {
      if (monitor.count > 0)
        loop = {
          p50: late(monitor.percentile(50)),
          p99: late(monitor.percentile(99)),
          max: late(monitor.max),
        };
      monitor.reset();
    },
    [Symbol.dispose]: () => void monitor.disable(),
  };
}

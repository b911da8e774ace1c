/**
 * Asks each backend for its health every now and then, so that one that died is put behind the others before a caller
 * meets it, and one that came back is used again.
 *
 * @module gateway/resilience/probes
 */
import { messageOf, type Random } from '../../base/index.ts';
import type { Backend, BackendHealth } from '../types.ts';
import type { Conditions } from './condition.ts';
import type { Timers } from './timers.ts';

export interface ProbesOptions {
  readonly backends: readonly Pick<Backend, 'name' | 'health'>[];
  readonly conditions: Conditions;
  readonly timers: Timers;
  readonly random: Pick<Random, 'float'>;
  /** ms between two probes of a backend that is well. @default 30_000 */
  readonly intervalMs?: number;
  /** ms between two probes of one that is demoted. @default 5_000 */
  readonly demotedIntervalMs?: number;
  /** Each interval is longer or shorter by up to this share. @default 0.2 */
  readonly jitter?: number;
  /** ms a backend has to answer. @default 5_000 */
  readonly timeoutMs?: number;
  /** Probes under way at once. @default 4 */
  readonly concurrency?: number;
}

export interface ProbeResult {
  readonly backend: string;
  readonly good: boolean;
  /** Wall clock, ms since the epoch. */
  readonly at: number;
  readonly ms: number;
  readonly health: BackendHealth | null;
  /** Why it is not good; null when it is. */
  readonly message: string | null;
}

export interface Probes extends Disposable {
  /** Begins; the first probe of each backend comes within one demoted interval. */
  start(): void;
  /** Probes one backend now. */
  probe(backend: string): Promise<ProbeResult>;
  /** The latest result of each backend that was probed. */
  results(): readonly ProbeResult[];
  /** Others are to be probed from now on; results of those that went are forgotten. */
  replace(backends: readonly Pick<Backend, 'name' | 'health'>[]): void;
  /** Ends all probes, also those under way. */
  stop(): void;
}

export function createProbes(options: ProbesOptions): Probes {
  const { conditions, timers, random } = options;
  const {
    intervalMs = 30_000,
    demotedIntervalMs = 5000,
    jitter = 0.2,
    timeoutMs = 5000,
    concurrency = 4,
  } = options;
  const latest = new Map<string, ProbeResult>();
  const alarms = new Map<string, () => void>();
  const running = new Set<AbortController>();
  const waiting: (() => void)[] = [];
  let { backends } = options;
  let stopped = true;
  /** Times it was started: what an earlier run left under way schedules nothing in a later one. */
  let runs = 0;

  async function ask(backend: Pick<Backend, 'name' | 'health'>): Promise<ProbeResult> {
    const began = timers.monotonic();
    const controller = new AbortController();
    running.add(controller);
    let cancel = () => {};
    const late = new Promise<never>((_, reject) => {
      controller.signal.addEventListener('abort', () => reject(controller.signal.reason), { once: true });
      cancel = timers.after(timeoutMs, () =>
        controller.abort(new Error(`No answer to the health probe within ${timeoutMs} ms.`)),
      );
    });
    let health: BackendHealth | null = null;
    let message: string | null = null;
    try {
      health = await Promise.race([backend.health(controller.signal), late]);
      if (health.answers === false) message = health.message ?? 'It says that it cannot answer.';
    } catch (error) {
      message = messageOf(error);
    } finally {
      cancel();
      running.delete(controller);
    }
    const ms = timers.monotonic() - began;
    return { backend: backend.name, good: message === null, at: timers.now(), ms, health, message };
  }

  /** `current` says whether the result is still wanted once the probe has had its turn, and once it is over. */
  async function probe(
    backend: Pick<Backend, 'name' | 'health'>,
    current: () => boolean = () => true,
  ): Promise<ProbeResult | null> {
    while (running.size >= concurrency) await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      if (!current()) return null;
      const result = await ask(backend);
      if (!current()) return null;
      latest.set(backend.name, result);
      conditions.of(backend.name).probed(result.good);
      return result;
    } finally {
      waiting.shift()?.();
    }
  }

  function schedule(backend: Pick<Backend, 'name' | 'health'>, ms: number, run: number): void {
    const current = () => run === runs && !stopped && backends.includes(backend);
    const ring = async () => {
      alarms.delete(backend.name);
      await probe(backend, current);
      if (!current()) return;
      const base = conditions.of(backend.name).demoted ? demotedIntervalMs : intervalMs;
      schedule(backend, base * (1 + jitter * (2 * random.float() - 1)), run);
    };
    alarms.set(
      backend.name,
      timers.after(ms, () => void ring()),
    );
  }

  function stop(): void {
    stopped = true;
    for (const cancel of alarms.values()) cancel();
    alarms.clear();
    for (const controller of running) controller.abort(new Error('Probing was stopped.'));
  }

  return {
    start() {
      if (!stopped) return;
      stopped = false;
      runs++;
      for (const backend of backends) schedule(backend, random.float() * demotedIntervalMs, runs);
    },
    replace(next) {
      for (const backend of backends) {
        if (next.includes(backend)) continue;
        alarms.get(backend.name)?.();
        alarms.delete(backend.name);
        latest.delete(backend.name);
      }
      const fresh = next.filter((backend) => !backends.includes(backend));
      backends = next;
      if (!stopped) for (const backend of fresh) schedule(backend, random.float() * demotedIntervalMs, runs);
    },
    async probe(name) {
      const backend = backends.find((one) => one.name === name);
      if (backend === undefined) throw new TypeError(`There is no backend named ${name} to probe.`);
      return (await probe(backend))!;
    },
    results: () => [...latest.values()],
    stop,
    [Symbol.dispose]: stop,
  };
}

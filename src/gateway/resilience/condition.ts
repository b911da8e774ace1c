/**
 * What the gateway knows of a backend from having asked it: breaker, cool-down, calls under way, latency, errors.
 *
 * The orchestrator writes it, the policy reads it. One per backend, for as long as the backend is configured.
 *
 * @module gateway/resilience/condition
 */
import { Histogram, RecentHistogram } from '../../base/index.ts';
import { type Breaker, type BreakerOptions, type BreakerState, createBreaker } from './breaker.ts';

export interface ConditionOptions {
  /** Monotonic ms. */
  readonly now: () => number;
  /** The same for all, or by the backend's name. */
  readonly breaker?:
    | Omit<BreakerOptions, 'now' | 'onChange'>
    | ((backend: string) => Omit<BreakerOptions, 'now' | 'onChange'>);
  /** ms a failed call keeps a backend behind the others, unless a success or a good probe ends it. @default 30_000 */
  readonly demoteMs?: number;
  /** ms in which a latency or an error loses 63 % of its weight. @default 10_000 */
  readonly decayMs?: number;
  /** Called on each change of a breaker. */
  readonly onBreaker?: (backend: string, state: BreakerState) => void;
}

export interface Condition {
  readonly backend: string;
  readonly breaker: Breaker;
  /** Calls under way. */
  readonly inFlight: number;
  /** ms to the first piece of an answer, weighted to the recent; null before any. */
  readonly latencyMs: number | null;
  /** Share of failed calls, weighted to the recent, 0 to 1. */
  readonly errorRate: number;
  /** ms until it wants to be asked again (Retry-After); 0 when it may be asked. */
  readonly coolMs: number;
  /** True after a failed call or probe, until one succeeds or time has passed. */
  readonly demoted: boolean;
  /**
   * ms to the first piece that are expected of it now: while nobody asks it, what was seen once loses its weight, so that
   * a backend that was slow is tried again. Null before any.
   */
  readonly expectedMs: number | null;
  /** Expected ms to an answer, were one more call made now: `expectedMs` × (calls under way + 1). 0 when never called. */
  readonly load: number;
  /** ms within which 95 % of the recent answers began; null with fewer than 20. */
  firstTokenP95(): number | null;
  begin(): void;
  /** The first piece came after `ms`. */
  firstToken(ms: number): void;
  /** The call is over. `neutral`: it says nothing about the backend. */
  end(outcome: 'success' | 'failure' | 'neutral'): void;
  /** It asked for a pause. Over ten minutes are not believed: it is tried again then. */
  cool(ms: number): void;
  /** What a probe found. */
  probed(good: boolean): void;
  /** Forgets by hand what keeps it from being asked: the open breaker, the pause, the demotion. */
  reset(): void;
}

export interface Conditions {
  /** Condition of the backend with that name, made when first asked for. */
  of(backend: string): Condition;
  all(): readonly Condition[];
  /** Forgets a backend that is no longer configured. */
  delete(backend: string): void;
}

const maxCoolMs = 600_000;
const p95WindowMs = 300_000;
const p95Samples = 20;
/** Reading a quantile sums ten histograms; once a second is often enough. */
const p95AgeMs = 1000;

export function createConditions(options: ConditionOptions): Conditions {
  const known = new Map<string, Condition>();
  return {
    of(backend) {
      let condition = known.get(backend);
      if (condition === undefined) {
        condition = createCondition(backend, options);
        known.set(backend, condition);
      }
      return condition;
    },
    all: () => [...known.values()],
    delete(backend) {
      known.delete(backend);
    },
  };
}

function createCondition(backend: string, options: ConditionOptions): Condition {
  const { now, demoteMs = 30_000, decayMs = 10_000, onBreaker } = options;
  const breaker = createBreaker({
    ...(typeof options.breaker === 'function' ? options.breaker(backend) : options.breaker),
    now,
    onChange: (state) => onBreaker?.(backend, state),
  });
  const firstTokens = new RecentHistogram(p95WindowMs);
  let inFlight = 0;
  let latency: number | null = null;
  let latencyAt = 0;
  /** When its last call ended. */
  let idleAt = 0;
  let errors = 0;
  let errorsAt = 0;
  let coolUntil = 0;
  let demotedUntil = Number.NEGATIVE_INFINITY;
  let p95: number | null = null;
  let p95At = Number.NEGATIVE_INFINITY;

  const kept = (since: number, at: number): number => Math.exp((since - at) / decayMs);

  /**
   * Peak EWMA (Finagle's p2c balancer): a slower answer counts at once and in full, a faster one by the time that has
   * passed, so that a backend that turned slow is left quickly and trusted again slowly.
   */
  function observeLatency(ms: number, at: number): void {
    if (latency === null || ms >= latency) latency = ms;
    else latency = ms + (latency - ms) * kept(latencyAt, at);
    latencyAt = at;
  }

  /** With calls under way it stands: that nothing comes is no sign of being fast again. */
  function expected(): number | null {
    return latency === null || inFlight > 0 ? latency : latency * kept(Math.max(latencyAt, idleAt), now());
  }

  function observeOutcome(failed: boolean): void {
    const at = now();
    const old = errors === 0 ? 0 : errors * kept(errorsAt, at);
    errors = old + ((failed ? 1 : 0) - old) * 0.2;
    errorsAt = at;
    demotedUntil = failed ? at + demoteMs : Number.NEGATIVE_INFINITY;
  }

  return {
    backend,
    breaker,
    get inFlight() {
      return inFlight;
    },
    get latencyMs() {
      return latency;
    },
    get errorRate() {
      return errors === 0 ? 0 : errors * kept(errorsAt, now());
    },
    get coolMs() {
      return coolUntil === 0 ? 0 : Math.max(0, coolUntil - now());
    },
    get demoted() {
      return demotedUntil !== Number.NEGATIVE_INFINITY && demotedUntil > now();
    },
    get expectedMs() {
      return expected();
    },
    get load() {
      // A backend that never answered but has calls waiting must not look free.
      return latency === null ? inFlight * 1000 : expected()! * (inFlight + 1);
    },
    firstTokenP95() {
      const at = now();
      if (at - p95At >= p95AgeMs) {
        const sum = new Histogram();
        firstTokens.addRecent(sum, at);
        p95 = sum.count < p95Samples ? null : sum.quantile(0.95);
        p95At = at;
      }
      return p95;
    },
    begin() {
      inFlight++;
    },
    firstToken(ms) {
      const at = now();
      firstTokens.observe(ms, at);
      observeLatency(ms, at);
    },
    end(outcome) {
      inFlight--;
      idleAt = now();
      if (outcome !== 'neutral') observeOutcome(outcome === 'failure');
    },
    cool(ms) {
      coolUntil = Math.max(coolUntil, now() + Math.min(ms, maxCoolMs));
    },
    probed(good) {
      demotedUntil = good ? Number.NEGATIVE_INFINITY : Math.max(demotedUntil, now() + demoteMs);
    },
    reset() {
      breaker.reset();
      coolUntil = 0;
      demotedUntil = Number.NEGATIVE_INFINITY;
    },
  };
}

/**
 * What the gateway says of its backends.
 *
 * @module gateway/reports
 */
import type { GatewayProvider } from './options.ts';
import type { Link } from './privacy/index.ts';
import type { Breaker, Condition, ProbeResult } from './resilience/index.ts';
import type { Backend, BackendHealth } from './types.ts';

/** What is known of a backend from having asked it. */
export interface BackendReport {
  readonly name: string;
  readonly group: string;
  readonly step: GatewayProvider['step'];
  readonly where: 'this_machine' | 'owned' | 'peer' | 'provider';
  /** Null on this machine. */
  readonly link: Link | null;
  readonly region: string | null;
  readonly breaker: {
    readonly state: 'closed' | 'open' | 'half_open';
    readonly failures: number;
    /** ms until it is tried again; 0 when it may be. */
    readonly waitMs: number;
  };
  readonly inFlight: number;
  /** ms to the first piece of an answer, weighted to the recent; null before any. */
  readonly latencyMs: number | null;
  /** Share of failed calls, weighted to the recent, 0 to 1. */
  readonly errorRate: number;
  readonly coolMs: number;
  readonly demoted: boolean;
  /** False: no request may go there whatever it says, for the owner's privacy level or a link in the clear. */
  readonly reachable: boolean;
  /** Models it said it has. */
  readonly models: number;
  readonly defaults: { readonly chat: string | null; readonly embedding: string | null };
}

export function backendReport(
  provider: GatewayProvider,
  condition: Condition,
  models: number,
  reachable: boolean,
): BackendReport {
  const { backend, group, step, destination, region } = provider;
  const { inFlight, latencyMs, errorRate, coolMs, demoted } = condition;
  const { state, failures, waitMs } = condition.breaker;
  return {
    name: backend.name,
    group: group ?? backend.name,
    step,
    where: destination.kind,
    link: destination.kind === 'this_machine' ? null : destination.link,
    region: region ?? null,
    breaker: { state, failures, waitMs },
    inFlight,
    latencyMs,
    errorRate,
    coolMs,
    demoted,
    reachable,
    models,
    defaults: { chat: backend.defaultModel('chat'), embedding: backend.defaultModel('embedding') },
  };
}

/** Health as a probe found it, with the breaker as it is now. */
export function probedHealth(
  { health, message, ms }: ProbeResult,
  { state, failures }: Breaker,
  models: number,
): BackendHealth {
  const breaker = { state, failures };
  if (health !== null) return { ...health, breaker };
  return {
    status: 'degraded',
    latencyMs: ms,
    modelsAvailable: models,
    modelsLoaded: 0,
    breaker,
    message,
    answers: false,
  };
}

/** A peer, with a health that nobody asks for while no request may go there. */
export function whileReachable(
  provider: GatewayProvider,
  isReachable: (provider: GatewayProvider) => boolean,
): Pick<Backend, 'name' | 'health'> {
  const { backend } = provider;
  return {
    name: backend.name,
    health: async (signal) => (isReachable(provider) ? backend.health(signal) : unreached),
  };
}

/** Health of a backend that the owner's privacy level keeps the node from. */
export const unreached: BackendHealth = {
  status: 'degraded',
  latencyMs: null,
  modelsAvailable: 0,
  modelsLoaded: 0,
  breaker: { state: 'closed', failures: 0 },
  message:
    "It is never asked: the owner's privacy level, or a link in the clear, keeps all requests from it.",
  answers: false,
};

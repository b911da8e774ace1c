/**
 * What the owner's configuration means for the gateway's decisions.
 *
 * @module node/gateway-policy
 */
import type { Config } from '../base/index.ts';
import type { AgentPolicy, GatewayOptions, OwnerPolicy } from '../gateway/index.ts';

type Decisions = Pick<GatewayOptions, 'policy' | 'agents' | 'breaker' | 'retries' | 'backoff' | 'probeMs'>;

export function decisionsOf({ gateway, agents }: Config): Decisions {
  const policy: OwnerPolicy = {
    privacy: gateway.privacy,
    requiredTier: gateway.requiredTier,
    balancing: gateway.balancing,
    balancingSeed: gateway.balancingSeed,
    weights: {
      order: gateway.weightOrder,
      cost: gateway.weightCost,
      latency: gateway.weightLatency,
      load: gateway.weightLoad,
      errors: gateway.weightErrors,
    },
    route: gateway.route,
    cache: gateway.cache,
    redundancy: gateway.redundancy,
    decide: gateway.decide,
    // As a setting, null is `auto` and 0 is never.
    hedgeMs: gateway.hedgeMs === null ? 'auto' : gateway.hedgeMs === 0 ? null : gateway.hedgeMs,
    regions: gateway.regions.length === 0 ? null : gateway.regions,
    degrade: gateway.degrade,
  };
  return {
    policy,
    agents: agents as Readonly<Record<string, AgentPolicy>>,
    breaker: {
      failures: gateway.breakerFailures,
      openMs: gateway.breakerOpenMs,
      successes: gateway.breakerSuccesses,
    },
    retries: gateway.retries,
    // 1, 2, 4 s for a first wait of 1 s.
    backoff: { baseMs: gateway.retryDelayMs, maxMs: 4 * gateway.retryDelayMs },
    probeMs: gateway.probeMs,
  };
}

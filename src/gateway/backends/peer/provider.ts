/**
 * A peer in its place among the gateway's backends. What is known of it changes while the node runs, so that nothing of it
 * is read before a request asks.
 *
 * @module gateway/backends/peer/provider
 */
import { higher, type Meeting, meetingOf, type PeerRequirements, type Tier } from '../../../base/index.ts';
import type { GatewayProvider } from '../../options.ts';
import type { PeerBackend } from './backend.ts';

/** What this node knows of a peer now. */
export interface PeerStanding {
  readonly tier: Tier;
  /** Its operator holds a FiduciaryPledge that counts here. */
  readonly pledge: boolean;
  /** Null: not known. */
  readonly region: string | null;
  /** Round trip and queue, ms. @default as the backend measured it */
  readonly latencyMs?: number | null;
}

export interface PeerProviderOptions {
  readonly backend: PeerBackend;
  /** Asked for each request: must be quick. */
  readonly standing: () => PeerStanding;
  /** Below it no request may go there, whatever it asks itself. @default null, whatever its tier */
  readonly minTier?: Tier | null;
  /** How the trust room judges, with its words. @default by `standing` alone */
  readonly meets?: (
    requirements: PeerRequirements,
    facts: { readonly latencyMs: number | null; readonly region: string | null },
  ) => Meeting;
  readonly group?: string;
  readonly aliases?: NonNullable<GatewayProvider['aliases']>;
  readonly facts?: NonNullable<GatewayProvider['facts']>;
  readonly abilities?: NonNullable<GatewayProvider['abilities']>;
}

export function peerProvider({
  backend,
  standing,
  meets,
  minTier: least = null,
  ...more
}: PeerProviderOptions): GatewayProvider {
  const known = (): Required<PeerStanding> => {
    const { latencyMs, ...rest } = standing();
    return { ...rest, latencyMs: latencyMs === undefined ? backend.latencyMs() : latencyMs };
  };
  return {
    ...more,
    backend,
    step: 'peer',
    // It passes nothing on, and is told nothing but the request.
    counts: false,
    abilities: {
      tools: true,
      json: true,
      vision: false,
      price: { prompt: 0, completion: 0 },
      ...more.abilities,
    },
    get destination() {
      const { tier, pledge } = standing();
      return { kind: 'peer' as const, link: 'encrypted' as const, tier, pledge };
    },
    peer: {
      id: backend.peer,
      meets(asked) {
        const facts = known();
        const minTier = higher(asked.minTier, least ?? undefined);
        const requirements = minTier === undefined ? asked : { ...asked, minTier };
        return meets === undefined ? meetingOf(requirements, facts, facts) : meets(requirements, facts);
      },
    },
  };
}

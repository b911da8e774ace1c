/**
 * Paths through peers in their place among the gateway's backends. A request is planned before its path is, so that what is said
 * here is what the best of the peers allow; the path itself is made of those that meet what the request asks.
 *
 * @module gateway/backends/paths/provider
 */
import type { Meeting, PeerRequirements, Tier } from '../../../base/index.ts';
import { ENGINE_ABILITIES } from '../../local-provider.ts';
import type { GatewayProvider } from '../../options.ts';
import type { Backend } from '../../types.ts';

export interface PathProviderOptions {
  readonly backend: Backend;
  /** The lowest tier among the peers of the strictest path there is, and whether all of them gave the pledge. Quick. */
  readonly standing: () => { readonly tier: Tier; readonly pledge: boolean };
  /** Whether there is a path, of any model, through peers that all meet the requirements. Quick. */
  readonly meets: (requirements: PeerRequirements) => Meeting;
}

/** A path may have to be opened first, and to mend itself in the middle. */
const limits = { firstTokenMs: 180_000, interTokenMs: 90_000, totalMs: 3_600_000 } as const;

export function pathProvider({ backend, standing, meets }: PathProviderOptions): GatewayProvider {
  return {
    backend,
    step: 'swarm',
    counts: false,
    abilities: { ...ENGINE_ABILITIES, limits },
    get destination() {
      return { kind: 'peer' as const, link: 'encrypted' as const, ...standing() };
    },
    peer: { id: '', meets },
  };
}

/**
 * Connects to a peer by address or by name alone, and says what is missing where a name is not enough.
 *
 * @module node/swarm-connecting
 */
import { isKithError, isPeerId, KithError } from '../base/index.ts';
import type { Discoverer, PeerLink, Registry, Swarm } from '../swarm/index.ts';

export interface ConnectingParts {
  readonly swarm: Pick<Swarm, 'dial' | 'links'>;
  readonly registry: Pick<Registry, 'of'>;
  readonly discovery: Pick<Discoverer, 'introduce'>;
}

/** @param target a PeerId, or a multiaddr that ends in one */
export async function connectTo(
  { swarm, registry, discovery }: ConnectingParts,
  target: string,
  options: { readonly signal: AbortSignal; readonly deadlineMs: number },
): Promise<PeerLink> {
  if (!isPeerId(target)) return swarm.dial(target, options);
  // Where the peer announced that it is.
  await discovery.introduce(target);
  try {
    return await swarm.dial(target, options);
  } catch (error) {
    const isAway = isKithError(error) && /^swarm_(unreachable|timeout)$/.test(error.code);
    if (!isAway || registry.of(target).length > 0) throw error;
    throw new KithError(
      'swarm_unreachable',
      'Nobody here knows an address of that peer. Take one from kith p2p info on its machine, and connect by it: kith p2p connect ADDRESS',
      { status: 502, details: { peer: target }, cause: error },
    );
  }
}

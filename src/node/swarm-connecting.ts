/**
 * Connects to a peer by address or by name alone, and says what is missing where a name is not enough.
 *
 * @module node/swarm-connecting
 */
import { isKithError, isPeerId, KithError } from '../base/index.ts';
import type { Discoverer, PeerLink, Registry, Swarm } from '../swarm/index.ts';

/** Longest wait for the first sign of a peer that was just connected to, ms. */
const PING_MS = 5_000;

export interface ConnectingParts {
  readonly swarm: Pick<Swarm, 'dial' | 'links' | 'ping'>;
  readonly registry: Pick<Registry, 'of'>;
  readonly discovery: Pick<Discoverer, 'introduce'>;
}

/** @param target a PeerId, or a multiaddr that ends in one */
export async function connectTo(
  { swarm, registry, discovery }: ConnectingParts,
  target: string,
  options: { readonly signal: AbortSignal; readonly deadlineMs: number },
): Promise<PeerLink> {
  const begun = await dialled({ swarm, registry, discovery }, target, options);
  // A side that dials has its link before the other has said whether it wants one, so that a refusal comes after it.
  // A peer of other software may know no ping of ours: it keeps its link all the same.
  const answered = await swarm
    .ping(begun.peer, { ...options, deadlineMs: Math.min(options.deadlineMs, PING_MS) })
    .then(
      () => true,
      () => false,
    );
  if (answered || (await swarm.links()).some(({ peer }) => peer === begun.peer)) return begun;
  throw new KithError(
    'swarm_unreachable',
    'The peer ended the connection as soon as it stood: it refuses this node. Its owner can tell whether this node is banned there, below its swarm.minTier, or outside of its swarm.allow.',
    { status: 502, details: { peer: begun.peer } },
  );
}

async function dialled(
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

/**
 * Links to a peer: one that stands and works, else a new one.
 *
 * @module swarm/libp2p/connect
 */
import type { PeerId } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import type { Node } from './config.ts';
import { bestConnection, isProven } from './paths.ts';

type Connection = Awaited<ReturnType<Node['dial']>>;

/** @param target multiaddr or PeerId */
export async function connect(
  node: Pick<Node, 'getConnections' | 'dial'>,
  target: string,
  signal: AbortSignal,
): Promise<Connection> {
  const to = target.startsWith('/') ? multiaddr(target) : peerIdFromString(target);
  const peer = peerOf(to);
  const links = () => (peer === undefined ? [] : node.getConnections(peer));
  if (links().every((link) => link.status !== 'open' || isProven(link))) return node.dial(to, { signal });
  // libp2p takes a link on which nothing came for the best there is, and gives it back instead of dialling: for calls to
  // a peer whose WebRTC broke off while it was agreed on, that link is silence until they time out.
  const best = bestConnection(links());
  if (best !== undefined && best.limits === undefined) return best;
  try {
    return await node.dial(to, { signal, force: true });
  } catch (error) {
    const late = bestConnection(links());
    if (late !== undefined) return late;
    throw error;
  }
}

function peerOf(to: Multiaddr | PeerId): PeerId | undefined {
  if (!('getComponents' in to)) return to;
  const name = to.getComponents().findLast((component) => component.name === 'p2p')?.value;
  return name === undefined ? undefined : peerIdFromString(name);
}

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

/** Attempts at a direct link, by node and peer. */
const attempts = new WeakMap<object, Map<string, AbortController>>();

/**
 * Dials a better way to a peer that has a link. Whoever needs a link meanwhile, since that one broke, ends the attempt:
 * libp2p would let the new dial wait for it, and WebRTC without its signalling ends after 20 s.
 *
 * @returns false when it failed
 */
export async function attempt(
  node: Pick<Node, 'dial'>,
  peer: string,
  to: Multiaddr[],
  signal: AbortSignal,
): Promise<boolean> {
  const end = new AbortController();
  const all = attempts.get(node) ?? new Map<string, AbortController>();
  attempts.set(node, all);
  all.set(peer, end);
  try {
    // Without `force` libp2p gives back the link that stands.
    await node.dial(to, { force: true, signal: AbortSignal.any([signal, end.signal]) });
    return true;
  } catch {
    return false;
  } finally {
    if (all.get(peer) === end) all.delete(peer);
  }
}

/** Ends an attempt at a better way, where one is under way; resolves when libp2p has let go of it. */
export async function endAttempt(node: object, peer: string): Promise<void> {
  const end = attempts.get(node)?.get(peer);
  if (end === undefined) return;
  end.abort(new Error('The link that was to be improved is gone.'));
  await new Promise(setImmediate);
}

/** @param target multiaddr or PeerId */
export async function connect(
  node: Pick<Node, 'getConnections' | 'dial'>,
  target: string,
  signal: AbortSignal,
): Promise<Connection> {
  const to = target.startsWith('/') ? multiaddr(target) : peerIdFromString(target);
  const peer = peerOf(to);
  const links = () => (peer === undefined ? [] : node.getConnections(peer));
  if (peer !== undefined && bestConnection(links()) === undefined) await endAttempt(node, peer.toString());
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

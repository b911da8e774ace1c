/**
 * Links to a peer: one that stands and works, else a new one.
 *
 * @module swarm/libp2p/connect
 */
import type { PeerId } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { type Clock, systemClock } from '../../base/index.ts';
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

/** Dials by PeerId alone, by node and peer. */
const lookups = new WeakMap<object, Map<string, Set<AbortController>>>();

/**
 * Ends dials by PeerId alone: libp2p looks for addresses of one that it knows none of until time is over, and would let the dial of an
 * address that is named now wait for that. Who waits for them gets the link of that dial (`dialFound`).
 */
async function endLookups(node: object, peer: string): Promise<void> {
  const ends = lookups.get(node)?.get(peer);
  if (ends === undefined) return;
  for (const end of ends) end.abort(new Error('An address of the peer was named.'));
  await new Promise(setImmediate);
}

/** Dials by PeerId; with what is found out meanwhile, where that is ended for an address that was named. */
async function dialFound(
  node: Pick<Node, 'dial'>,
  peer: PeerId,
  options: { readonly signal: AbortSignal; readonly force?: boolean },
): Promise<Connection> {
  const name = peer.toString();
  const all = lookups.get(node) ?? new Map<string, Set<AbortController>>();
  lookups.set(node, all);
  const ends = all.get(name) ?? new Set<AbortController>();
  all.set(name, ends);
  const end = new AbortController();
  ends.add(end);
  try {
    return await node.dial(peer, { ...options, signal: AbortSignal.any([options.signal, end.signal]) });
  } catch (error) {
    if (!end.signal.aborted || options.signal.aborted) throw error;
  } finally {
    ends.delete(end);
    if (ends.size === 0) all.delete(name);
  }
  // Joins the dial of that address; where it failed, what was known before counts again.
  await new Promise(setImmediate);
  return node.dial(peer, options).catch((error: unknown) => {
    if (options.signal.aborted) throw error;
    return node.dial(peer, options);
  });
}

/**
 * Pauses before a dial is made again whose relay answered that it knows no such peer, or not what was said: one that began a moment
 * ago, or whose link to the peer changes just now, says so and is right a second later.
 */
const PAUSES_MS = [250, 750, 1500];
const TRANSIENT = /connect via relay with status (?:NO_RESERVATION|MALFORMED_MESSAGE)\b/u;

/** Whether a relay that was asked may answer otherwise in a moment. */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (TRANSIENT.test(error.message)) return true;
  return error instanceof AggregateError && error.errors.some(isTransient);
}

/**
 * @param target multiaddr or PeerId
 * @param sleep between tries over relays
 */
export async function connect(
  node: Pick<Node, 'getConnections' | 'dial'>,
  target: string,
  signal: AbortSignal,
  sleep: Clock['sleep'] = (ms, until) => systemClock.sleep(ms, until),
): Promise<Connection> {
  const to = target.startsWith('/') ? multiaddr(target) : peerIdFromString(target);
  const peer = peerOf(to);
  const links = () => (peer === undefined ? [] : node.getConnections(peer));
  if (peer !== undefined && bestConnection(links()) === undefined) await endAttempt(node, peer.toString());
  if (peer !== undefined && to !== peer) await endLookups(node, peer.toString());
  const dial = (force: boolean) => dialOver(node, to, peer, { signal, ...(force && { force }) }, sleep);
  if (links().every((link) => link.status !== 'open' || isProven(link))) return dial(false);
  // libp2p takes a link on which nothing came for the best there is, and gives it back instead of dialling: for calls to
  // a peer whose WebRTC broke off while it was agreed on, that link is silence until they time out.
  const best = bestConnection(links());
  if (best !== undefined && best.limits === undefined) return best;
  try {
    return await dial(true);
  } catch (error) {
    const late = bestConnection(links());
    if (late !== undefined) return late;
    throw error;
  }
}

async function dialOver(
  node: Pick<Node, 'dial'>,
  to: Multiaddr | PeerId,
  peer: PeerId | undefined,
  options: { readonly signal: AbortSignal; readonly force?: boolean },
  sleep: Clock['sleep'],
): Promise<Connection> {
  for (let tries = 0; ; tries++) {
    try {
      return to === peer ? await dialFound(node, peer, options) : await node.dial(to, options);
    } catch (error) {
      const pause = PAUSES_MS[tries];
      if (pause === undefined || options.signal.aborted || !isTransient(error)) throw error;
      // Where only this relay was named, whatever other ways to the peer are known come first.
      const other =
        to === peer || peer === undefined ? null : await node.dial(peer, options).catch(() => null);
      if (other !== null) return other;
      await sleep(pause, options.signal).catch(() => {
        throw error;
      });
    }
  }
}

function peerOf(to: Multiaddr | PeerId): PeerId | undefined {
  if (!('getComponents' in to)) return to;
  const name = to.getComponents().findLast((component) => component.name === 'p2p')?.value;
  return name === undefined ? undefined : peerIdFromString(name);
}

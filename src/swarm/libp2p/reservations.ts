/**
 * Reservations on relays, held while the node runs.
 *
 * libp2p can listen on relays by itself, but: asked for two at once it forgets the second, and its start never ends
 * (`reserveQueue.clear()` after each reservation); one that was lost with the link to its relay, or refused because the
 * relay was away, is not asked for again.
 *
 * @module swarm/libp2p/reservations
 */
import type { PeerId } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { type Clock, systemClock } from '../../base/index.ts';
import type { Node } from './config.ts';

/** How often it is looked whether they stand. */
const LOOK_MS = 2000;
/** Between two reservations, so that libp2p does not renew them at the same time either. */
const APART_MS = 500;
const FIRST_PAUSE_MS = 2000;
const LONGEST_PAUSE_MS = 300_000;
const RESERVE_MS = 10_000;

interface Reservation {
  /** Seconds since 1970. */
  readonly reservation: { readonly expire: bigint };
}

interface ReservationStore {
  addRelay(peer: PeerId, type: 'configured'): Promise<unknown>;
  readonly reservations: { get(peer: PeerId): Reservation | undefined };
}

interface Transports {
  getAddrs(): Multiaddr[];
  getTransports(): readonly { readonly reservationStore?: ReservationStore }[];
  listen(addresses: Multiaddr[]): Promise<void>;
}

interface Relay {
  readonly address: Multiaddr;
  readonly peer: PeerId;
  /** libp2p has a listener for it. */
  listening: boolean;
  pause: number;
  /** Not before, on the monotonic clock. */
  next: number;
}

/** libp2p has no public way to ask for a reservation after the start. */
function transportsOf(node: Node): Transports {
  return (node as unknown as { components: { transportManager: Transports } }).components.transportManager;
}

function relayOf(text: string): Relay[] {
  const address = multiaddr(text);
  const peer = address.getComponents().findLast(({ name }) => name === 'p2p')?.value;
  if (peer === undefined) return [];
  return [{ address, peer: peerIdFromString(peer), listening: false, pause: FIRST_PAUSE_MS, next: 0 }];
}

/** Ends with the signal. */
export async function holdReservations(
  node: Node,
  addresses: readonly string[],
  signal: AbortSignal,
  clock: Clock = systemClock,
): Promise<void> {
  const relays = addresses.flatMap(relayOf);
  try {
    while (relays.length > 0) {
      for (const relay of relays) {
        if (relay.next > clock.monotonic() || stands(node, relay, clock.now())) continue;
        try {
          await reserve(node, relay, signal);
          relay.pause = FIRST_PAUSE_MS;
        } catch {
          relay.next = clock.monotonic() + relay.pause;
          relay.pause = Math.min(relay.pause * 2, LONGEST_PAUSE_MS);
        }
        await clock.sleep(APART_MS, signal);
      }
      await clock.sleep(LOOK_MS, signal);
    }
  } catch {
    // This node ends.
  }
}

function listed(transports: Transports, { peer }: Relay): boolean {
  const marker = `/p2p/${peer.toString()}/p2p-circuit`;
  return transports.getAddrs().some((address) => address.toString().includes(marker));
}

function stands(node: Node, relay: Relay, now: number): boolean {
  const transports = transportsOf(node);
  if (!listed(transports, relay)) return false;
  for (const { reservationStore } of transports.getTransports()) {
    const held = reservationStore?.reservations.get(relay.peer);
    if (held !== undefined) return Number(held.reservation.expire) * 1000 > now;
  }
  return false;
}

async function reserve(node: Node, relay: Relay, end: AbortSignal): Promise<void> {
  const signal = AbortSignal.any([AbortSignal.timeout(RESERVE_MS), end]);
  await node.dial(relay.address, { signal });
  const transports = transportsOf(node);
  if (relay.listening) {
    // Its listener takes the new reservation up by itself.
    for (const { reservationStore } of transports.getTransports())
      await within(reservationStore?.addRelay(relay.peer, 'configured'), signal);
  } else await within(transports.listen([relay.address.encapsulate('/p2p-circuit')]), signal);
  if (!listed(transports, relay)) throw new Error('The relay gave no address.');
  relay.listening = true;
}

/** libp2p's own promise may never settle. */
function within(promise: Promise<unknown> | undefined, signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    Promise.resolve(promise)
      .finally(() => signal.removeEventListener('abort', onAbort))
      .then(resolve, reject);
  });
}

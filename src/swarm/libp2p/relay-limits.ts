/**
 * Whose relayed links have no limits. libp2p knows one answer for all who reserve; here trust decides, at each new link, so
 * that who rises or falls need not reserve again.
 *
 * @module swarm/libp2p/relay-limits
 */
import type { PeerId } from '@libp2p/interface';
import type { Node } from './config.ts';

type Limit = object;

interface Reservation {
  limit?: Limit | undefined;
}

/** What libp2p would have set, by reservation. */
const limits = new WeakMap<Reservation, Limit>();

/**
 * Lifts or restores the limit of the reservation that the relayed link is about to use. The holder counts, not who dials:
 * a reservation has one limit for all its links.
 */
export async function settleLimit(
  node: Node,
  holder: PeerId,
  trusted: (peer: string) => Promise<boolean>,
): Promise<void> {
  const { relay } = node.services as {
    relay?: { readonly reservations: { get(peer: PeerId): Reservation | undefined } };
  };
  const reservation = relay?.reservations.get(holder);
  if (reservation === undefined) return;
  if (reservation.limit !== undefined) limits.set(reservation, reservation.limit);
  reservation.limit = (await trusted(holder.toString())) ? undefined : limits.get(reservation);
}

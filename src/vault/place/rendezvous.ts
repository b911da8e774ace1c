/**
 * Which Eves have a block: rendezvous hashing (Thaler and Ravishankar, "Using name-based mappings to increase hit rates", 1998).
 * Everybody who knows the block's name and the Eves gets the same order, so that nothing is written down about it, and an Eve that comes
 * or goes moves only the blocks that are hers.
 *
 * @module vault/place/rendezvous
 */
import { hash } from 'node:crypto';

/** An Eve as far as placing goes. */
export interface Place {
  readonly peer: string;
  /** Who runs her, as far as is known: copies go to different ones first. Null: unknown, and then she counts as one of her own. */
  readonly operator: string | null;
}

/** All Eves in the order in which a block asks for them. */
export function orderFor<T extends Place>(block: string, eves: readonly T[]): T[] {
  return eves
    .map((eve) => ({ eve, draw: hash('sha256', `kith-place-v1\0${block}\0${eve.peer}`) }))
    .sort((a, b) => (a.draw > b.draw ? -1 : a.draw < b.draw ? 1 : 0))
    .map(({ eve }) => eve);
}

/**
 * Those that are to have a block, and the others behind them, in the order in which to ask. The first of each operator come
 * before the second of any.
 */
export function placesFor<T extends Place>(block: string, eves: readonly T[], replicas: number): T[] {
  const order = orderFor(block, eves);
  const seen = new Set<string>();
  const first: T[] = [];
  const again: T[] = [];
  for (const eve of order) {
    const operator = eve.operator ?? `\0${eve.peer}`;
    (seen.has(operator) ? again : first).push(eve);
    seen.add(operator);
  }
  const chosen = [...first, ...again].slice(0, replicas);
  return [...chosen, ...order.filter((eve) => !chosen.includes(eve))];
}

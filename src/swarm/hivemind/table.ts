/**
 * Nodes of the DHT that have answered, by their distance from this one: at most 20 for each number of leading bits in
 * common, and who came first stays as long as it answers, which keeps newcomers from pushing out what works.
 *
 * Source: Maymounkov and Mazières, Kademlia (2002), section 2.2.
 *
 * @module swarm/hivemind/table
 */
import { commonPrefix, compareDistance } from './ids.ts';
import type { Contact } from './messages.ts';

/** Nodes in a bucket, and that a search ends with. */
export const BUCKET = 20;
/** More than a network of a billion needs; a crowd that invents ids near to this one's gets no more. */
const MAX_CONTACTS = 640;

export class Table {
  readonly #self: Uint8Array;
  readonly #buckets = new Map<number, Contact[]>();
  readonly #byPeer = new Map<string, Contact>();

  constructor(self: Uint8Array) {
    this.#self = self;
  }

  get size(): number {
    return this.#byPeer.size;
  }

  /** A peer has one node; that it had before is forgotten. */
  add(contact: Contact): void {
    const place = commonPrefix(this.#self, contact.node);
    // Its own id is nobody else's to claim.
    if (place === 160) return;
    const known = this.#byPeer.get(contact.peer);
    if (known !== undefined) {
      if (compareDistance(known.node, known.node, contact.node) === 0) return;
      this.remove(contact.peer);
    }
    const bucket = this.#buckets.get(place) ?? [];
    if (bucket.length >= BUCKET || this.#byPeer.size >= MAX_CONTACTS) return;
    // Views of a message would keep all of it.
    const own = { node: contact.node.slice(), peer: contact.peer };
    this.#buckets.set(place, [...bucket, own]);
    this.#byPeer.set(own.peer, own);
  }

  remove(peer: string): void {
    const contact = this.#byPeer.get(peer);
    if (contact === undefined) return;
    this.#byPeer.delete(peer);
    const place = commonPrefix(this.#self, contact.node);
    const left = this.#buckets.get(place)!.filter((other) => other !== contact);
    if (left.length > 0) this.#buckets.set(place, left);
    else this.#buckets.delete(place);
  }

  all(): Contact[] {
    return [...this.#byPeer.values()];
  }

  /** At most `count`, nearest first. */
  nearest(target: Uint8Array, count: number, except?: string): Contact[] {
    const best: Contact[] = [];
    // Strangers ask for this again and again: one pass, where most are farther than the last of the best.
    for (const contact of this.#byPeer.values()) {
      if (contact.peer === except) continue;
      let at = best.length;
      while (at > 0 && compareDistance(target, contact.node, best[at - 1]!.node) < 0) at--;
      if (at >= count) continue;
      best.splice(at, 0, contact);
      if (best.length > count) best.pop();
    }
    return best;
  }
}

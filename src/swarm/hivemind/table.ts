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
    if (bucket.length >= BUCKET) return;
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
    return this.all()
      .filter(({ peer }) => peer !== except)
      .sort((a, b) => compareDistance(target, a.node, b.node))
      .slice(0, count);
  }
}

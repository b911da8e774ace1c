/**
 * A list of things that come and go thousands of times a second, each of which knows its neighbours.
 *
 * A `Set` would do the same and keep garbage: V8 links each table of a set to the next one it grew into, so that one old
 * table holds all that came after it until the next full collection. With a request in it per request, a third of what a
 * server allocates outlives its time, and is copied.
 *
 * @module base/chain
 */

export interface Linked {
  /** Set by the chain; null outside of one. */
  before: Linked | null;
  after: Linked | null;
}

export class Chain<T extends Linked> {
  #head: Linked = { before: null, after: null };
  #size = 0;

  constructor() {
    this.#head.before = this.#head;
    this.#head.after = this.#head;
  }

  get size(): number {
    return this.#size;
  }

  /** Puts it at the end; nothing happens when it is in a chain. */
  add(one: T): void {
    if (one.after !== null) return;
    const last = this.#head.before!;
    one.before = last;
    one.after = this.#head;
    last.after = one;
    this.#head.before = one;
    this.#size++;
  }

  /** Nothing happens when it is in no chain. */
  delete(one: T): void {
    if (one.after === null) return;
    one.before!.after = one.after;
    one.after.before = one.before;
    // Nothing that is gone may hold what came after it.
    one.before = null;
    one.after = null;
    this.#size--;
  }

  /** In the order in which they came. The one that is looked at may be deleted meanwhile. */
  *[Symbol.iterator](): Generator<T> {
    for (let one = this.#head.after!; one !== this.#head; ) {
      const next: Linked = one.after!;
      yield one as T;
      one = next;
    }
  }
}

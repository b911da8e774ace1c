/**
 * The newest sequence number of each peer and model: what makes an older record worthless.
 *
 * A number is kept until no older record can be valid any more (`ANNOUNCEMENT_MAX_LIFE_MS` after it). When there are too
 * many, strangers' go first: with free PeerIds anybody can fill any table, so what this node cares for must not be
 * pushed out by it.
 *
 * @module swarm/records/sequences
 */
import { ANNOUNCEMENT_MAX_LIFE_MS } from './announcement.ts';

export interface Sequence {
  readonly peer: string;
  /** Hash of the model, or empty: of the peer itself. */
  readonly model: string;
  readonly seq: number;
  /** The record said that the peer is gone: with an empty model it voids what came before about any model. */
  readonly gone: boolean;
}

export interface SequencesOptions {
  /** @default 32768 */
  readonly capacity?: number;
  /** True for peers that must stay when there are too many. */
  readonly keeps: (peer: string) => boolean;
}

/** How many that must stay are passed over before one of them goes after all. */
const MAX_PASSED = 256;

export class Sequences {
  readonly #capacity: number;
  readonly #keeps: (peer: string) => boolean;
  /** In the order in which they were last set. */
  readonly #last = new Map<string, Sequence>();

  constructor(options: SequencesOptions) {
    this.#capacity = options.capacity ?? 32_768;
    this.#keeps = options.keeps;
  }

  get size(): number {
    return this.#last.size;
  }

  /** A record of that peer about that model counts only with a higher number; 0 when none is known. */
  last(peer: string, model: string): number {
    const own = this.#last.get(keyOf(peer, model))?.seq ?? 0;
    const whole = this.#last.get(keyOf(peer, ''));
    return whole?.gone ? Math.max(own, whole.seq) : own;
  }

  /** Keeps a number; what it pushed out is returned. */
  set(one: Sequence): Sequence[] {
    const key = keyOf(one.peer, one.model);
    this.#last.delete(key);
    this.#last.set(key, one);
    const out: Sequence[] = [];
    while (this.#last.size > this.#capacity) out.push(this.#evict(key));
    return out;
  }

  #evict(newest: string): Sequence {
    let passed = 0;
    for (const [key, one] of this.#last) {
      if (passed < MAX_PASSED && key !== newest && this.#keeps(one.peer)) {
        this.#last.delete(key);
        this.#last.set(key, one);
        passed++;
        continue;
      }
      this.#last.delete(key);
      return one;
    }
    throw new TypeError('There is nothing to forget.');
  }

  /**
   * Forgets numbers below which nothing can be valid at `now`, and those above `newest`, which were accepted while the
   * clock was wrong and would keep their peers out for as long. Returns what it forgot.
   */
  prune(now: number, newest: number): Sequence[] {
    const out: Sequence[] = [];
    for (const [key, one] of this.#last) {
      if (one.seq + ANNOUNCEMENT_MAX_LIFE_MS > now && one.seq <= newest) continue;
      this.#last.delete(key);
      out.push(one);
    }
    return out;
  }
}

function keyOf(peer: string, model: string): string {
  return `${peer}/${model}`;
}

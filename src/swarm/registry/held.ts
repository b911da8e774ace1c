/**
 * The records that a node holds, within bounds that strangers cannot use against those it cares for.
 *
 * PeerIds are free, so anybody can announce as many peers as it likes. When there are too many, a record of the lowest
 * standing goes, drawn at random among its like, the newcomer included: a flood neither washes out those of a higher
 * standing nor keeps out every honest stranger.
 *
 * @module swarm/registry/held
 */
import type { Random } from '../../base/index.ts';
import type { Announcement } from '../records/types.ts';

export interface HeldRecord {
  readonly announcement: Announcement;
  /** The signed envelope. */
  readonly bytes: Uint8Array;
}

export interface HeldLimits {
  /** @default 4096 */
  readonly records?: number;
  /** Of the envelopes. @default 4 MiB */
  readonly bytes?: number;
  /** Records of one peer: models it serves. @default 16 */
  readonly perPeer?: number;
}

export interface HeldOptions {
  readonly random: Random;
  /** 0 for strangers; the higher, the longer it stays. */
  readonly standing: (peer: string) => number;
  readonly limits?: HeldLimits;
}

interface Slot extends HeldRecord {
  /** Where it stands in the list that is drawn from. */
  at: number;
}

/** Looked at before all are: with fewer strangers than one in so many, the whole list is worth a look. */
const DRAWN = 32;

export class HeldRecords {
  readonly #random: Random;
  readonly #standing: (peer: string) => number;
  readonly #limits: Required<HeldLimits>;
  /** By peer, then by model (empty: of the peer itself). */
  readonly #peers = new Map<string, Map<string, Slot>>();
  readonly #list: Slot[] = [];
  #bytes = 0;

  constructor(options: HeldOptions) {
    this.#random = options.random;
    this.#standing = options.standing;
    this.#limits = { records: 4096, bytes: 4 * 1024 * 1024, perPeer: 16, ...options.limits };
  }

  get size(): number {
    return this.#list.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get peers(): number {
    return this.#peers.size;
  }

  get(peer: string, model: string): HeldRecord | undefined {
    return this.#peers.get(peer)?.get(model);
  }

  *ofPeer(peer: string): Generator<HeldRecord> {
    yield* this.#peers.get(peer)?.values() ?? [];
  }

  *byPeer(): Generator<readonly [peer: string, records: ReadonlyMap<string, HeldRecord>]> {
    yield* this.#peers;
  }

  *[Symbol.iterator](): Generator<HeldRecord> {
    yield* this.#list;
  }

  /** Holds a record in the place of the one of the same peer and model. Returns what had to go, maybe itself. */
  set(record: HeldRecord): HeldRecord[] {
    const { peer, model } = record.announcement;
    const name = model?.hash ?? '';
    this.delete(peer, name);
    const own = this.#peers.get(peer) ?? new Map<string, Slot>();
    this.#peers.set(peer, own);
    const slot: Slot = { ...record, at: this.#list.length };
    own.set(name, slot);
    this.#list.push(slot);
    this.#bytes += record.bytes.length;
    const out: HeldRecord[] = [];
    if (own.size > this.#limits.perPeer) out.push(this.#remove(oldestOf(own.values())));
    while (this.#list.length > this.#limits.records || this.#bytes > this.#limits.bytes)
      out.push(this.#remove(this.#lowest()));
    return out;
  }

  delete(peer: string, model: string): HeldRecord | undefined {
    const slot = this.#peers.get(peer)?.get(model);
    return slot === undefined ? undefined : this.#remove(slot);
  }

  #remove(slot: Slot): HeldRecord {
    const { peer, model } = slot.announcement;
    const own = this.#peers.get(peer)!;
    own.delete(model?.hash ?? '');
    if (own.size === 0) this.#peers.delete(peer);
    const last = this.#list.pop()!;
    if (last !== slot) {
      this.#list[slot.at] = last;
      last.at = slot.at;
    }
    this.#bytes -= slot.bytes.length;
    return slot;
  }

  #lowest(): Slot {
    for (let draw = 0; draw < DRAWN; draw++) {
      const slot = this.#list[Math.floor(this.#random.float() * this.#list.length)]!;
      if (this.#standing(slot.announcement.peer) <= 0) return slot;
    }
    let found: Slot[] = [];
    let lowest = Number.POSITIVE_INFINITY;
    for (const slot of this.#list) {
      const standing = this.#standing(slot.announcement.peer);
      if (standing < lowest) {
        lowest = standing;
        found = [];
      }
      if (standing === lowest) found.push(slot);
    }
    return found[Math.floor(this.#random.float() * found.length)]!;
  }
}

function oldestOf(slots: Iterable<Slot>): Slot {
  return [...slots].reduce((oldest, slot) =>
    slot.announcement.seq < oldest.announcement.seq ? slot : oldest,
  );
}

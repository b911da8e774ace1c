/**
 * Records kept for others until they expire: bytes under ids of 20 bytes, or dictionaries with many values under one id.
 * What expires later replaces what expires earlier, as every node of the DHT decides alike. Bounded as a whole and for each
 * peer, so that one cannot fill it; over a bound a record is refused, and others keep it.
 *
 * @module swarm/hivemind/storage
 */
import { type Clock, toHex } from '../../base/index.ts';
import { type Dictionary, encodeDictionary, MAX_ENTRIES } from './dictionary.ts';
import type { MsgValue } from './msgpack.ts';

export interface StorageLimits {
  /** Values of all, and their bytes. */
  readonly maxValues: number;
  readonly maxBytes: number;
  /** Of those, for one peer. */
  readonly maxValuesPerPeer: number;
  readonly maxBytesPerPeer: number;
  /** Of one value. */
  readonly maxValueBytes: number;
  /** Longest time to its expiration, seconds. */
  readonly maxTtl: number;
}

export const STORAGE_LIMITS: StorageLimits = {
  maxValues: 20_000,
  maxBytes: 64 * 2 ** 20,
  maxValuesPerPeer: 2_000,
  maxBytesPerPeer: 4 * 2 ** 20,
  maxValueBytes: 256 * 1024,
  maxTtl: 7 * 86_400,
};
/** What a value costs beside its bytes, so that empty ones are not for nothing. */
const OVERHEAD = 256;
/** What an entry has in a dictionary beside its value and its subkey, at most; a dictionary has no more beside its entries. */
const ENTRY_BYTES = 32;

interface Value {
  readonly value: Uint8Array;
  readonly expiration: number;
  readonly peer: string;
  readonly cost: number;
}
interface Entry extends Value {
  readonly subkey: MsgValue;
  /** Bytes in a dictionary, at most. */
  readonly size: number;
}
/** What is known of a dictionary without going through it: strangers choose how large it is and how often it is asked for. */
interface Entries {
  readonly entries: Map<string, Entry>;
  /** No entry expires earlier. Seconds since 1970. */
  soonest: number;
  latest: number;
  /** Sum of the entries' sizes. */
  size: number;
}
type Slot = { readonly regular: Value } | Entries;

export type Kept =
  | { readonly regular: Uint8Array; readonly expiration: number }
  | { readonly dictionary: Uint8Array; readonly expiration: number };

/** What is stored: `subkey` null for a value without any; `tag` the bytes of the subkey. */
export interface Record {
  readonly key: Uint8Array;
  readonly subkey: { readonly value: MsgValue; readonly tag: Uint8Array } | null;
  readonly value: Uint8Array;
  /** Seconds since 1970. */
  readonly expiration: number;
}

export class Storage {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #limits: StorageLimits;
  readonly #slots = new Map<string, Slot>();
  readonly #byPeer = new Map<string, { values: number; bytes: number }>();
  #values = 0;
  #bytes = 0;
  #sweptAt = 0;

  constructor(clock: Pick<Clock, 'now'>, limits: StorageLimits = STORAGE_LIMITS) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Keys and bytes, of what has not expired. */
  size(): { readonly keys: number; readonly bytes: number } {
    this.#sweep();
    return { keys: this.#slots.size, bytes: this.#bytes };
  }

  /** False when it is refused: expired, not newer than what is here, or over a bound. */
  store(peer: string, { key, subkey, value, expiration }: Record): boolean {
    const now = this.#clock.now() / 1000;
    const { maxValueBytes, maxTtl } = this.#limits;
    if (!(expiration > now && expiration <= now + maxTtl) || value.length > maxValueBytes) return false;
    const name = toHex(key);
    const slot = this.#live(name, now);
    if (slot !== undefined && ('regular' in slot || subkey === null) && latestOf(slot) >= expiration)
      return false;
    const tag = subkey === null ? '' : toHex(subkey.tag);
    const into = subkey !== null && slot !== undefined && 'entries' in slot ? slot : null;
    const before = into?.entries.get(tag);
    if (before !== undefined && before.expiration >= expiration) return false;
    // Nobody reads a longer one.
    if (into !== null && before === undefined && into.entries.size >= MAX_ENTRIES) return false;

    const cost = value.length + tag.length / 2 + OVERHEAD;
    // Twice the subkey: what came as a short float goes out as a long one.
    const size = value.length + tag.length + ENTRY_BYTES;
    // What it replaces makes room for it.
    const replaced = before !== undefined ? [before] : into === null ? valuesOf(slot) : [];
    if (!this.#hasRoom(peer, cost, replaced, now)) return false;
    for (const old of replaced) this.#release(old);
    // A copy: what came is a view of the whole request.
    const kept = { value: value.slice(), expiration, peer, cost };
    this.#hold(kept);
    if (subkey === null) this.#slots.set(name, { regular: kept });
    else {
      const entry = { ...kept, subkey: subkey.value, size };
      if (into === null)
        this.#slots.set(name, {
          entries: new Map([[tag, entry]]),
          soonest: expiration,
          latest: expiration,
          size,
        });
      else {
        into.entries.set(tag, entry);
        into.soonest = Math.min(into.soonest, expiration);
        into.latest = Math.max(into.latest, expiration);
        into.size += size - (before?.size ?? 0);
      }
    }
    return true;
  }

  /** Null also for what would be over `most` bytes, which is found before anything is put together. */
  get(key: Uint8Array, most = Number.POSITIVE_INFINITY): Kept | null {
    const slot = this.#live(toHex(key), this.#clock.now() / 1000);
    if (slot === undefined) return null;
    if ('regular' in slot) {
      const { value, expiration } = slot.regular;
      return value.length > most ? null : { regular: value, expiration };
    }
    if (slot.size + ENTRY_BYTES > most) return null;
    const dictionary: Dictionary = { maxsize: Infinity, entries: [...slot.entries.values()] };
    return { dictionary: encodeDictionary(dictionary), expiration: slot.latest };
  }

  /** What is under the name and has not expired. */
  #live(name: string, now: number): Slot | undefined {
    const slot = this.#slots.get(name);
    if (slot === undefined) return undefined;
    if ('regular' in slot) {
      if (slot.regular.expiration > now) return slot;
      this.#release(slot.regular);
    } else {
      if (slot.soonest > now) return slot;
      slot.soonest = Infinity;
      for (const [tag, entry] of slot.entries)
        if (entry.expiration <= now) {
          slot.entries.delete(tag);
          slot.size -= entry.size;
          this.#release(entry);
        } else slot.soonest = Math.min(slot.soonest, entry.expiration);
      if (slot.entries.size > 0) return slot;
    }
    this.#slots.delete(name);
    return undefined;
  }

  #sweep(): void {
    const now = this.#clock.now() / 1000;
    for (const name of [...this.#slots.keys()]) this.#live(name, now);
  }

  #hasRoom(peer: string, cost: number, replaced: readonly Value[], now: number): boolean {
    const { maxValues, maxBytes, maxValuesPerPeer, maxBytesPerPeer } = this.#limits;
    let [freed, own, ownFreed] = [0, 0, 0];
    for (const old of replaced) {
      freed += old.cost;
      if (old.peer !== peer) continue;
      own++;
      ownFreed += old.cost;
    }
    const fits = () => {
      const { values, bytes } = this.#byPeer.get(peer) ?? { values: 0, bytes: 0 };
      return (
        this.#values - replaced.length < maxValues &&
        this.#bytes - freed + cost <= maxBytes &&
        values - own < maxValuesPerPeer &&
        bytes - ownFreed + cost <= maxBytesPerPeer
      );
    };
    if (fits()) return true;
    // Looked through once a second at most: a peer over its bounds asks for free.
    if (now - this.#sweptAt < 1) return false;
    this.#sweptAt = now;
    this.#sweep();
    return fits();
  }

  #hold({ peer, cost }: Value): void {
    const { values, bytes } = this.#byPeer.get(peer) ?? { values: 0, bytes: 0 };
    this.#byPeer.set(peer, { values: values + 1, bytes: bytes + cost });
    this.#values++;
    this.#bytes += cost;
  }

  #release({ peer, cost }: Value): void {
    const { values, bytes } = this.#byPeer.get(peer)!;
    if (values === 1) this.#byPeer.delete(peer);
    else this.#byPeer.set(peer, { values: values - 1, bytes: bytes - cost });
    this.#values--;
    this.#bytes -= cost;
  }
}

function valuesOf(slot: Slot | undefined): Value[] {
  if (slot === undefined) return [];
  return 'regular' in slot ? [slot.regular] : [...slot.entries.values()];
}

function latestOf(slot: Slot): number {
  return 'regular' in slot ? slot.regular.expiration : slot.latest;
}

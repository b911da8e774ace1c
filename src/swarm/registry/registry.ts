/**
 * The registry: the newest valid record of each peer and model that this node has heard of.
 *
 * Whatever comes in, by gossip, in a snapshot or from this node itself, comes in by `offer`, which verifies it. All that
 * a node decides about peers it decides here, on its own copy, without asking anybody.
 *
 * @module swarm/registry/registry
 */
import type { Clock, Random } from '../../base/index.ts';
import { ANNOUNCEMENT_MAX_BYTES, parseAnnouncement } from '../records/announcement.ts';
import { parseEnvelope } from '../records/envelope.ts';
import { type Sequence, Sequences } from '../records/sequences.ts';
import { type Announcement, REFUSALS, type Refusal } from '../records/types.ts';
import {
  type Checked,
  createVerifier,
  MAX_SKEW_MS,
  type Origin,
  sequenceOf,
  type Verifier,
} from '../records/verify.ts';
import { type HeldLimits, type HeldRecord, HeldRecords } from './held.ts';
import type { RegistryStore } from './store.ts';

export interface RegistryOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** This node's PeerId: its own records stay whatever comes. */
  readonly self: string;
  /** How much this node cares that a peer stays in the registry: 0 for strangers, more for trusted and measured ones. */
  readonly standing: (peer: string) => number;
  readonly limits?: HeldLimits & {
    /** Sequence numbers. @default 32768 */
    readonly sequences?: number;
  };
  /** Where it survives the process; closed by who opened it. */
  readonly store?: RegistryStore;
}

export type Offered =
  | {
      readonly ok: true;
      readonly announcement: Announcement;
      /** The very same record was here already. */
      readonly known: boolean;
      /** False when there was no room for it among its like. */
      readonly kept: boolean;
    }
  | { readonly ok: false; readonly refusal: Refusal; readonly reason: string };

export class Registry {
  readonly self: string;
  readonly #clock: Clock;
  readonly #verifier: Verifier;
  readonly #sequences: Sequences;
  readonly #held: HeldRecords;
  readonly #store: RegistryStore | undefined;
  readonly #refused = Object.fromEntries(REFUSALS.map((code) => [code, 0])) as Record<Refusal, number>;
  readonly #listeners = new Set<(announcement: Announcement) => void>();

  constructor(options: RegistryOptions) {
    const { clock, random, self } = options;
    const standing = (peer: string) => (peer === self ? Number.MAX_VALUE : options.standing(peer));
    this.self = self;
    this.#clock = clock;
    this.#sequences = new Sequences({
      keeps: (peer) => standing(peer) > 0,
      ...(options.limits?.sequences === undefined ? {} : { capacity: options.limits.sequences }),
    });
    this.#held = new HeldRecords({ random, standing, limits: options.limits ?? {} });
    this.#verifier = createVerifier({ clock, sequences: this.#sequences });
    this.#store = options.store;
    this.#load();
  }

  get size(): number {
    return this.#held.size;
  }

  /** Bytes of all envelopes held. */
  get bytes(): number {
    return this.#held.bytes;
  }

  /** How many records were refused since the start, by reason. */
  get refused(): Readonly<Record<Refusal, number>> {
    return this.#refused;
  }

  /** Verifies a record and keeps it. Never throws for what is in `bytes`. */
  offer(bytes: Uint8Array, origin?: Origin): Offered {
    const checked = this.#verifier.check(bytes, origin);
    if (!checked.ok) return this.#refuse(checked, bytes);
    const { announcement } = checked;
    this.#setSequence(sequenceOf(announcement));
    if (announcement.state === 'offline' && announcement.model === null) this.#voidBefore(announcement);
    const kept = this.#keep({ announcement, bytes: checked.bytes });
    for (const listener of this.#listeners) listener(announcement);
    return { ok: true, announcement, known: false, kept };
  }

  #refuse(checked: Extract<Checked, { ok: false }>, bytes: Uint8Array): Offered {
    const { announcement, refusal, reason } = checked;
    if (announcement !== undefined) {
      const held = this.#held.get(announcement.peer, announcement.model?.hash ?? '');
      if (held !== undefined && Buffer.compare(held.bytes, bytes) === 0)
        return { ok: true, announcement: held.announcement, known: true, kept: true };
    }
    this.#refused[refusal]++;
    return { ok: false, refusal, reason };
  }

  /** The record of a peer about a model (null: about itself), while it is valid. */
  get(peer: string, model: string | null): Announcement | null {
    const held = this.#held.get(peer, model ?? '');
    return held !== undefined && held.announcement.exp > this.#clock.now() ? held.announcement : null;
  }

  /** All valid records of a peer. */
  of(peer: string): Announcement[] {
    const now = this.#clock.now();
    return [...this.#held.ofPeer(peer)].map((held) => held.announcement).filter((one) => one.exp > now);
  }

  /** Every peer with its records by model, expired ones that nobody swept yet among them. */
  byPeer(): Iterable<readonly [peer: string, records: ReadonlyMap<string, HeldRecord>]> {
    return this.#held.byPeer();
  }

  /** Valid records, with the bytes that prove them. */
  *records(): Generator<HeldRecord> {
    const now = this.#clock.now();
    for (const held of this.#held) if (held.announcement.exp > now) yield held;
  }

  /** Number of the newest record of a peer about a model. */
  lastSeq(peer: string, model: string | null): number {
    return this.#sequences.last(peer, model ?? '');
  }

  /** Called with each record that came in new; must not throw. */
  watch(listener: (announcement: Announcement) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Removes what is no longer valid, or was accepted by a clock that was ahead. To be called now and then. */
  sweep(): void {
    const now = this.#clock.now();
    const newest = now + MAX_SKEW_MS;
    for (const held of [...this.#held])
      if (held.announcement.exp <= now || held.announcement.seq > newest) this.#drop(held);
    for (const one of this.#sequences.prune(now, newest)) this.#store?.removeSequence(one);
  }

  /** Forgets what a peer announced, but not its sequence numbers. */
  forget(peer: string): void {
    for (const held of [...this.#held.ofPeer(peer)]) this.#drop(held);
  }

  #keep(record: HeldRecord): boolean {
    const { peer, model } = record.announcement;
    this.#store?.setRecord(peer, model?.hash ?? '', record.bytes);
    let kept = true;
    for (const out of this.#held.set(record)) {
      this.#store?.setRecord(out.announcement.peer, out.announcement.model?.hash ?? '', null);
      if (out.announcement === record.announcement) kept = false;
    }
    return kept;
  }

  #drop({ announcement: { peer, model } }: HeldRecord): void {
    this.#held.delete(peer, model?.hash ?? '');
    this.#store?.setRecord(peer, model?.hash ?? '', null);
  }

  #voidBefore(farewell: Announcement): void {
    for (const held of [...this.#held.ofPeer(farewell.peer)])
      if (held.announcement.seq < farewell.seq) this.#drop(held);
  }

  #setSequence(one: Sequence): void {
    this.#store?.setSequence(one);
    for (const out of this.#sequences.set(one)) this.#store?.removeSequence(out);
  }

  /** What the file holds was verified before it was written, and only this user can write there. */
  #load(): void {
    for (const one of this.#store?.stored.sequences ?? []) this.#sequences.set(one);
    for (const bytes of this.#store?.stored.records ?? []) {
      let announcement: Announcement;
      try {
        announcement = parseAnnouncement(parseEnvelope(bytes, ANNOUNCEMENT_MAX_BYTES).body);
      } catch {
        // Of another version of Kith: it is announced again within a minute.
        continue;
      }
      this.#held.set({ announcement, bytes });
    }
    this.sweep();
  }
}

/**
 * The owner's end of a session at one shard of a path.
 *
 * @module shards/path/hop
 */
import { type CborMap, KithError } from '../../base/index.ts';
import type { Session, SessionMessage, Swarm } from '../../swarm/index.ts';
import type { BlockSpan } from '../types.ts';
import { decodeAccounting, encodeAccounting, isAccounting } from '../wire/account.ts';
import { decodeShown, encodeShow, idOfShown, type Show, type Shown, type Written } from '../wire/audit.ts';
import { type Control, decodeControl } from '../wire/control.ts';
import {
  encodeOpening,
  encodeTypes,
  kindOf,
  type LinkTypes,
  SHARD_BOUNDS,
  SHARD_METHOD,
} from '../wire/messages.ts';
import type { UsedWork } from '../work/used.ts';
import { sameTypes } from './link-types.ts';

/** A shard that a path can go through. */
export interface ShardOffer extends BlockSpan {
  /** PeerId of the node that serves it. */
  readonly peer: string;
  /** Multiaddrs; may be empty. */
  readonly addresses: readonly string[];
}

export interface HopOptions {
  readonly swarm: Pick<Swarm, 'openSession' | 'learn'>;
  readonly model: string;
  readonly offer: ShardOffer;
  readonly cells: number;
  readonly session: Uint8Array;
  readonly feeder: string | null;
  readonly last: boolean;
  /** Whose KV rows of this session it takes over; null when it starts from nothing. */
  readonly donor: string | null;
  readonly types: LinkTypes;
  readonly signal: AbortSignal;
  /** Counts what it computes; null for nobody. */
  readonly work: UsedWork | null;
  /** Monotonic ms. */
  readonly now: () => number;
  readonly onRows: (message: SessionMessage) => void;
  readonly onFail: (hop: Hop, fail: Extract<Control, { k: 'fail' }>) => void;
  /** The session is over: the shard can no longer be used. Called once, never after `close`. */
  readonly onGone: (hop: Hop, error: unknown) => void;
  /** The shard ends the session in `ms`. */
  readonly onLeaving: (hop: Hop, ms: number) => void;
}

/** ms in which a shard has said what it computed, when its session is about to end. */
const SETTLE_MS = 1000;

type Pong = Extract<Control, { k: 'pong' }>;
type Moved = Extract<Control, { k: 'moved' | 'unmoved' }>;

interface Asking {
  readonly asked: Show;
  resolve(shown: Shown | null): void;
  reject(error: unknown): void;
}

export class Hop {
  readonly offer: ShardOffer;
  readonly session: Uint8Array;
  /** Values of a row, as the shard says. */
  readonly width: number;
  /** Rows of a step that it takes. */
  readonly maxRows: number;
  readonly #stream: Session;
  readonly #options: HopOptions;
  /** Who waits for what the shard says; null: it is gone. */
  readonly #pongs = new Map<number, (pong: Pong | null) => void>();
  readonly #linked = new Map<string, (ms: number | null) => void>();
  #moved: ((moved: Moved | null) => void) | null = null;
  /** Resolves when the shard has accounted for all, or its session has ended. */
  readonly #settled = Promise.withResolvers<void>();
  #types: LinkTypes;
  #rttMs: number | null = null;
  #linkMs: number | null = null;
  readonly #ended = Promise.withResolvers<void>();
  #lastPing = 0;
  /** What it was asked to show; one after another. */
  #asking: Asking | null = null;
  #showing: Promise<unknown> = Promise.resolve();
  #gone = false;

  private constructor(
    options: HopOptions,
    stream: Session,
    { width, rows }: Extract<Control, { k: 'ready' }>,
  ) {
    this.#options = options;
    this.#stream = stream;
    this.#types = options.types;
    this.width = width;
    this.maxRows = rows;
    this.offer = options.offer;
    this.session = options.session;
  }

  /** @throws KithError what the peer answers, or why it cannot be reached */
  static async open(options: HopOptions): Promise<Hop> {
    const { swarm, offer, model, cells, session, feeder, donor, last, types, signal } = options;
    const { from, to, peer, addresses } = offer;
    if (addresses.length > 0) await swarm.learn(peer, addresses);
    const opening = encodeOpening({ model, from, to, cells, session, feeder, donor, last, types });
    const stream = await swarm.openSession(peer, SHARD_METHOD, opening, {
      signal,
      caps: { maxPayloadBytes: SHARD_BOUNDS.payloadBytes, maxMetadataBytes: SHARD_BOUNDS.metadataBytes },
    });
    try {
      const first = await stream.receive({ signal });
      const control = first === null ? null : decodeControl(first.metadata);
      if (control?.k !== 'ready' || control.width === 0 || control.rows === 0)
        throw new KithError('shard_malformed', 'The shard did not say that it is ready.', { status: 502 });
      const hop = new Hop(options, stream, control);
      void hop.#read();
      return hop;
    } catch (error) {
      stream.cancel();
      throw error;
    }
  }

  get peer(): string {
    return this.offer.peer;
  }

  get gone(): boolean {
    return this.#gone;
  }

  /** Counts what it computes; null for nobody. */
  get work(): UsedWork | null {
    return this.#options.work;
  }

  /** Least round trip to it that was seen, ms; null before the first ping. */
  get rttMs(): number | null {
    return this.#rttMs;
  }

  /** Round trip from it to the next shard, ms, as it says; null when there is none. */
  get linkMs(): number | null {
    return this.#linkMs;
  }

  /** Never rejects: a shard that is gone says so once. */
  async send(metadata: CborMap, payload?: Uint8Array): Promise<void> {
    try {
      await this.#stream.send(metadata, payload);
    } catch (error) {
      this.#leave(error);
    }
  }

  /** True when the shard answers in time, with the last steps that it saw and computed. */
  async ping(ms: number): Promise<Pong | null> {
    const id = ++this.#lastPing;
    if (this.#gone) return null;
    const answered = new Promise<Pong | null>((resolve) => this.#pongs.set(id, resolve));
    const timer = Promise.withResolvers<null>();
    const late = setTimeout(() => timer.resolve(null), ms);
    const begun = this.#options.now();
    try {
      await Promise.race([this.send({ k: 'ping', id }), timer.promise]);
      const pong = await Promise.race([answered, timer.promise]);
      if (pong !== null) this.#rttMs = Math.min(this.#rttMs ?? ms, this.#options.now() - begun);
      return pong;
    } finally {
      clearTimeout(late);
      this.#pongs.delete(id);
    }
  }

  /**
   * Has it show what came and went. Null when it is gone, or says nothing in time.
   * @throws InputError `shard_malformed` when what it shows does not follow the protocol
   */
  show(written: Written, rows: boolean, ms: number): Promise<Shown | null> {
    const turn = this.#showing.then(async () => {
      if (this.#gone) return null;
      const { promise, resolve, reject } = Promise.withResolvers<Shown | null>();
      const asked: Show = { id: ++this.#lastPing, ...written, rows };
      this.#asking = { asked, resolve, reject };
      const late = setTimeout(() => resolve(null), ms);
      try {
        const { metadata, payload } = encodeShow(asked);
        void this.send(metadata, payload);
        return await promise;
      } finally {
        clearTimeout(late);
        this.#asking = null;
      }
    });
    this.#showing = turn.catch(() => {});
    return turn;
  }

  /** Has its rows travel so from now on. */
  async useTypes(types: LinkTypes): Promise<void> {
    if (sameTypes(types, this.#types)) return;
    this.#types = types;
    await this.send({ k: 'types', types: encodeTypes(types) });
  }

  /** Has the shard bring its KV rows to `next`. What it says then; null when it is gone, or says nothing in time. */
  async move(next: Hop, ms: number): Promise<Moved | null> {
    if (this.#gone) return null;
    const { promise, resolve } = Promise.withResolvers<Moved | null>();
    this.#moved = resolve;
    const late = setTimeout(() => resolve(null), ms);
    const { session, offer } = next;
    await this.send({ k: 'move', peer: next.peer, session, addresses: offer.addresses });
    try {
      return await promise;
    } finally {
      clearTimeout(late);
      this.#moved = null;
    }
  }

  /** Has the shard send its rows to the next one. Resolves when the way there stands; false when it does not in time. */
  async link(
    next: Hop,
    { replay, from, ms }: { replay: boolean; from: number; ms: number },
  ): Promise<boolean> {
    if (this.#gone) return false;
    const linked = new Promise<boolean>((resolve) =>
      this.#linked.set(next.peer, (way) => {
        if (way !== null) this.#linkMs = way;
        resolve(way !== null);
      }),
    );
    const timer = Promise.withResolvers<false>();
    const late = setTimeout(() => timer.resolve(false), ms);
    const { session, offer } = next;
    await this.send({ k: 'next', peer: next.peer, session, addresses: offer.addresses, replay, from });
    try {
      return await Promise.race([linked, timer.promise]);
    } finally {
      clearTimeout(late);
      this.#linked.delete(next.peer);
    }
  }

  /** It is used no more. Resolves when its work is signed and its session has ended; the shard has a second for that. */
  async close(): Promise<void> {
    if (this.#gone) return;
    this.#gone = true;
    this.#waitNoMore();
    const timer = Promise.withResolvers<void>();
    const late = setTimeout(timer.resolve, SETTLE_MS);
    try {
      if (this.#options.work === null) return;
      await Promise.race([this.#stream.send({ k: 'settle' }), timer.promise]);
      await Promise.race([this.#settled.promise, timer.promise]);
      // The last signature goes out before the end.
      await this.#stream.end();
      await Promise.race([this.#ended.promise, timer.promise]);
    } catch {
      // It ended by itself: what it did not account for before stays without a receipt.
    } finally {
      clearTimeout(late);
      this.#stream.cancel();
    }
  }

  /** Gives the shard up, as if its session had ended. */
  drop(error: unknown): void {
    this.#leave(error);
  }

  async #read(): Promise<void> {
    try {
      const stream = this.#stream;
      // Not `for await`: what a generator adds to each message is waited for by the whole path.
      for (let message = await stream.receive(); message !== null; message = await stream.receive()) {
        if (isAccounting(message.metadata)) this.#account(message.metadata);
        else if (kindOf(message.metadata) === 'rows') this.#rows(message);
        else if (this.#gone) continue;
        else if (kindOf(message.metadata) === 'shown') this.#shown(message);
        else this.#control(decodeControl(message.metadata));
      }
      throw new KithError('swarm_reset', 'The shard ended the session.', { status: 502 });
    } catch (error) {
      this.#leave(error);
    } finally {
      this.#settled.resolve();
      this.#ended.resolve();
    }
  }

  #rows(message: SessionMessage): void {
    if (!this.#gone) this.#options.onRows(message);
    // What comes too late was computed all the same.
    this.#options.work?.got(Number(message.metadata.n), message.payload);
  }

  #account(metadata: CborMap): void {
    const message = decodeAccounting(metadata);
    if (message.k === 'settled') this.#settled.resolve();
    const answer = this.#options.work?.answer(message) ?? null;
    if (answer !== null) this.#stream.send(encodeAccounting(answer)).catch(() => {});
  }

  /** What comes too late is passed over. */
  #shown(message: SessionMessage): void {
    const asking = this.#asking;
    if (asking === null || idOfShown(message.metadata) !== asking.asked.id) return;
    try {
      asking.resolve(decodeShown(message, this.width, asking.asked));
    } catch (error) {
      asking.reject(error);
    }
  }

  #control(control: Control): void {
    if (control.k === 'pong') this.#pongs.get(control.id)?.(control);
    else if (control.k === 'linked') this.#linked.get(control.peer)?.(control.ms);
    else if (control.k === 'fail') this.#options.onFail(this, control);
    else if (control.k === 'leaving') this.#options.onLeaving(this, control.ms);
    else if (control.k === 'moved' || control.k === 'unmoved') this.#moved?.(control);
  }

  #leave(error: unknown): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#stream.cancel();
    this.#waitNoMore();
    this.#options.onGone(this, error);
  }

  /** Nothing that is still waited for comes. */
  #waitNoMore(): void {
    for (const answered of this.#pongs.values()) answered(null);
    for (const linked of this.#linked.values()) linked(null);
    this.#moved?.(null);
    this.#asking?.resolve(null);
  }
}

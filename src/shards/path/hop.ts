/**
 * The owner's end of a session at one shard of a path.
 *
 * @module shards/path/hop
 */
import { type CborMap, KithError } from '../../base/index.ts';
import type { Session, SessionMessage, Swarm } from '../../swarm/index.ts';
import type { BlockSpan } from '../types.ts';
import { type Control, decodeControl } from '../wire/control.ts';
import { encodeOpening, kindOf, type LinkTypes, SHARD_BOUNDS, SHARD_METHOD } from '../wire/messages.ts';

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
  readonly onRows: (message: SessionMessage) => void;
  readonly onFail: (hop: Hop, fail: Extract<Control, { k: 'fail' }>) => void;
  /** The session is over: the shard can no longer be used. Called once, never after `close`. */
  readonly onGone: (hop: Hop, error: unknown) => void;
}

type Pong = Extract<Control, { k: 'pong' }>;

export class Hop {
  readonly offer: ShardOffer;
  readonly session: Uint8Array;
  /** Values of a row, as the shard says. */
  readonly width: number;
  readonly #stream: Session;
  readonly #options: HopOptions;
  readonly #pongs = new Map<number, (pong: Pong) => void>();
  readonly #linked = new Map<string, () => void>();
  #lastPing = 0;
  #gone = false;

  private constructor(options: HopOptions, stream: Session, width: number) {
    this.#options = options;
    this.#stream = stream;
    this.width = width;
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
      if (control?.k !== 'ready' || control.width === 0)
        throw new KithError('shard_malformed', 'The shard did not say that it is ready.', { status: 502 });
      const hop = new Hop(options, stream, control.width);
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
    const answered = new Promise<Pong>((resolve) => this.#pongs.set(id, resolve));
    const timer = Promise.withResolvers<null>();
    const late = setTimeout(() => timer.resolve(null), ms);
    try {
      await Promise.race([this.send({ k: 'ping', id }), timer.promise]);
      return await Promise.race([answered, timer.promise]);
    } finally {
      clearTimeout(late);
      this.#pongs.delete(id);
    }
  }

  /** Has the shard send its rows to the next one. Resolves when the way there stands; false when it does not in time. */
  async link(
    next: Hop,
    { replay, from, ms }: { replay: boolean; from: number; ms: number },
  ): Promise<boolean> {
    const linked = new Promise<true>((resolve) => this.#linked.set(next.peer, () => resolve(true)));
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

  close(): void {
    this.#gone = true;
    this.#stream.cancel();
  }

  /** Gives the shard up, as if its session had ended. */
  drop(error: unknown): void {
    this.#leave(error);
  }

  async #read(): Promise<void> {
    try {
      for await (const message of this.#stream) {
        if (this.#gone) return;
        if (kindOf(message.metadata) === 'rows') this.#options.onRows(message);
        else this.#control(decodeControl(message.metadata));
      }
      throw new KithError('swarm_reset', 'The shard ended the session.', { status: 502 });
    } catch (error) {
      this.#leave(error);
    }
  }

  #control(control: Control): void {
    if (control.k === 'pong') this.#pongs.get(control.id)?.(control);
    else if (control.k === 'linked') this.#linked.get(control.peer)?.();
    else if (control.k === 'fail') this.#options.onFail(this, control);
  }

  #leave(error: unknown): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#stream.cancel();
    this.#options.onGone(this, error);
  }
}

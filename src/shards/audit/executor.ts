/**
 * Computes rows again: at another peer, in a session like any other, or on this machine's own copy of the blocks.
 *
 * @module shards/audit/executor
 */
import { KithError, type Random } from '../../base/index.ts';
import type { CarriedPart, CellLease } from '../../engine/index.ts';
import type { Session, Swarm } from '../../swarm/index.ts';
import type { ShardOffer } from '../path/hop.ts';
import { decodeShown, encodeShow } from '../wire/audit.ts';
import { decodeControl } from '../wire/control.ts';
import {
  decodeRows,
  EXACT,
  encodeOpening,
  encodeStep,
  kindOf,
  SHARD_BOUNDS,
  SHARD_METHOD,
} from '../wire/messages.ts';
import type { Piece } from './trail.ts';

export interface Executor extends AsyncDisposable {
  /** PeerId; null for this node. */
  readonly by: string | null;
  /** Rows of a sequence from position 0 on, in the passes that `pieces` say. Again and again with other rows. */
  compute(pieces: readonly Piece[], hidden: Float32Array): Promise<Float32Array>;
  /** What computes there; empty when it does not say. After `compute`. */
  build(): Promise<string>;
}

const partOf = ({ start, count, each }: Piece): CarriedPart => ({
  start,
  count,
  after: start - 1,
  cells: Int32Array.from({ length: count }, (_, i) => start + i),
  outputs: each ? 'each' : 'all',
});

/** @param lease of as many cells as rows are to be computed; is released with the executor */
export function ownExecutor(lease: CellLease, build: string, width: number, signal: AbortSignal): Executor {
  return {
    by: null,
    async compute(pieces, hidden) {
      const rows = new Float32Array(hidden.length);
      for (const piece of pieces) {
        const [from, to] = [piece.start * width, (piece.start + piece.count) * width];
        rows.set(await lease.step([partOf(piece)], hidden.slice(from, to), signal), from);
      }
      return rows;
    },
    build: async () => build,
    [Symbol.asyncDispose]: () => lease[Symbol.asyncDispose](),
  };
}

export interface PeerExecutorOptions {
  readonly swarm: Pick<Swarm, 'openSession' | 'learn'>;
  readonly model: string;
  readonly offer: ShardOffer;
  readonly cells: number;
  readonly width: number;
  readonly random: Random;
  readonly signal: AbortSignal;
}

/** @throws KithError what the peer answers, or why it cannot be reached */
export async function peerExecutor(options: PeerExecutorOptions): Promise<Executor> {
  const { swarm, model, offer, cells, random, signal } = options;
  const { peer, addresses, from, to } = offer;
  if (addresses.length > 0) await swarm.learn(peer, addresses);
  const session = random.bytes(SHARD_BOUNDS.sessionBytes);
  const stream = await swarm.openSession(
    peer,
    SHARD_METHOD,
    encodeOpening({ model, from, to, cells, session, feeder: null, donor: null, last: true, types: EXACT }),
    {
      signal,
      caps: { maxPayloadBytes: SHARD_BOUNDS.payloadBytes, maxMetadataBytes: SHARD_BOUNDS.metadataBytes },
    },
  );
  try {
    const first = await stream.receive({ signal });
    const ready = first === null ? null : decodeControl(first.metadata);
    if (ready?.k !== 'ready' || ready.width !== options.width)
      throw new KithError('shard_malformed', 'The shard did not say that it is ready.', { status: 502 });
    return new PeerExecutor(options, stream);
  } catch (error) {
    stream.cancel();
    throw error;
  }
}

class PeerExecutor implements Executor {
  readonly #options: PeerExecutorOptions;
  readonly #stream: Session;
  #n = 0;

  constructor(options: PeerExecutorOptions, stream: Session) {
    this.#options = options;
    this.#stream = stream;
  }

  get by(): string {
    return this.#options.offer.peer;
  }

  async compute(pieces: readonly Piece[], hidden: Float32Array): Promise<Float32Array> {
    const { width } = this.#options;
    const rows = new Float32Array(hidden.length);
    for (const piece of pieces) {
      const [from, to] = [piece.start * width, (piece.start + piece.count) * width];
      const n = ++this.#n;
      const { metadata, payload } = encodeStep(
        { n, replay: false, parts: [partOf(piece)], hidden: hidden.subarray(from, to) },
        width,
        EXACT,
      );
      await this.#stream.send(metadata, payload);
      const message = await this.#next('rows');
      const back = decodeRows(message, width, (of) => (of === n ? piece.count : null));
      if (back === null || !back.rows.every(Number.isFinite))
        throw new KithError('shard_malformed', 'The shard sent rows that nobody asked for.', { status: 502 });
      rows.set(back.rows, from);
    }
    return rows;
  }

  async build(): Promise<string> {
    const asked = { id: 1, cells: Int32Array.of(0), steps: Float64Array.of(this.#n), rows: false };
    const { metadata, payload } = encodeShow(asked);
    await this.#stream.send(metadata, payload);
    return decodeShown(await this.#next('shown'), this.#options.width, asked).build;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stream.cancel();
  }

  async #next(kind: 'rows' | 'shown') {
    for (;;) {
      const message = await this.#stream.receive({ signal: this.#options.signal });
      if (message === null)
        throw new KithError('swarm_reset', 'The shard ended the session.', { status: 502 });
      if (kindOf(message.metadata) === kind) return message;
      const control = decodeControl(message.metadata);
      if (control.k === 'fail') throw new KithError(control.code, control.message, { status: 502 });
    }
  }
}

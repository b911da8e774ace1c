/**
 * One session with a peer about the bytes of a model: what it has, its list, sections in a row.
 *
 * @module shards/weights/peer
 */
import { type Clock, KithError } from '../../base/index.ts';
import { type BlockSink, parseTensorList, type Section, type TensorList } from '../../models/index.ts';
import type { Session, SessionMessage, Swarm } from '../../swarm/index.ts';
import {
  checkData,
  decodeHave,
  encodeQuestion,
  type Have,
  malformed,
  TENSORS_METHOD,
  WEIGHT_BOUNDS,
} from './wire.ts';

export interface PeerOptions {
  readonly swarm: Pick<Swarm, 'openSession'>;
  readonly peer: string;
  /** sha256 of the GGUF. */
  readonly model: string;
  readonly signal: AbortSignal;
  readonly clock: Pick<Clock, 'sleep'>;
  /** Ms that an answer may take. */
  readonly stallMs: number;
}

/** A section with its number in the list. */
export interface Numbered {
  readonly index: number;
  readonly section: Section;
}

/** What a peer gives next; sections that were taken and not given come back through `lost`. */
export interface Work {
  next(): Numbered | null;
  lost(one: Numbered): void;
}

interface Asked extends Numbered {
  readonly at: number;
  readonly length: number;
}

export class WeightsOfPeer implements AsyncDisposable {
  readonly peer: string;
  readonly have: Have;
  readonly #session: Session;
  readonly #options: PeerOptions;

  private constructor(options: PeerOptions, session: Session, have: Have) {
    this.peer = options.peer;
    this.#options = options;
    this.#session = session;
    this.have = have;
  }

  static async open(options: PeerOptions): Promise<WeightsOfPeer> {
    const { swarm, peer, model, signal } = options;
    const caps = { maxPayloadBytes: WEIGHT_BOUNDS.listBytes, maxMetadataBytes: WEIGHT_BOUNDS.metadataBytes };
    const session = await swarm.openSession(peer, TENSORS_METHOD, { model }, { signal, caps });
    try {
      const { metadata, payload } = await receive(session, options);
      return new WeightsOfPeer(options, session, decodeHave(metadata, payload));
    } catch (error) {
      session.cancel();
      throw error;
    }
  }

  /** @throws InputError `tensor_list_invalid`, `weights_malformed` for another list than it named */
  async list(): Promise<TensorList> {
    await this.#session.send(encodeQuestion({ k: 'list' }));
    const { metadata, payload } = await receive(this.#session, this.#options);
    if (metadata.k !== 'list') throw malformed('no list came');
    const list = parseTensorList(new TextDecoder().decode(payload));
    if (list.root !== this.have.root || list.model !== this.#options.model)
      throw malformed('the list is another than was named');
    return list;
  }

  /** Gives sections until there is no more work, some questions under way at any time. */
  async fetch(work: Work, sink: BlockSink): Promise<void> {
    const unfinished = new Map<number, Numbered>();
    const asked: Asked[] = [];
    let current: { readonly one: Numbered; readonly at: number } | null = null;
    let sent = 0;
    let answered = 0;
    try {
      for (;;) {
        while (asked.length < WEIGHT_BOUNDS.underWay) {
          if (current === null) {
            const one = work.next();
            if (one === null) break;
            unfinished.set(one.index, one);
            current = { one, at: 0 };
          }
          const { one, at }: { readonly one: Numbered; readonly at: number } = current;
          const length = Math.min(WEIGHT_BOUNDS.chunkBytes, one.section.bytes - at);
          sent += 1;
          await this.#session.send(encodeQuestion({ k: 'get', n: sent, section: one.index, at, length }));
          asked.push({ ...one, at, length });
          current = at + length < one.section.bytes ? { one, at: at + length } : null;
        }
        const next = asked.shift();
        if (next === undefined) return;
        const { metadata, payload } = await receive(this.#session, this.#options);
        answered += 1;
        sink.count(0, payload.length);
        checkData(metadata, payload, answered, next.length);
        const { section, at, length } = next;
        await sink.write(section.offset + at, payload, this.peer);
        if (at + length < section.bytes) continue;
        unfinished.delete(next.index);
      }
    } finally {
      for (const one of unfinished.values()) work.lost(one);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#session.cancel();
  }
}

async function receive(
  session: Session,
  { signal, clock, stallMs, peer }: PeerOptions,
): Promise<SessionMessage> {
  const waited = new AbortController();
  const stalled = new AbortController();
  const watch = clock.sleep(stallMs, waited.signal).then(
    () => stalled.abort(),
    () => {},
  );
  try {
    const message = await session.receive({ signal: AbortSignal.any([signal, stalled.signal]) });
    if (message !== null) return message;
    throw new KithError('swarm_reset', `Peer ${peer} ended the session.`, { status: 502 });
  } catch (error) {
    if (!stalled.signal.aborted) throw error;
    throw new KithError('swarm_timeout', `Peer ${peer} gave nothing for ${stallMs} ms.`, { status: 504 });
  } finally {
    waited.abort();
    await watch;
  }
}

/**
 * Calls and sessions of this node to peers, in the node thread: bounds, deadlines, leaving.
 *
 * @module swarm/thread/calling
 */
import {
  AbortedError,
  type CborMap,
  InputError,
  KithError,
  LimitError,
  systemRandom,
  throwIfAborted,
} from '../../base/index.ts';
import { MAX_METADATA_BYTES, MAX_PAYLOAD_BYTES } from '../frames/format.ts';
import { LANE_METHOD } from '../lane/agreement.ts';
import type { Lanes } from '../lane/lanes.ts';
import { CALL_ID_BYTES, encodeMetadata, encodeRequest, isMethodName } from '../rpc/envelope.ts';
import { fromWireError, type WireError, wayErrors } from '../rpc/errors.ts';
import type { CallOut } from '../rpc/outbound.ts';
import type { CallOptions, Payload, Reply, Session, SessionOptions } from '../types.ts';
import type { Exchanges } from './exchanges.ts';
import { alone, movable, type Post, taken } from './messages.ts';
import { callOnLane, type LaneOpening, openOnLane } from './on-lane.ts';
import type { Serving } from './serving.ts';
import type { Trust } from './trust.ts';

const CALL_MS = 30_000;
const OPEN_MS = 15_000;
/** Payload bytes of calls under way from this node. */
const MAX_OUT_BYTES = 512 * 1024 * 1024;

export interface CallingParts {
  readonly post: Post;
  readonly exchanges: Exchanges;
  readonly serving: Serving;
  readonly trust: Trust;
  /** Null where there are none. */
  readonly lanes: Lanes | null;
  /** Ms on a clock that never goes back. */
  now(): number;
}

export class Calling {
  readonly #post: Post;
  readonly #exchanges: Exchanges;
  readonly #serving: Serving;
  readonly #trust: Trust;
  readonly #lanes: Lanes | null;
  readonly #now: () => number;
  readonly #opening = new Map<number, (error: WireError | null) => void>();
  #outBytes = 0;

  constructor({ post, exchanges, serving, trust, lanes, now }: CallingParts) {
    this.#lanes = lanes;
    this.#now = now;
    this.#post = post;
    this.#exchanges = exchanges;
    this.#serving = serving;
    this.#trust = trust;
  }

  async call(
    peer: string,
    method: string,
    metadata: CborMap,
    payload: Payload | undefined,
    options: CallOptions,
  ): Promise<Reply> {
    const { signal, deadlineMs = CALL_MS, minTier, id = systemRandom.bytes(CALL_ID_BYTES) } = options;
    throwIfAborted(signal);
    const envelope = requestBytes(method, id, metadata);
    const bytes = alone(payload);
    const size = bytes?.length ?? 0;
    this.#mustFit(size);
    await this.#trust.require(peer, minTier);
    this.#exchanges.mustRun();
    return new Promise((resolve, reject) => {
      const begin = this.#now();
      let cancel = () => {};
      const timer = setTimeout(() => leave(fromWireError(wayErrors.timeout(deadlineMs), peer)), deadlineMs);
      const finish = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.#outBytes -= size;
      };
      const leave = (error: Error) => {
        finish();
        cancel();
        reject(error);
      };
      const onAbort = () => leave(new AbortedError(undefined, { cause: signal!.reason }));
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#outBytes += size;
      const call: CallOut = {
        envelope,
        payload: bytes,
        deadlineMs: Math.ceil(deadlineMs),
        maxReplyBytes: Math.min(options.maxReplyBytes ?? MAX_PAYLOAD_BYTES, MAX_PAYLOAD_BYTES),
        done: (metadata, payload) => {
          finish();
          resolve({ metadata, payload });
        },
        failed: (error) => {
          finish();
          reject(fromWireError(error, peer));
        },
      };
      const lane = this.#lanes?.forCalls(peer) ?? null;
      if (lane === null || method === LANE_METHOD) {
        cancel = this.#onStream(peer, call, method !== LANE_METHOD);
        return;
      }
      const mine = { ...call, payload: taken(bytes) };
      cancel = callOnLane(lane, peer, mine, () => {
        const left = Math.max(1, Math.ceil(deadlineMs - (this.#now() - begin)));
        cancel = this.#onStream(peer, { ...mine, deadlineMs: left }, false);
      });
    });
  }

  /** By way of the swarm thread. @returns gives the call up */
  #onStream(peer: string, call: CallOut, counts: boolean): () => void {
    const { envelope, payload, deadlineMs, maxReplyBytes } = call;
    const n = this.#exchanges.number();
    const size = payload?.length ?? 0;
    this.#exchanges.await(n, (message) => {
      if (message.k === 'failed') call.failed(message.error);
      else if (message.k === 'reply') {
        call.done(message.metadata, message.payload);
        if (counts) this.#lanes?.called(peer, size + message.payload.length);
      }
    });
    this.#post({ k: 'call', n, peer, envelope, payload, deadlineMs, maxReplyBytes }, movable(payload));
    return () => this.#exchanges.leave(n);
  }

  async openSession(
    peer: string,
    method: string,
    metadata: CborMap,
    options: SessionOptions,
  ): Promise<Session> {
    const { signal, openMs = OPEN_MS, minTier } = options;
    throwIfAborted(signal);
    const envelope = requestBytes(method, systemRandom.bytes(CALL_ID_BYTES), metadata);
    await this.#trust.require(peer, minTier);
    this.#exchanges.mustRun();
    const { maxPayloadBytes = MAX_PAYLOAD_BYTES, maxMetadataBytes = MAX_METADATA_BYTES } = options.caps ?? {};
    const begin = this.#now();
    const caps = { maxPayloadBytes, maxMetadataBytes };
    const opening = { peer, method, metadata, envelope, caps, openMs, signal };
    // The lane may take half of the time; a stream needs some too.
    const inTime = AbortSignal.timeout(Math.ceil(openMs / 2));
    const lane = await this.#lanes?.forSession(
      peer,
      signal === undefined ? inTime : AbortSignal.any([signal, inTime]),
    );
    const left = Math.max(1, Math.ceil(openMs - (this.#now() - begin)));
    if (lane) return openOnLane(lane.channel, lane.context, { ...opening, openMs: left });
    throwIfAborted(signal);
    this.#exchanges.mustRun();
    return this.#openOnStream({ ...opening, openMs: left });
  }

  #openOnStream({ peer, method, metadata, envelope, caps, openMs, signal }: LaneOpening): Promise<Session> {
    const s = this.#exchanges.number();
    const handle = this.#serving.open(s, peer, method, metadata);
    return new Promise((resolve, reject) => {
      const onAbort = () => this.#post({ k: 'abort', n: s });
      this.#opening.set(s, (error) => {
        this.#opening.delete(s);
        signal?.removeEventListener('abort', onAbort);
        if (error === null) resolve(handle);
        else {
          this.#serving.forget(s);
          reject(
            signal?.aborted
              ? new AbortedError(undefined, { cause: signal.reason })
              : fromWireError(error, peer),
          );
        }
      });
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#post({ k: 'open', s, peer, envelope, caps, openMs });
    });
  }

  /** The session stands, or does not because of the error. */
  opened(s: number, error: WireError | null): void {
    this.#opening.get(s)?.(error);
  }

  /** All openings fail with the error. */
  lose(error: WireError): void {
    for (const opened of [...this.#opening.values()]) opened(error);
  }

  #mustFit(size: number): void {
    if (size > MAX_PAYLOAD_BYTES)
      throw new KithError(
        'swarm_too_large',
        `${size} bytes pass the ${MAX_PAYLOAD_BYTES} of a call. Open a session.`,
        { status: 413 },
      );
    if (this.#outBytes + size > MAX_OUT_BYTES)
      throw new LimitError(
        'swarm.outBytes',
        MAX_OUT_BYTES,
        'Too many bytes of calls are under way. Try again later.',
      );
  }
}

function requestBytes(method: string, id: Uint8Array, metadata: CborMap): Uint8Array {
  if (!isMethodName(method))
    throw new InputError('swarm_method_invalid', `${JSON.stringify(method)} is no name of a method.`);
  if (id.length !== CALL_ID_BYTES)
    throw new InputError(
      'swarm_call_id_invalid',
      `The id of a call has ${CALL_ID_BYTES} bytes, not ${id.length}.`,
    );
  // Judged by itself first, so that the envelope's own bytes never decide.
  for (const _key in metadata) {
    encodeMetadata(metadata);
    break;
  }
  return encodeRequest(method, id, metadata);
}

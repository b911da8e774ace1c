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
import { CALL_ID_BYTES, encodeMetadata, encodeRequest, isMethodName } from '../rpc/envelope.ts';
import { fromWireError, type WireError, wayErrors } from '../rpc/errors.ts';
import type { CallOptions, Payload, Reply, Session, SessionOptions } from '../types.ts';
import type { Exchanges } from './exchanges.ts';
import { alone, movable, type Post } from './messages.ts';
import type { Serving } from './serving.ts';
import type { Trust } from './trust.ts';

const CALL_MS = 30_000;
const OPEN_MS = 15_000;
/** Payload bytes of calls under way from this node. */
const MAX_OUT_BYTES = 512 * 1024 * 1024;

export class Calling {
  readonly #post: Post;
  readonly #exchanges: Exchanges;
  readonly #serving: Serving;
  readonly #trust: Trust;
  readonly #opening = new Map<number, (error: WireError | null) => void>();
  #outBytes = 0;

  constructor(post: Post, exchanges: Exchanges, serving: Serving, trust: Trust) {
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
      const n = this.#exchanges.number();
      const timer = setTimeout(() => leave(fromWireError(wayErrors.timeout(deadlineMs), peer)), deadlineMs);
      const finish = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.#outBytes -= size;
      };
      const leave = (error: Error) => {
        finish();
        this.#exchanges.leave(n);
        reject(error);
      };
      const onAbort = () => leave(new AbortedError(undefined, { cause: signal!.reason }));
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#outBytes += size;
      this.#exchanges.await(n, (message) => {
        finish();
        if (message.k === 'reply') resolve({ metadata: message.metadata, payload: message.payload });
        else if (message.k === 'failed') reject(fromWireError(message.error, peer));
      });
      const maxReplyBytes = Math.min(options.maxReplyBytes ?? MAX_PAYLOAD_BYTES, MAX_PAYLOAD_BYTES);
      this.#post(
        { k: 'call', n, peer, envelope, payload: bytes, deadlineMs: Math.ceil(deadlineMs), maxReplyBytes },
        movable(bytes),
      );
    });
  }

  async openSession(
    peer: string,
    method: string,
    metadata: CborMap,
    options: SessionOptions,
  ): Promise<Session> {
    const { signal, openMs = OPEN_MS, minTier, caps = {} } = options;
    throwIfAborted(signal);
    const envelope = requestBytes(method, systemRandom.bytes(CALL_ID_BYTES), metadata);
    await this.#trust.require(peer, minTier);
    this.#exchanges.mustRun();
    const s = this.#exchanges.number();
    const handle = this.#serving.open(s, peer, method, metadata);
    const { maxPayloadBytes = MAX_PAYLOAD_BYTES, maxMetadataBytes = MAX_METADATA_BYTES } = caps;
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
      this.#post({ k: 'open', s, peer, envelope, caps: { maxPayloadBytes, maxMetadataBytes }, openMs });
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
  encodeMetadata(metadata);
  return encodeRequest(method, id, metadata);
}

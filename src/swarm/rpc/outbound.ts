/**
 * A stream that this node opened to a peer for calls, any number side by side.
 *
 * @module swarm/rpc/outbound
 */
import type { CborMap } from '../../base/index.ts';
import { FRAME, FrameFault, type FrameHeader } from '../frames/format.ts';
import type { Channel } from './channel.ts';
import { decodeMetadata } from './envelope.ts';
import { decodeWireError, refusals, type WireError, wayErrors } from './errors.ts';
import { FramedStream, type StreamContext, type StreamSink } from './framed-stream.ts';

export interface CallOut {
  /** Encoded request envelope. */
  readonly envelope: Uint8Array;
  readonly payload: Uint8Array | undefined;
  /** Ms left, 0 for none. */
  readonly deadlineMs: number;
  readonly maxReplyBytes: number;
  done(metadata: CborMap, payload: Uint8Array): void;
  /** `reset` when the link broke and the call may be asked again with the same id. */
  failed(error: WireError): void;
}

export class OutboundStream implements StreamSink {
  readonly #context: StreamContext;
  readonly #stream: FramedStream;
  readonly #calls = new Map<number, CallOut>();
  readonly #pings = new Map<string, { resolve(): void; reject(error: Error): void }>();
  readonly #gone: () => void;
  #lastId = 0;
  #pingCount = 0;
  /** Ms, monotonic, since the last call ended. */
  idleSince: number;
  readonly #now: () => number;
  #failure: WireError | null = null;
  #replyHeld = 0;

  constructor(channel: Channel, peer: string, context: StreamContext, now: () => number, gone: () => void) {
    this.#context = context;
    this.#now = now;
    this.idleSince = now();
    this.#gone = gone;
    this.#stream = new FramedStream(channel, peer, context, this);
  }

  get open(): boolean {
    return this.#stream.open;
  }

  get load(): number {
    return this.#calls.size + this.#pings.size;
  }

  get queuedBytes(): number {
    return this.#stream.queuedBytes;
  }

  /** Starts the call; the function returned cancels it. */
  call(call: CallOut): () => void {
    this.#lastId++;
    const id = this.#lastId;
    this.#calls.set(id, call);
    this.#context.counters.add('callsOut');
    this.#stream.send({ type: FRAME.request, id, argument: call.deadlineMs }, call.envelope, call.payload);
    return () => {
      if (!this.#calls.delete(id)) return;
      this.#stream.send({ type: FRAME.cancel, id });
      this.#idle();
    };
  }

  ping(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.#stream.open) {
        reject(new Error('The link is closed.'));
        return;
      }
      const bytes = new Uint8Array(8);
      new DataView(bytes.buffer).setFloat64(0, ++this.#pingCount);
      this.#pings.set(String(this.#pingCount), { resolve, reject });
      this.#stream.send({ type: FRAME.ping }, undefined, bytes);
    });
  }

  close(): void {
    this.#stream.close();
  }

  onHead(header: FrameHeader, metadata: Uint8Array): 'take' | 'skip' {
    this.#failure = null;
    this.#replyHeld = 0;
    switch (header.type) {
      case FRAME.ping:
      case FRAME.pong:
        return 'take';
      case FRAME.error:
        return this.#known(header) ? 'take' : 'skip';
      case FRAME.response:
        break;
      default:
        throw new FrameFault('protocol', `Type ${header.type} does not answer a call.`);
    }
    if (header.flags !== 0) throw new FrameFault('protocol', 'A session was accepted that nobody opened.');
    const call = this.#known(header);
    if (call === undefined) return 'skip';
    const bytes = header.payloadBytes + metadata.length;
    if (header.payloadBytes > call.maxReplyBytes) {
      this.#failure = refusals.tooLarge(header.payloadBytes, call.maxReplyBytes);
      return 'skip';
    }
    if (!this.#context.gate.budget.reserve(this.#stream.peer, bytes)) {
      this.#failure = {
        ...refusals.busy(''),
        message: 'Too many bytes of peers wait in this node to take the answer.',
      };
      return 'skip';
    }
    this.#replyHeld = bytes;
    return 'take';
  }

  /** The call that a frame answers; undefined when it has been given up. */
  #known(header: FrameHeader): CallOut | undefined {
    if (header.id > this.#lastId) throw new FrameFault('protocol', `There was no request ${header.id}.`);
    return this.#calls.get(header.id);
  }

  onFrame(header: FrameHeader, metadata: Uint8Array, payload: Uint8Array): void {
    if (header.type === FRAME.ping) {
      this.#stream.send({ type: FRAME.pong }, undefined, payload);
      return;
    }
    if (header.type === FRAME.pong) {
      const key = payload.length === 8 ? String(new DataView(payload.buffer).getFloat64(0)) : '';
      const ping = this.#pings.get(key);
      if (ping === undefined) throw new FrameFault('protocol', 'A pong came that nobody asked for.');
      this.#pings.delete(key);
      ping.resolve();
      this.#idle();
      return;
    }
    this.#context.gate.budget.release(this.#stream.peer, this.#replyHeld);
    this.#replyHeld = 0;
    const call = this.#calls.get(header.id);
    if (call === undefined) return;
    this.#calls.delete(header.id);
    this.#idle();
    if (this.#failure !== null) call.failed(this.#failure);
    else if (header.type === FRAME.error) {
      const error = decodeWireError(metadata);
      call.failed(error ?? wayErrors.reset('its error is malformed'));
      if (error === null) throw new FrameFault('garbage', 'An error is malformed.');
    } else {
      let read: CborMap;
      try {
        read = decodeMetadata(metadata);
      } catch (error) {
        call.failed(wayErrors.reset('its answer is malformed'));
        throw error;
      }
      call.done(read, payload);
    }
  }

  onClosed(why: string): void {
    this.#context.gate.budget.release(this.#stream.peer, this.#replyHeld);
    this.#replyHeld = 0;
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const ping of this.#pings.values()) ping.reject(new Error(`The link ended: ${why}`));
    this.#pings.clear();
    this.#gone();
    for (const call of calls) call.failed(wayErrors.reset(why));
  }

  #idle(): void {
    if (this.load === 0) this.idleSince = this.#now();
  }
}

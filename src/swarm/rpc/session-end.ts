/**
 * One end of a session in the swarm thread: order, windows and ends of both directions over its stream.
 *
 * @module swarm/rpc/session-end
 */

import type { CborMap } from '../../base/index.ts';
import {
  FRAME,
  FrameFault,
  type FrameHeader,
  HEADER_BYTES,
  WINDOW_BYTES,
  windowCost,
} from '../frames/format.ts';
import type { ByteBudget } from '../gate/meter.ts';
import { decodeMetadata } from './envelope.ts';
import { decodeWireError, encodeWireError, refusals, type WireError, wayErrors } from './errors.ts';
import type { FramedStream } from './framed-stream.ts';

export interface SessionEvents {
  /** `cost` is to be given back through `consumed`. */
  message(metadata: CborMap, payload: Uint8Array, cost: number): void;
  /** So many bytes that were handed to `send` have left. */
  sent(bytes: number): void;
  /** The other side sends no more. */
  ended(): void;
  /** No more in either direction; null when it ended as it should. Called once. */
  over(error: WireError | null): void;
}

export interface SessionCaps {
  readonly maxPayloadBytes: number;
  readonly maxMetadataBytes: number;
}

interface Outgoing {
  readonly metadata: Uint8Array | undefined;
  readonly payload: Uint8Array | undefined;
  readonly cost: number;
}

/** Grants and reports go out in steps of this size, so that a step of a small session costs none. */
const STEP = WINDOW_BYTES / 4;
const ID = 1;

export class SessionEnd {
  readonly #stream: FramedStream;
  readonly #role: 'opener' | 'acceptor';
  readonly #caps: SessionCaps;
  readonly #budget: ByteBudget;
  readonly #events: SessionEvents;
  readonly #waiting: Outgoing[] = [];
  #over = false;
  #flushing = false;
  #endSent = false;
  #endAsked = false;
  #endReceived = false;
  #sendSequence = 0;
  #receiveSequence = 0;
  /** Sent and not granted; received and not granted; received and held in the budget. */
  #out = 0;
  #in = 0;
  #held = 0;
  #consumed = 0;
  #unreported = 0;

  constructor(
    stream: FramedStream,
    role: 'opener' | 'acceptor',
    caps: SessionCaps,
    budget: ByteBudget,
    events: SessionEvents,
  ) {
    this.#stream = stream;
    this.#role = role;
    this.#caps = caps;
    this.#budget = budget;
    this.#events = events;
  }

  /** @returns false when the session is over and the bytes went nowhere */
  send(metadata: Uint8Array | undefined, payload: Uint8Array | undefined): boolean {
    if (this.#over || this.#endAsked) return false;
    const cost = HEADER_BYTES + (metadata?.length ?? 0) + (payload?.length ?? 0);
    this.#waiting.push({ metadata, payload, cost });
    this.flush();
    return true;
  }

  /** Sends what waits, as far as the window and the stream allow. */
  flush(): void {
    // To send may empty the stream's queue, which calls back here.
    if (this.#flushing) return;
    this.#flushing = true;
    while (
      !this.#over &&
      this.#waiting.length > 0 &&
      this.#out < WINDOW_BYTES &&
      this.#stream.queuedBytes < STEP
    ) {
      const next = this.#waiting.shift()!;
      this.#out += next.cost;
      this.#unreported += next.cost;
      const sequence = this.#sendSequence;
      this.#sendSequence = (sequence + 1) >>> 0;
      this.#stream.send({ type: FRAME.data, id: ID, sequence }, next.metadata, next.payload);
    }
    this.#flushing = false;
    if (this.#unreported >= STEP) {
      this.#events.sent(this.#unreported);
      this.#unreported = 0;
    }
    if (this.#endAsked && !this.#endSent && this.#waiting.length === 0 && !this.#over) {
      this.#endSent = true;
      this.#stream.send({ type: FRAME.end, id: ID });
      if (this.#role === 'acceptor') this.#finish(null);
    }
  }

  end(): void {
    this.#endAsked = true;
    this.flush();
  }

  /** Ends both directions; with an error the other side learns it. */
  cancel(error?: WireError): void {
    if (this.#over) return;
    if (error === undefined) this.#stream.send({ type: FRAME.cancel, id: ID });
    else this.#stream.send({ type: FRAME.error, id: ID }, encodeWireError(error));
    this.#finish(error ?? wayErrors.aborted());
  }

  consumed(bytes: number): void {
    if (this.#over) return;
    this.#held -= bytes;
    this.#budget.release(this.#stream.peer, bytes);
    this.#consumed += bytes;
    if (this.#consumed < STEP) return;
    this.#in -= this.#consumed;
    this.#stream.send({ type: FRAME.window, id: ID, argument: this.#consumed });
    this.#consumed = 0;
  }

  onHead(header: FrameHeader): 'take' | 'skip' {
    if (header.id !== ID) throw new FrameFault('protocol', `A session has no request ${header.id}.`);
    if (header.type !== FRAME.data) return 'take';
    if (this.#over) return 'skip';
    if (this.#endReceived) throw new FrameFault('protocol', 'Data follows the end.');
    if (header.sequence !== this.#receiveSequence)
      throw new FrameFault('protocol', `Data ${header.sequence} came instead of ${this.#receiveSequence}.`);
    if (this.#in >= WINDOW_BYTES) throw new FrameFault('window', 'Data came beyond the window.');
    if (
      header.payloadBytes > this.#caps.maxPayloadBytes ||
      header.metadataBytes > this.#caps.maxMetadataBytes
    ) {
      this.cancel(refusals.tooLarge(header.payloadBytes, this.#caps.maxPayloadBytes));
      return 'skip';
    }
    const cost = windowCost(header);
    if (!this.#budget.reserve(this.#stream.peer, cost)) {
      this.cancel(refusals.busy('too many bytes wait'));
      return 'skip';
    }
    this.#held += cost;
    this.#in += cost;
    this.#receiveSequence = (this.#receiveSequence + 1) >>> 0;
    return 'take';
  }

  onFrame(header: FrameHeader, metadata: Uint8Array, payload: Uint8Array): void {
    if (this.#over) return;
    switch (header.type) {
      case FRAME.data:
        this.#events.message(decodeMetadata(metadata), payload, windowCost(header));
        return;
      case FRAME.window:
        if (header.argument === 0 || header.argument > this.#out)
          throw new FrameFault(
            'protocol',
            `A window of ${header.argument} bytes was granted of ${this.#out}.`,
          );
        this.#out -= header.argument;
        this.flush();
        return;
      case FRAME.end:
        if (this.#endReceived) throw new FrameFault('protocol', 'A second end came.');
        this.#endReceived = true;
        this.#events.ended();
        if (this.#role === 'opener') this.#finish(null);
        return;
      case FRAME.cancel:
        this.#finish(wayErrors.aborted());
        return;
      case FRAME.error: {
        const error = decodeWireError(metadata);
        if (error === null) throw new FrameFault('garbage', 'An error is malformed.');
        this.#finish(error);
        return;
      }
      default:
        throw new FrameFault('protocol', `Type ${header.type} has no place in a session.`);
    }
  }

  onClosed(why: string): void {
    this.#finish(wayErrors.reset(why));
  }

  #finish(error: WireError | null): void {
    if (this.#over) return;
    this.#over = true;
    this.#waiting.length = 0;
    this.#budget.release(this.#stream.peer, this.#held);
    this.#held = 0;
    this.#stream.close();
    this.#events.over(error);
  }
}

/**
 * Frames over one channel, both ways, within bounds: what is read passes the gate's byte bucket (a peer over it is
 * not read from for a while), what is written waits while the stream is full, and a frame that does not end, a reader that
 * does not read, or bytes that are no frame cut the stream and count against the peer.
 *
 * @module swarm/rpc/framed-stream
 */
import { encodeFrame, FrameFault, type FrameHeader, type FrameInit } from '../frames/format.ts';
import { Framer } from '../frames/framer.ts';
import type { Counters } from '../gate/counters.ts';
import type { StreamGate } from '../gate/gate.ts';
import type { Misbehaviour } from '../types.ts';
import type { Channel } from './channel.ts';

export interface StreamLimits {
  /** Ms from the first byte of a frame, or the opening of the stream, to the frame's end; large frames get more. */
  readonly frameMs: number;
  /** Ms a full stream may stay full. */
  readonly stallMs: number;
}
export const STREAM_LIMITS: StreamLimits = { frameMs: 20_000, stallMs: 30_000 };

/** Slowest pace at which a frame may come, bytes a second. */
const LEAST_PACE = 32 * 1024;
/** Time for the other side to end its half. */
const END_MS = 10_000;

export interface StreamContext {
  readonly gate: StreamGate;
  readonly counters: Counters;
  readonly limits: StreamLimits;
}

export interface StreamSink {
  onHead(header: FrameHeader, metadata: Uint8Array): 'take' | 'skip';
  onFrame(header: FrameHeader, metadata: Uint8Array, payload: Uint8Array, skipped: boolean): void;
  /** The stream is over; called once. */
  onClosed(why: string): void;
  /** All that was queued has been handed to the stream. */
  onFlushed?(): void;
}

export class FramedStream {
  readonly peer: string;
  readonly #channel: Channel;
  readonly #context: StreamContext;
  readonly #sink: StreamSink;
  readonly #framer: Framer;
  readonly #queue: { readonly pieces: readonly Uint8Array[]; readonly bytes: number }[] = [];
  #queuedBytes = 0;
  /** Payload of a frame whose head came in what is being read, and whose end did not yet. */
  #begun = 0;
  #open = true;
  #closing = false;
  #frameTimer: NodeJS.Timeout | undefined;
  #stallTimer: NodeJS.Timeout | undefined;
  #pauseTimer: NodeJS.Timeout | undefined;

  constructor(channel: Channel, peer: string, context: StreamContext, sink: StreamSink) {
    this.#channel = channel;
    this.peer = peer;
    this.#context = context;
    this.#sink = sink;
    this.#framer = new Framer({
      onHead: (header, metadata) => {
        const verdict = sink.onHead(header, metadata);
        this.#begun = header.payloadBytes;
        return verdict;
      },
      onFrame: (header, metadata, payload, skipped) => {
        this.#begun = 0;
        context.counters.add('framesIn');
        sink.onFrame(header, metadata, payload, skipped);
      },
    });
    channel.start({
      onData: (data) => this.#read(data),
      onDrain: () => this.#flush(),
      onEnd: () => this.#remoteEnd(),
      onClosed: (why) => this.#over(why),
    });
    if (channel.direction === 'in') this.#moreTime(0);
  }

  get open(): boolean {
    return this.#open && !this.#closing;
  }

  /** Bytes that wait for the stream to take them. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Queues a frame. The payload is not copied: its buffer belongs to the stream from now on. */
  send(frame: FrameInit, metadata?: Uint8Array, payload?: Uint8Array): void {
    if (!this.#open || this.#closing) return;
    this.#context.counters.add('framesOut');
    const pieces = encodeFrame(frame, metadata, payload, this.#channel.joinBytes);
    const bytes = pieces[0]!.length + (pieces[1]?.length ?? 0);
    this.#queue.push({ pieces, bytes });
    this.#queuedBytes += bytes;
    this.#flush();
  }

  /** Ends the stream after what is queued; the other side has ten seconds to end its half. */
  close(): void {
    if (!this.#open || this.#closing) return;
    this.#closing = true;
    this.#flush();
  }

  /** Cuts the stream; a kind counts against the peer. */
  cut(why: string, kind?: Misbehaviour): void {
    if (!this.#open) return;
    this.#framer.stop();
    this.#channel.abort(why);
    this.#over(why);
    if (kind !== undefined) this.#context.gate.strike(this.peer, kind);
  }

  #read(data: Uint8Array | Iterable<Uint8Array>): void {
    if (!this.#open) return;
    let count = 0;
    try {
      if (data instanceof Uint8Array) {
        count = data.length;
        this.#framer.push(data);
      } else
        for (const chunk of data) {
          count += chunk.length;
          this.#framer.push(chunk);
        }
    } catch (error) {
      if (error instanceof FrameFault) this.cut(error.message, error.kind);
      else this.cut('it was not understood', 'protocol');
      return;
    }
    this.#context.counters.add('bytesIn', count);
    if (!this.#open) return;
    // Most frames come whole and need no timer.
    if (!this.#framer.within) this.#stopFrameTimer();
    else if (this.#begun > 0 || this.#frameTimer === undefined) this.#moreTime(this.#begun);
    this.#begun = 0;
    const ms = this.#context.gate.bytes(this.peer, count);
    if (ms > 0) this.#pause(ms);
  }

  #pause(ms: number): void {
    if (this.#pauseTimer !== undefined) return;
    this.#channel.pause();
    this.#pauseTimer = setTimeout(() => {
      this.#pauseTimer = undefined;
      this.#channel.resume();
    }, ms);
  }

  #moreTime(bytes: number): void {
    clearTimeout(this.#frameTimer);
    const ms = this.#context.limits.frameMs + (bytes / LEAST_PACE) * 1000;
    this.#frameTimer = setTimeout(() => this.cut('a frame did not end in time', 'half_open'), ms);
  }

  #stopFrameTimer(): void {
    clearTimeout(this.#frameTimer);
    this.#frameTimer = undefined;
  }

  #flush(): void {
    if (!this.#open) return;
    const channel = this.#channel;
    try {
      while (this.#queue.length > 0 && !channel.full) {
        const { pieces, bytes } = this.#queue.shift()!;
        this.#queuedBytes -= bytes;
        this.#context.counters.add('bytesOut', bytes);
        channel.write(pieces);
      }
    } catch (error) {
      this.cut((error as Error).message);
      return;
    }
    if (channel.full && this.#queue.length + channel.unsent > 0) {
      // Each drain shows that the reader reads: the time starts anew.
      clearTimeout(this.#stallTimer);
      this.#stallTimer = setTimeout(
        () => this.cut('its reader does not read', 'slow_reader'),
        this.#context.limits.stallMs,
      );
    } else {
      clearTimeout(this.#stallTimer);
      this.#stallTimer = undefined;
    }
    if (this.#queue.length === 0) {
      if (this.#closing) this.#finish();
      else this.#sink.onFlushed?.();
    }
  }

  #finish(): void {
    this.#channel.end().catch((error: Error) => this.cut(error.message));
    // Yamux frees a stream only when both halves have ended.
    clearTimeout(this.#frameTimer);
    this.#frameTimer = setTimeout(() => this.cut('the other half did not end'), END_MS);
  }

  /** The other side writes no more. A stream serves as long as both do, so that this ends it. */
  #remoteEnd(): void {
    if (!this.#open) return;
    if (this.#framer.within) this.cut('it ended within a frame', 'half_open');
    else this.close();
  }

  #over(why: string): void {
    if (!this.#open) return;
    this.#open = false;
    clearTimeout(this.#frameTimer);
    clearTimeout(this.#stallTimer);
    clearTimeout(this.#pauseTimer);
    this.#framer.stop();
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    this.#sink.onClosed(why);
  }
}

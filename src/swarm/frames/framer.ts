/**
 * Frames out of a stream of chunks. Each byte is copied once, into a buffer made for its frame after the frame has passed
 * its caps; what is refused is skipped without a buffer.
 *
 * @module swarm/frames/framer
 */
import { decodeHeader, type FrameHeader, HEADER_BYTES } from './format.ts';

export interface FrameSink {
  /** Before the payload is allocated. `skip` drops the payload's bytes; throw a `FrameFault` to end it all. */
  onHead(header: FrameHeader, metadata: Uint8Array): 'take' | 'skip';
  /** The whole frame; an empty payload when it was skipped or has none. Buffers belong to the receiver. */
  onFrame(header: FrameHeader, metadata: Uint8Array, payload: Uint8Array, skipped: boolean): void;
}

const EMPTY = new Uint8Array(0);

export class Framer {
  readonly #sink: FrameSink;
  readonly #headerBytes = new Uint8Array(HEADER_BYTES);
  #header: FrameHeader | null = null;
  #metadata: Uint8Array | null = null;
  #target: Uint8Array = this.#headerBytes;
  #filled = 0;
  #skip = 0;
  #over = false;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** Whether a frame has begun and not ended. */
  get within(): boolean {
    return this.#header !== null || this.#filled > 0;
  }

  /** Takes bytes in pieces of any size. @throws {FrameFault} and then takes no more. */
  push(chunk: Uint8Array): void {
    let at = 0;
    try {
      while (at < chunk.length && !this.#over) at += this.#take(chunk, at);
    } catch (error) {
      this.#over = true;
      throw error;
    }
  }

  /** Takes nothing any more and lets go of its buffers. */
  stop(): void {
    this.#over = true;
    this.#target = EMPTY;
    this.#metadata = null;
  }

  #take(chunk: Uint8Array, at: number): number {
    const left = chunk.length - at;
    if (this.#skip > 0) {
      const count = Math.min(left, this.#skip);
      this.#skip -= count;
      if (this.#skip === 0) this.#emit(EMPTY, true);
      return count;
    }
    const target = this.#target;
    const count = Math.min(left, target.length - this.#filled);
    target.set(at === 0 && count === left ? chunk : chunk.subarray(at, at + count), this.#filled);
    this.#filled += count;
    if (this.#filled === target.length) this.#advance();
    return count;
  }

  /** A part is full: goes on to the next that has bytes. */
  #advance(): void {
    this.#filled = 0;
    if (this.#header === null) {
      this.#header = decodeHeader(this.#headerBytes);
      if (this.#header.metadataBytes > 0) {
        this.#target = new Uint8Array(this.#header.metadataBytes);
        return;
      }
      this.#admit(EMPTY);
    } else if (this.#metadata === null) this.#admit(this.#target);
    else this.#emit(this.#target, false);
  }

  #admit(metadata: Uint8Array): void {
    const header = this.#header!;
    this.#metadata = metadata;
    const verdict = this.#sink.onHead(header, metadata);
    if (this.#over) return;
    if (verdict === 'skip') {
      this.#skip = header.payloadBytes;
      if (this.#skip === 0) this.#emit(EMPTY, true);
    } else if (header.payloadBytes === 0) this.#emit(EMPTY, false);
    else this.#target = new Uint8Array(header.payloadBytes);
  }

  #emit(payload: Uint8Array, skipped: boolean): void {
    const header = this.#header!;
    const metadata = this.#metadata!;
    this.#header = null;
    this.#metadata = null;
    this.#target = this.#headerBytes;
    this.#sink.onFrame(header, metadata, payload, skipped);
  }
}

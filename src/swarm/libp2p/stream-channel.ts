/**
 * A libp2p stream as what frames travel over.
 *
 * @module swarm/libp2p/stream-channel
 */
import type { Stream } from '@libp2p/interface';
import { JOIN_BYTES, MAX_PAYLOAD_BYTES } from '../frames/format.ts';
import type { Channel, ChannelEvents } from '../rpc/channel.ts';

/** More than the muxer's largest window: a stream that is not read from for a while must not break. */
const READ_BUFFER_BYTES = 9 * 1024 * 1024;
const WRITE_BUFFER_BYTES = MAX_PAYLOAD_BYTES + 1024 * 1024;
const END_MS = 10_000;

export class StreamChannel implements Channel {
  readonly direction: 'in' | 'out';
  readonly joinBytes = JOIN_BYTES;
  readonly #stream: Stream;

  constructor(stream: Stream) {
    this.#stream = stream;
    this.direction = stream.direction === 'inbound' ? 'in' : 'out';
    stream.maxReadBufferLength = READ_BUFFER_BYTES;
    stream.maxWriteBufferLength = WRITE_BUFFER_BYTES;
  }

  get full(): boolean {
    return this.#stream.writableNeedsDrain;
  }

  get unsent(): number {
    return this.#stream.writeBufferLength;
  }

  start(events: ChannelEvents): void {
    const stream = this.#stream;
    stream.addEventListener('message', ({ data }) => events.onData(data));
    stream.addEventListener('drain', () => events.onDrain());
    stream.addEventListener('close', ({ error }) => events.onClosed(error?.message ?? 'it was closed'));
    stream.addEventListener('remoteCloseWrite', () => events.onEnd());
    // Events that fired before this came to listen do not fire again.
    if (stream.status !== 'open') queueMicrotask(() => events.onClosed('it was closed'));
    else if (stream.remoteWriteStatus === 'closed' && stream.readBufferLength === 0)
      queueMicrotask(() => events.onEnd());
  }

  write(pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) this.#stream.send(piece);
  }

  pause(): void {
    if (this.#stream.readStatus === 'readable') this.#stream.pause();
  }

  resume(): void {
    if (this.#stream.readStatus === 'paused') this.#stream.resume();
  }

  async end(): Promise<void> {
    if (this.#stream.status === 'open') await this.#stream.close({ signal: AbortSignal.timeout(END_MS) });
  }

  abort(why: string): void {
    this.#stream.abort(new Error(why));
  }
}

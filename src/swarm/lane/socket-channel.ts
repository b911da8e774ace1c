/**
 * The socket of a lane as what frames travel over.
 *
 * @module swarm/lane/socket-channel
 */
import type { TLSSocket } from 'node:tls';
import type { Channel, ChannelEvents } from '../rpc/channel.ts';

/** Large payloads are written in parts, so that a drain shows that the reader reads. */
const PART_BYTES = 1024 * 1024;
/** Pieces up to here leave as one record: the socket joins them outside of V8's heap. */
const TOGETHER_BYTES = 64 * 1024;
const KEEP_ALIVE_MS = 30_000;

export class SocketChannel implements Channel {
  readonly direction: 'in' | 'out';
  /** To join larger ones here would give V8 buffers to collect: a fifth of a call's time. */
  readonly joinBytes = 1024;
  readonly #socket: TLSSocket;
  #why = 'it was closed';

  constructor(socket: TLSSocket, direction: 'in' | 'out') {
    this.#socket = socket;
    this.direction = direction;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
  }

  get full(): boolean {
    return this.#socket.writableNeedDrain;
  }

  get unsent(): number {
    return this.#socket.writableLength;
  }

  start(events: ChannelEvents): void {
    const socket = this.#socket;
    socket.on('data', (data) => events.onData(data));
    socket.on('drain', () => events.onDrain());
    socket.on('end', () => events.onEnd());
    socket.on('error', (error) => {
      this.#why = error.message;
    });
    socket.on('close', () => events.onClosed(this.#why));
    // It may have ended before anybody listened.
    if (socket.destroyed) queueMicrotask(() => events.onClosed(this.#why));
  }

  write(pieces: readonly Uint8Array[]): void {
    const socket = this.#socket;
    if (!socket.writable) throw new Error(this.#why);
    const together = pieces.length > 1 && pieces.at(-1)!.length <= TOGETHER_BYTES;
    if (together) socket.cork();
    for (const piece of pieces)
      if (piece.length <= PART_BYTES) socket.write(piece);
      else
        for (let at = 0; at < piece.length; at += PART_BYTES)
          socket.write(piece.subarray(at, at + PART_BYTES));
    if (together) socket.uncork();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  async end(): Promise<void> {
    this.#socket.end();
  }

  abort(why: string): void {
    this.#why = why;
    this.#socket.destroy();
  }
}

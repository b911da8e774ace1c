/**
 * A byte stream that carries frames: the parent's and the engine process's end of the same pipe.
 *
 * @module engine/process/channel
 */

import type { Duplex } from 'node:stream';
import {
  encodeFrame,
  type Frame,
  FrameDecoder,
  type FrameDirection,
  type FrameMeta,
  type FrameTypeName,
} from './frames.ts';

export interface OutgoingFrame {
  readonly type: FrameTypeName;
  readonly id: number;
  readonly end?: boolean;
  readonly meta?: FrameMeta;
  readonly payload?: Uint8Array;
}

export interface ChannelOptions {
  readonly stream: Duplex;
  /** What this end reads. */
  readonly reads: FrameDirection;
  readonly onFrame: (frame: Frame) => void;
  /** Called once. `error` is null when the other side closed the stream between two frames. */
  readonly onClose: (error: Error | null) => void;
  /** What was held back may be sent again: the stream took all that was written. */
  readonly onDrain?: () => void;
}

export interface Channel {
  /** False when the channel is closed: the frame went nowhere. Throws `frame_invalid` for a frame over its caps. */
  send(frame: OutgoingFrame): boolean;
  readonly closed: boolean;
  /** Bytes written that the stream has not taken yet. */
  readonly backlog: number;
  /** Bytes received so far: a sign of life. */
  readonly received: number;
  close(): void;
}

export function openChannel(options: ChannelOptions): Channel {
  const { stream } = options;
  const decoder = new FrameDecoder(options.reads);
  let closed = false;
  let received = 0;

  const finish = (error: Error | null): void => {
    if (closed) return;
    closed = true;
    stream.destroy();
    options.onClose(error);
  };
  stream.on('data', (chunk: Uint8Array) => {
    if (closed) return;
    received += chunk.byteLength;
    try {
      for (const frame of decoder.push(chunk)) {
        options.onFrame(frame);
        if (closed) return;
      }
    } catch (error) {
      finish(error as Error);
    }
  });
  stream.on('end', () => finish(decoder.pending === 0 ? null : new Error('the stream ended inside a frame')));
  stream.on('close', () => finish(null));
  stream.on('error', (error) => finish(error));
  if (options.onDrain !== undefined) stream.on('drain', options.onDrain);

  return {
    send(frame) {
      if (closed) return false;
      const chunks = encodeFrame(frame);
      if (chunks.length > 1) stream.cork();
      for (const chunk of chunks) stream.write(chunk);
      if (chunks.length > 1) stream.uncork();
      return true;
    },
    get closed() {
      return closed;
    },
    get backlog() {
      return stream.writableLength;
    },
    get received() {
      return received;
    },
    close: () => finish(null),
  };
}

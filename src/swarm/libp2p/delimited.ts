/**
 * One message of a stream, behind its length as a varint: read within bounds, and sent.
 *
 * @module swarm/libp2p/delimited
 */
import type { Stream } from '@libp2p/interface';

/** The length that the other side told is over the bound. */
export class TooLong extends Error {
  override readonly name = 'TooLong';
}

/** A length takes no more bytes than this; 2^35 is over every bound. */
const MAX_LENGTH_BYTES = 5;

/**
 * The next message; what follows it is dropped. Chunks are kept as they come, so that a length that is a lie costs nothing.
 *
 * @param reserve told the length before the first byte of the message is kept; false refuses it
 * @throws {TooLong} and other errors: cut, ended early, the signal
 */
export function readDelimited(
  stream: Stream,
  maxBytes: number,
  signal: AbortSignal,
  reserve: (bytes: number) => boolean,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    let length = 0;
    let lengthBytes = 0;
    let known = false;
    let kept = 0;
    const chunks: Uint8Array[] = [];

    const take = (chunk: Uint8Array): void => {
      let at = 0;
      for (; !known && at < chunk.length; at++) {
        if (lengthBytes === MAX_LENGTH_BYTES) throw new TooLong('The length of a message does not end.');
        length += (chunk[at]! & 0x7f) * 2 ** (7 * lengthBytes++);
        known = chunk[at]! < 0x80;
      }
      if (!known) return;
      if (length > maxBytes)
        throw new TooLong(`A message of ${length} bytes passes the limit of ${maxBytes}.`);
      if (kept === 0 && chunks.length === 0 && !reserve(length))
        throw new Error('Too many bytes of peers wait already.');
      const part = chunk.subarray(at, at + length - kept);
      chunks.push(part);
      kept += part.length;
    };
    const onMessage = ({ data }: { readonly data: Uint8Array | Iterable<Uint8Array> }): void => {
      try {
        for (const chunk of data instanceof Uint8Array ? [data] : data) {
          take(chunk);
          if (!known || kept < length) continue;
          finish();
          return;
        }
      } catch (error) {
        fail(error as Error);
      }
    };
    const finish = (): void => {
      leave();
      const out = new Uint8Array(length);
      let at = 0;
      for (const chunk of chunks) {
        out.set(chunk, at);
        at += chunk.length;
      }
      resolve(out);
    };
    const fail = (error: Error): void => {
      leave();
      reject(error);
    };
    const onClose = (event: { readonly error?: Error }): void =>
      fail(event.error ?? new Error('The peer ended the stream without an answer.'));
    const onEnd = (): void => {
      // What came before the end may still wait to be read.
      if (stream.readBufferLength === 0) onClose({});
    };
    const onAbort = (): void => fail(signal.reason as Error);
    const leave = (): void => {
      stream.removeEventListener('message', onMessage as never);
      stream.removeEventListener('close', onClose as never);
      stream.removeEventListener('remoteCloseWrite', onEnd);
      signal.removeEventListener('abort', onAbort);
    };
    stream.addEventListener('message', onMessage as never);
    stream.addEventListener('close', onClose as never);
    stream.addEventListener('remoteCloseWrite', onEnd);
    signal.addEventListener('abort', onAbort);
    // Events that fired before this came to listen do not fire again.
    if (signal.aborted) onAbort();
    else if (stream.status !== 'open') queueMicrotask(() => onClose({}));
    else if (stream.remoteWriteStatus === 'closed') queueMicrotask(onEnd);
  });
}

/** Resolves when the stream has taken the message. */
export async function sendDelimited(stream: Stream, message: Uint8Array, signal: AbortSignal): Promise<void> {
  const out = new Uint8Array(MAX_LENGTH_BYTES + message.length);
  let at = 0;
  let rest = message.length;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) out[at++] = (rest % 128) | 0x80;
  out[at++] = rest;
  out.set(message, at);
  stream.maxWriteBufferLength = Math.max(stream.maxWriteBufferLength ?? 0, out.length + 1024);
  if (!stream.send(out.subarray(0, at + message.length))) await stream.onDrain({ signal });
}

/**
 * A request body as it comes, for those who keep it elsewhere than in memory.
 *
 * @module server/http/body-stream
 */
import type { IncomingMessage } from 'node:http';
import { AbortedError } from '../../base/index.ts';
import { checkEncoding } from './body.ts';

export interface BodyStream {
  /** As the client announced it; null when it did not. */
  readonly bytes: number | null;
  /** Once. Leaving it early leaves the rest unread. @throws AbortedError when the client goes before the end */
  readonly pieces: AsyncIterable<Uint8Array>;
}

/** @param beforeReading lets a client go on that waits to be told so */
export function streamBody(request: IncomingMessage, beforeReading: () => void = () => {}): BodyStream {
  checkEncoding(request);
  const announced = request.headers['content-length'];
  return {
    bytes: announced === undefined ? null : Number(announced),
    pieces: piecesOf(request, beforeReading),
  };
}

async function* piecesOf(request: IncomingMessage, beforeReading: () => void): AsyncGenerator<Uint8Array> {
  beforeReading();
  try {
    // The answer that refuses the rest goes over the same connection.
    for await (const piece of request.iterator({ destroyOnReturn: false })) yield piece as Buffer;
  } catch (cause) {
    throw gone(cause);
  }
  if (!request.complete) throw gone();
}

function gone(cause?: unknown): AbortedError {
  return new AbortedError('The client closed the connection before its request was complete.', { cause });
}

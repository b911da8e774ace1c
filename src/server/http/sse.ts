/**
 * Server-sent events: encoding and a writer that waits for slow readers, within a bound.
 *
 * @module server/http/sse
 */
import type { ServerResponse } from 'node:http';
import { AbortedError } from '../../base/index.ts';

/** One event with one `data:` line. JSON has no raw line breaks, so one line is always enough. */
export function encodeEvent(data: unknown): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

/** The event that ends a stream of the OpenAI API. */
export const doneEvent = 'data: [DONE]\n\n';

/** A comment: ignored by clients, keeps proxies from closing a quiet stream. */
export const pingComment = ': ping\n\n';

/**
 * Writes text; null when there is nothing to wait for, else a promise that resolves when the socket's buffer, which is
 * full, has drained. A reader that lets it stay full for `slowReaderMs` is cut off. Throws and rejects with `AbortedError`
 * when the client has gone.
 */
export function writeText(
  response: ServerResponse,
  text: string,
  slowReaderMs: number,
): Promise<void> | null {
  if (response.destroyed || response.writableEnded) throw new AbortedError();
  if (response.write(text)) return null;
  return new Promise<void>((resolve, reject) => {
    const settle = (error?: Error) => {
      clearTimeout(timer);
      response.off('drain', onDrain);
      response.off('close', onClose);
      if (error) reject(error);
      else resolve();
    };
    const onDrain = () => settle();
    const onClose = () => settle(new AbortedError());
    const timer = setTimeout(() => {
      response.destroy();
      settle(
        new AbortedError(
          `The client read nothing for ${slowReaderMs} ms (limit slowReaderMs) and was cut off.`,
        ),
      );
    }, slowReaderMs);
    response.on('drain', onDrain);
    response.on('close', onClose);
  });
}

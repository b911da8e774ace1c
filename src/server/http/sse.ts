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
 * Writes text and, when the socket's buffer is full, waits until it drains. A reader that lets it stay full for
 * `slowReaderMs` is cut off. Throws `AbortedError` when the client has gone.
 */
export async function writeText(response: ServerResponse, text: string, slowReaderMs: number): Promise<void> {
  if (response.destroyed || response.writableEnded) throw new AbortedError();
  if (response.write(text)) return;
  await new Promise<void>((resolve, reject) => {
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

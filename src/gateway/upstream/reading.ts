/**
 * Reading an answer that is a stream: its events, and what is left after the last that matters.
 *
 * @module gateway/upstream/reading
 */
import { badResponse, UpstreamError } from './errors.ts';
import type { Exchange } from './exchange.ts';
import type { SseFrame, SseReader } from './sse.ts';

/** A server that answered but does not end its stream is given this, so that the connection can be kept. */
const lingerMs = 500;

/** Events in the order sent. Throws `UpstreamError` or `AbortedError`. */
export async function* batches(
  exchange: Exchange,
  reader: SseReader,
  server: string,
): AsyncGenerator<readonly SseFrame[]> {
  try {
    for (;;) {
      const next = exchange.read();
      const chunk = next instanceof Promise ? await next : next;
      if (chunk === null) break;
      const frames = reader.push(chunk);
      if (frames.length > 0) yield frames;
    }
    const { frames, inLine } = reader.end();
    if (frames.length > 0) yield frames;
    if (inLine)
      throw new UpstreamError('cut', 'upstream_cut', `${server} ended its answer in the middle of a line.`);
    if (reader.events === 0)
      throw badResponse('upstream_empty', server, 'answered with a stream that holds no event.');
  } catch (error) {
    if (error instanceof Error) exchange.refuse(error);
    throw error;
  }
}

/** Reads what is left without looking at it; the connection can be kept when the end comes soon. */
export function linger(exchange: Exchange): void {
  if (exchange.ended) return;
  const timer = setTimeout(() => exchange.abort('the answer was complete'), lingerMs);
  timer.unref();
  const drain = async () => {
    // Bounded by the time above and by maxResponseBytes.
    while ((await exchange.read()) !== null);
  };
  drain()
    .catch(() => {})
    .finally(() => clearTimeout(timer));
}

/**
 * Sends gateway events as server-sent events.
 *
 * Until the first event the status is open, so that an error has its own. If nothing came for `commitMs`, the 200
 * goes out and comments keep the connection alive. An error after that is a `data: {"error":…}` event, and the
 * stream ends without `[DONE]`, so that no client takes it for a whole answer.
 *
 * @module server/openai/stream
 */
import { isKithError, messageOf } from '../../base/index.ts';
import type { ChatEvent } from '../../gateway/index.ts';
import { errorAnswer } from '../http/errors.ts';
import type { Exchange } from '../http/exchange.ts';
import { doneEvent, encodeEvent, pingComment, writeText } from '../http/sse.ts';
import type { ServerContext } from '../types.ts';
import { startHeaders } from './usage.ts';

type StartEvent = Extract<ChatEvent, { type: 'start' }>;

/**
 * @param encode the chunks that one event becomes (possibly none)
 */
export async function sendStream(
  exchange: Exchange,
  context: ServerContext,
  events: AsyncIterable<ChatEvent>,
  encode: (event: ChatEvent) => readonly unknown[],
): Promise<void> {
  const { response } = exchange;
  const { limits, log } = context;
  let lastWrite = context.clock.monotonic();
  const commit = (start?: StartEvent) => {
    if (response.headersSent || response.destroyed) return;
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
      ...(start ? startHeaders(start) : {}),
    });
    response.flushHeaders();
  };
  // When the server ends the request, the client hears it at once; the work may take a moment to notice.
  const onAbort = () => {
    stopTimers();
    if (!response.headersSent || response.destroyed || response.writableEnded) return;
    response.end(encodeEvent(errorAnswer(exchange.signal.reason, exchange.id).body));
  };
  exchange.signal.addEventListener('abort', onAbort);
  const commitTimer = setTimeout(() => commit(), limits.commitMs);
  const pingTimer = setInterval(() => {
    if (!response.headersSent || response.destroyed || response.writableNeedDrain) return;
    if (context.clock.monotonic() - lastWrite < limits.pingMs) return;
    lastWrite = context.clock.monotonic();
    response.write(pingComment);
  }, limits.pingMs);
  const stopTimers = () => {
    clearTimeout(commitTimer);
    clearInterval(pingTimer);
  };
  try {
    for await (const event of events) {
      if (event.type === 'start') commit(event);
      let text = '';
      for (const chunk of encode(event)) text += encodeEvent(chunk);
      if (text === '') continue;
      await writeText(response, text, limits.slowReaderMs);
      lastWrite = context.clock.monotonic();
    }
    await writeText(response, doneEvent, limits.slowReaderMs);
    response.end();
  } catch (error) {
    if (!response.headersSent) throw error;
    if (response.destroyed || response.writableEnded) return;
    // The server's own reason for ending the request says more than the abort it caused.
    const cause = isKithError(exchange.signal.reason) ? exchange.signal.reason : error;
    log.warn('stream failed', { request: `req-${exchange.id}`, err: messageOf(cause) });
    response.end(encodeEvent(errorAnswer(cause, exchange.id).body));
  } finally {
    exchange.signal.removeEventListener('abort', onAbort);
    stopTimers();
  }
}

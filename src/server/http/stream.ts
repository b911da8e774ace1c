/**
 * Sends events, mostly the gateway's, as a stream of text: server-sent events, or lines of JSON.
 *
 * Until the first event the status is open, so that an error has its own. If nothing came for `commitMs`, the 200
 * goes out and comments keep the connection alive. An error after that is written in the encoding's own form, and the
 * stream ends without its usual end, so that no client takes it for a whole answer.
 *
 * @module server/http/stream
 */
import { isKithError, loggedMessageOf } from '../../base/index.ts';
import type { ChatEvent } from '../../gateway/index.ts';
import type { ServerContext } from '../types.ts';
import { errorAnswer, type Fault } from './errors.ts';
import type { Exchange } from './exchange.ts';
import { startHeaders } from './receipt.ts';
import { writeText } from './sse.ts';

type StartEvent = Extract<ChatEvent, { type: 'start' }>;

const isStart = (event: { readonly type: string }): event is StartEvent => event.type === 'start';

/** How one API writes its streams. */
export interface StreamEncoding<Event = ChatEvent> {
  readonly contentType: string;
  /** Text that one event becomes (possibly none). */
  encode(event: Event): string;
  /** Text after the last event. */
  end(): string;
  /** Text that tells of an error after the 200. */
  error(fault: Fault, requestId: string): string;
  /** Written when nothing was for `pingMs`; null where the form has no comments. */
  readonly ping: string | null;
}

export async function sendStream<Event extends { readonly type: string } = ChatEvent>(
  exchange: Exchange,
  context: Pick<ServerContext, 'limits' | 'log' | 'clock'>,
  events: AsyncIterable<Event>,
  encoding: StreamEncoding<Event>,
): Promise<void> {
  const { response } = exchange;
  const { limits, log } = context;
  let lastWrite = context.clock.monotonic();
  const commit = (start?: StartEvent, alone = true) => {
    if (response.headersSent || response.destroyed) return;
    response.writeHead(200, {
      'content-type': encoding.contentType,
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
      ...(start ? startHeaders(start) : {}),
    });
    if (alone) response.flushHeaders();
  };
  const faultText = (error: unknown) => {
    const { fault } = errorAnswer(error, `req-${exchange.id}`);
    exchange.failed(fault.code, fault.limit);
    return encoding.error(fault, `req-${exchange.id}`);
  };
  // When the server ends the request, the client hears it at once; the work may take a moment to notice.
  const onAbort = () => {
    stopTimers();
    if (!response.headersSent || response.destroyed || response.writableEnded) return;
    response.end(faultText(exchange.signal.reason));
  };
  exchange.signal.addEventListener('abort', onAbort);
  const commitTimer = setTimeout(() => commit(), limits.commitMs);
  const { ping } = encoding;
  const pingTimer = setInterval(() => {
    if (ping === null || !response.headersSent || response.destroyed || response.writableNeedDrain) return;
    if (context.clock.monotonic() - lastWrite < limits.pingMs) return;
    lastWrite = context.clock.monotonic();
    response.write(ping);
  }, limits.pingMs);
  const stopTimers = () => {
    clearTimeout(commitTimer);
    clearInterval(pingTimer);
  };
  try {
    for await (const event of events) {
      const text = encoding.encode(event);
      // Headers leave together with what follows them, where something does.
      commit(isStart(event) ? event : undefined, text === '');
      if (text === '') continue;
      const full = writeText(response, text, limits.slowReaderMs);
      if (full !== null) await full;
      lastWrite = context.clock.monotonic();
    }
    const end = encoding.end();
    if (end !== '') await writeText(response, end, limits.slowReaderMs);
    response.end();
  } catch (error) {
    if (!response.headersSent) throw error;
    if (response.destroyed || response.writableEnded) return;
    // The server's own reason for ending the request says more than the abort it caused.
    const cause = isKithError(exchange.signal.reason) ? exchange.signal.reason : error;
    log.warn('stream failed', { request: `req-${exchange.id}`, err: loggedMessageOf(cause) });
    response.end(faultText(cause));
  } finally {
    exchange.signal.removeEventListener('abort', onAbort);
    stopTimers();
  }
}

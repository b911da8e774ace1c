/**
 * `GET /kith/v1/events`: the node's state as server-sent events, for the page.
 *
 * One `status` event on connection, then one when something changed, at most once a second. All readers share one
 * look at the node; without readers nobody looks. A reader that is slow misses states in between, never the latest.
 * A `swarm_message` event tells of a message that came; what it says is for the owner alone. A slow reader misses those,
 * and finds them counted in the next state.
 *
 * @module server/health/events
 */
import type { ServerResponse } from 'node:http';
import { KithError, LimitError, messageOf } from '../../base/index.ts';
import type { Exchange, Handler } from '../http/exchange.ts';
import { pingComment } from '../http/sse.ts';
import type { ServerContext } from '../types.ts';
import { detailedHealthOf, statusWithin } from './health.ts';
import type { DetailedHealth, SwarmMessageEvent } from './types.ts';

export const maxReaders = 32;
const intervalMs = 1_000;
/** Memory and disk move all the time; only a change of this many bytes is news. */
const memoryStep = 16 * 2 ** 20;
const diskStep = 256 * 2 ** 20;

interface Reader {
  readonly response: ServerResponse;
  /** The latest state, while the reader has not taken the one before it. */
  pending: string | null;
  /** When it last took something, monotonic ms. */
  wroteAt: number;
}

export function eventsRoute(context: ServerContext): Handler {
  const { clock, limits, log } = context;
  const readers = new Set<Reader>();
  let latest: { readonly body: DetailedHealth; readonly at: number } | null = null;
  let looking: Promise<DetailedHealth> | null = null;
  /** Ends the watch; null while nobody watches. */
  let watching: AbortController | null = null;

  /** A look that is under way serves everyone. */
  function look(): Promise<DetailedHealth> {
    looking ??= statusWithin(context)
      .then((status) => {
        const body = detailedHealthOf(status);
        latest = { body, at: clock.monotonic() };
        return body;
      })
      .finally(() => {
        looking = null;
      });
    return looking;
  }

  /** So does one that is younger than a second. */
  const recent = async (): Promise<DetailedHealth> =>
    latest !== null && clock.monotonic() - latest.at < intervalMs ? latest.body : await look();

  async function watch(signal: AbortSignal): Promise<void> {
    let shown = latest === null ? '' : newsOf(latest.body);
    for (;;) {
      await clock.sleep(intervalMs, signal);
      let body: DetailedHealth;
      try {
        body = await look();
      } catch (error) {
        // Nobody knows how the node is: readers come again and are told so.
        log.warn('the state of the node is unknown', { err: messageOf(error) });
        watching = null;
        for (const { response } of readers) response.end();
        return;
      }
      const news = newsOf(body);
      const text = news === shown ? null : statusEvent(body);
      shown = news;
      for (const reader of readers) tell(reader, text);
    }
  }

  function tell(reader: Reader, text: string | null): void {
    const { response } = reader;
    // The node is shutting down, and this one has had its last event.
    if (response.writableEnded) return;
    const now = clock.monotonic();
    if (response.writableNeedDrain) {
      reader.pending = text ?? reader.pending;
      if (now - reader.wroteAt > limits.slowReaderMs) response.destroy();
      return;
    }
    const due = text ?? (now - reader.wroteAt >= limits.pingMs ? pingComment : null);
    if (due === null) return;
    reader.wroteAt = now;
    response.write(due);
  }

  function join(reader: Reader): void {
    readers.add(reader);
    if (watching !== null) return;
    watching = new AbortController();
    // It rejects when the last reader has left, and then only.
    watch(watching.signal).catch(() => {});
  }

  function leave(reader: Reader): void {
    readers.delete(reader);
    if (readers.size > 0) return;
    watching?.abort();
    watching = null;
  }

  // It lasts as long as the server: the node closes its swarm after it.
  context.swarm?.onMessage(({ id, from, receivedAt }) => {
    const event: SwarmMessageEvent = { id, from, received_at: new Date(receivedAt).toISOString() };
    const text = `event: swarm_message\ndata: ${JSON.stringify(event)}\n\n`;
    for (const { response } of readers)
      if (!response.writableEnded && !response.writableNeedDrain) response.write(text);
  });

  context.closing.addEventListener('abort', () => {
    // Whoever reads has had a state.
    if (latest === null) return;
    const last = { ...latest.body, status: 'stopping', message: 'The node is shutting down.' } as const;
    for (const { response } of readers) response.end(statusEvent(last));
  });

  let joining = 0;
  return async ({ response, signal }: Exchange): Promise<void> => {
    if (readers.size + joining >= maxReaders) {
      throw new LimitError(
        'events.readers',
        maxReaders,
        `${maxReaders} clients follow the node's state already. Close a page, or try again later.`,
        { status: 503, retryAfter: 10 },
      );
    }
    joining++;
    const body = await recent().finally(() => joining--);
    if (signal.aborted) return;
    if (context.closing.aborted) {
      throw new KithError('stopping', 'This node is shutting down.', { status: 503, retryAfter: 5 });
    }
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
    });
    if (response.req.method === 'HEAD') {
      response.end();
      return;
    }
    const reader: Reader = { response, pending: null, wroteAt: clock.monotonic() };
    response.on('drain', () => {
      const { pending } = reader;
      reader.pending = null;
      reader.wroteAt = clock.monotonic();
      if (pending !== null && !response.writableEnded) response.write(pending);
    });
    response.on('close', () => leave(reader));
    response.write(statusEvent(body));
    join(reader);
  };
}

function statusEvent(body: DetailedHealth): string {
  return `event: status\ndata: ${JSON.stringify(body)}\n\n`;
}

/** What has to change to be worth an event: everything but the passing of time and small moves of memory. */
export function newsOf(body: DetailedHealth): string {
  const { memory, disk } = body;
  const step = (bytes: number | null, size: number) => (bytes === null ? null : Math.round(bytes / size));
  return JSON.stringify({
    ...body,
    uptime_s: 0,
    backends: body.backends.map((backend) => ({ ...backend, latency_ms: null })),
    memory: Object.values(memory).map((bytes) => step(bytes, memoryStep)),
    disk: step(disk.free_bytes, diskStep),
  });
}

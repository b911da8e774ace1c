/** Streams: the first token of many that begin together, and what each chunk costs. @module bench/gateway/streams */
import { eventCounter, openRaw, requestBytes } from '../lib/raw-http.ts';
import { serveSubject } from '../lib/subject.ts';

export interface StreamsAsked {
  readonly port: number;
  readonly model: string;
  /** At once, each on a connection that is open already. */
  readonly streams: number;
  readonly headers: Readonly<Record<string, string>>;
}

export interface StreamsSeen {
  /** ms to the event that carries the first text, one for each stream. */
  readonly firstMs: readonly number[];
  readonly events: number;
  readonly seconds: number;
}

/** Runs in a process of its own, on the core of the others. */
async function together({ port, model, streams, headers }: StreamsAsked): Promise<StreamsSeen> {
  const body = {
    model,
    stream: true,
    stream_options: { include_usage: true },
    messages: [{ role: 'user', content: 'x'.repeat(900) }],
  };
  const request = withHeaders(requestBytes('POST', '/v1/chat/completions', body), headers);
  const open = await Promise.all(Array.from({ length: streams }, () => openRaw(port)));
  let events = 0;
  const began = performance.now();
  const firstMs = await Promise.all(
    open.map(async (connection) => {
      let first = Number.NaN;
      const { status } = await connection.send(
        request,
        eventCounter((index) => {
          events++;
          // The role comes before it.
          if (index === 1) first = performance.now() - began;
        }),
      );
      if (status !== 200) throw new Error(`a stream was answered with ${status}`);
      return first;
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  for (const connection of open) connection.close();
  return { firstMs, events, seconds };
}

/** Leaves each stream after its first bytes. */
async function leave({
  port,
  model,
  streams,
  headers,
  count,
}: StreamsAsked & { count: number }): Promise<number> {
  const body = {
    model,
    stream: true,
    stream_options: { include_usage: true },
    messages: [{ role: 'user', content: 'x'.repeat(900) }],
  };
  const request = withHeaders(requestBytes('POST', '/v1/chat/completions', body), headers);
  let left = count;
  await Promise.all(
    Array.from({ length: streams }, async () => {
      while (left-- > 0) {
        const connection = await openRaw(port);
        await connection.send(request, () => connection.close()).catch(() => {});
      }
    }),
  );
  return count;
}

function withHeaders(request: Buffer, headers: Readonly<Record<string, string>>): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const at = request.indexOf('\r\n') + 2;
  return Buffer.concat([request.subarray(0, at), Buffer.from(lines.join('')), request.subarray(at)]);
}

serveSubject({ together, leave, pid: () => process.pid });

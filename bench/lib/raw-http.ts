/**
 * An HTTP/1.1 client on a bare socket, so that a benchmark measures the server and not its own client: requests are
 * ready-made bytes, answers are cut by length or chunks and not looked into.
 *
 * @module bench/lib/raw-http
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly bodyBytes: number;
}

/** Bytes of a request that keeps its connection open. */
export function requestBytes(method: string, path: string, body?: unknown): Buffer {
  const content = body === undefined ? '' : JSON.stringify(body);
  const type =
    body === undefined
      ? ''
      : `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(content)}\r\n`;
  return Buffer.from(`${method} ${path} HTTP/1.1\r\nhost: localhost\r\n${type}\r\n${content}`);
}

export interface RawConnection {
  /** One request at a time. `onBody` gets the body as it comes, framing of chunks included. */
  send(request: Buffer, onBody?: (bytes: Buffer) => void): Promise<RawAnswer>;
  /** Writes a request and leaves without its answer. */
  abandon(request: Buffer): Promise<void>;
  close(): void;
}

interface Pending {
  readonly onBody: ((bytes: Buffer) => void) | undefined;
  readonly resolve: (answer: RawAnswer) => void;
  readonly reject: (error: Error) => void;
  status: number;
  /** Bytes of the body that are still to come; -1 until the head is read, -2 while chunks come. */
  left: number;
  bodyBytes: number;
}

const lastChunk = Buffer.from('0\r\n\r\n');

/** Connects to a port of this machine. */
export async function openRaw(port: number): Promise<RawConnection> {
  const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  let pending: Pending | null = null;
  /** Head that is not whole yet, or the last bytes of a chunked body (its end may be split). */
  let held: Buffer = Buffer.alloc(0);

  const finish = (request: Pending) => {
    pending = null;
    held = Buffer.alloc(0);
    request.resolve({ status: request.status, bodyBytes: request.bodyBytes });
  };

  function body(request: Pending, bytes: Buffer): void {
    if (bytes.length > 0) request.onBody?.(bytes);
    request.bodyBytes += bytes.length;
    if (request.left >= 0) {
      request.left -= bytes.length;
      if (request.left <= 0) finish(request);
      return;
    }
    // Ends of JSON and events hold a brace or a line feed before it, never a bare "0" line.
    const tail = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
    if (tail.subarray(-lastChunk.length).equals(lastChunk)) finish(request);
    else held = Buffer.from(tail.subarray(-lastChunk.length));
  }

  socket.on('data', (bytes: Buffer) => {
    if (!pending) return;
    if (pending.left !== -1) return body(pending, bytes);
    held = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
    const end = held.indexOf('\r\n\r\n');
    if (end < 0) return;
    const head = held.toString('latin1', 0, end).toLowerCase();
    pending.status = Number(head.slice(9, 12));
    const length = /\r\ncontent-length: (\d+)/.exec(head);
    pending.left = length ? Number(length[1]) : -2;
    const rest = held.subarray(end + 4);
    held = Buffer.alloc(0);
    if (rest.length > 0 || pending.left === 0) body(pending, rest);
  });
  const fail = (error: Error) => {
    const request = pending;
    pending = null;
    request?.reject(error);
  };
  socket.on('error', fail);
  socket.on('close', () => fail(new Error('The server closed the connection.')));

  return {
    send: (request, onBody) =>
      new Promise((resolve, reject) => {
        pending = { onBody, resolve, reject, status: 0, left: -1, bodyBytes: 0 };
        socket.write(request);
      }),
    async abandon(request) {
      await new Promise<void>((resolve) => socket.write(request, () => resolve()));
      socket.destroy();
    },
    close: () => socket.destroy(),
  };
}

/** Counts server-sent events in a body that comes in pieces, framing of chunks included. */
export function eventCounter(onEvent: (index: number) => void): (bytes: Buffer) => void {
  let seen = 0;
  let afterLineFeed = false;
  return (bytes) => {
    for (const byte of bytes) {
      if (byte !== 0x0a) afterLineFeed = false;
      else if (afterLineFeed) {
        onEvent(seen++);
        afterLineFeed = false;
      } else afterLineFeed = true;
    }
  };
}

/**
 * One kept connection: writes one request at a time, and tells its handler of the answer.
 *
 * @module gateway/upstream/wire/connection
 */
import { isIP, type Socket, connect as tcpConnect } from 'node:net';
import { type ConnectionOptions as TlsOptions, connect as tlsConnect } from 'node:tls';
import { AnswerReader, type ReaderSink } from './reader.ts';
import { type AnswerHandler, type Control, type Headers, type Outgoing, WireError } from './types.ts';

export interface Target {
  readonly host: string;
  readonly port: number;
  /** Null for `http:`. */
  readonly tls: Pick<TlsOptions, 'ca' | 'cert' | 'key' | 'servername'> | null;
  /** ms for a connection, its handshake included; null = no limit. */
  readonly connectMs: number | null;
  /** The last session, so that the next handshake is a short one. */
  session: Buffer | null;
}

/** What a connection tells its pool. */
export interface ConnectionEvents {
  /** It carries requests from now on. */
  open(connection: Connection): void;
  /** Its answer is whole, and another request may follow. */
  free(connection: Connection): void;
  /** It is gone; `error`: before it was ever open. */
  gone(connection: Connection, error: Error | null): void;
}

/**
 * All plain connections read into it, one after the other: what is kept of it is copied. A buffer for each read would
 * cost more than all else that is done for a small answer.
 */
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);

/** Bodies up to this are written together with their head, in one piece. */
const joinedBytes = 8 * 1024;
/** Told to the system: whether the other side is still there is asked after so long. */
const probeAfterMs = 60_000;
/** Servers that say how long they keep a connection are believed, less this; others get the default. */
const keepLessMs = 2000;
const keepDefaultMs = 4000;
const keepMaxMs = 600_000;

export class Connection implements Control, ReaderSink {
  readonly #events: ConnectionEvents;
  readonly #socket: Socket;
  readonly #reader = new AnswerReader(this);
  #handler: AnswerHandler | null = null;
  #timer: NodeJS.Timeout | null = null;
  #isOpen = false;
  #isGone = false;
  /** The request of its handler, or some of it. */
  #isWritten = false;
  #rests = false;
  #keeps = true;
  uses = 0;
  paused = false;
  /** ms for which it may lie idle. */
  keepMs = keepDefaultMs;
  /** Monotonic ms, set by the pool. */
  idleSince = 0;

  constructor(target: Target, events: ConnectionEvents) {
    this.#events = events;
    const socket = this.#connect(target);
    this.#socket = socket;
    socket.on('error', (error) => this.#gone(error));
    socket.on('end', this.#onEnd);
    socket.on('close', () => this.#gone(closedByOther()));
    if (target.connectMs === null) return;
    const late = () => this.#gone(new WireError('CONNECT_TIMEOUT', 'There was no connection in time.'));
    this.#timer = setTimeout(late, target.connectMs);
  }

  #connect(target: Target): Socket {
    const { host, port, tls } = target;
    const common = { host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: probeAfterMs };
    if (tls === null) {
      const onread = {
        buffer: readBuffer,
        callback: (bytes: number): boolean => {
          this.#read(readBuffer.subarray(0, bytes), true);
          return true;
        },
      };
      return tcpConnect({ ...common, onread }, this.#onOpen);
    }
    const servername = isIP(host) === 0 ? { servername: host } : {};
    const session = target.session === null ? {} : { session: target.session };
    const socket = tlsConnect(
      { ...common, ALPNProtocols: ['http/1.1'], ...servername, ...session, ...tls },
      this.#onOpen,
    );
    socket.on('session', (next: Buffer) => {
      target.session = next;
    });
    socket.on('data', (bytes: Buffer) => this.#read(bytes, false));
    return socket;
  }

  /**
   * Writes a request; the connection is open and carries none. False: the handler gave it up at once, and nothing was
   * written.
   */
  send({ head, body }: Outgoing, handler: AnswerHandler): boolean {
    const socket = this.#socket;
    this.#handler = handler;
    this.#isWritten = false;
    this.uses++;
    handler.onRequestStart(this);
    // It may have given it up, which no compiler sees.
    if ((this.#handler as AnswerHandler | null) === null) {
      this.uses--;
      return false;
    }
    this.#isWritten = true;
    this.paused = false;
    this.#keeps = true;
    this.#reader.expect();
    if (this.#rests) {
      this.#rests = false;
      socket.ref();
    }
    const text = body === null ? `${head}\r\n` : `${head}content-length: ${body.length}\r\n\r\n`;
    if (body === null) socket.write(text, 'latin1');
    else if (body.length <= joinedBytes) {
      const joined = Buffer.allocUnsafe(text.length + body.length);
      joined.write(text, 'latin1');
      body.copy(joined, text.length);
      socket.write(joined);
    } else {
      socket.cork();
      socket.write(text, 'latin1');
      socket.write(body);
      socket.uncork();
    }
    return true;
  }

  /** It carries nothing, and does not keep the process. */
  rest(): void {
    this.#rests = true;
    this.#socket.unref();
  }

  /** Whoever waits for an answer is told. */
  destroy(error: Error): void {
    this.#gone(error);
  }

  pause(): void {
    if (this.#handler === null || this.paused) return;
    this.paused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (this.#handler === null || !this.paused) return;
    this.paused = false;
    this.#socket.resume();
  }

  abort(): void {
    if (this.#handler === null) return;
    this.#handler = null;
    if (this.#isWritten) this.#gone(closedByOther());
  }

  head(status: number, headers: Headers, keeps: boolean): void {
    this.#keeps = keeps;
    if (keeps) this.keepMs = keepMsOf(headers['keep-alive']);
    this.#handler?.onResponseStart(status, headers);
  }

  data(bytes: Buffer): void {
    this.#handler?.onResponseData(bytes);
  }

  end(more: boolean): void {
    const handler = this.#handler;
    if (handler === null) return;
    this.#handler = null;
    if (this.paused) {
      this.paused = false;
      this.#socket.resume();
    }
    // An answer that came before the request was written is one of a server that does not read on.
    const isFree = this.#keeps && !more && this.keepMs > 0 && this.#socket.writableLength === 0;
    handler.onResponseEnd();
    if (isFree) this.#events.free(this);
    else this.#gone(closedByOther());
  }

  readonly #onOpen = (): void => {
    if (this.#isGone) return;
    this.#isOpen = true;
    this.#stopTimer();
    this.#events.open(this);
  };

  readonly #onEnd = (): void => {
    try {
      this.#reader.close();
    } catch (error) {
      this.#gone(error as Error);
      return;
    }
    this.#gone(closedByOther());
  };

  #read(bytes: Buffer, borrowed: boolean): void {
    if (this.#isGone) return;
    try {
      this.#reader.read(bytes, borrowed);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#gone(error);
    }
  }

  #gone(error: Error): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#stopTimer();
    this.#socket.destroy();
    const handler = this.#handler;
    this.#handler = null;
    this.#events.gone(this, this.#isOpen ? null : error);
    handler?.onResponseError(error);
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

const closedByOther = () => new WireError('OTHER_SIDE_CLOSED', 'The server closed the connection.');

/** Of `keep-alive: timeout=5`; 0 where it may be closed any moment. */
function keepMsOf(header: string | string[] | undefined): number {
  if (typeof header !== 'string') return keepDefaultMs;
  const seconds = /(?:^|[,\s])timeout\s*=\s*(\d{1,9})/i.exec(header)?.[1];
  if (seconds === undefined) return keepDefaultMs;
  return Math.min(keepMaxMs, Math.max(0, Number(seconds) * 1000 - keepLessMs));
}

/**
 * Kept connections to one origin: requests go out on a free one, on a new one, or wait.
 *
 * @module gateway/upstream/wire/pool
 */
import { Connection, type ConnectionEvents, type Target } from './connection.ts';
import { type AnswerHandler, type Outgoing, WireError } from './types.ts';

export interface PoolOptions {
  /** `http:` or `https:`; only its origin counts. */
  readonly origin: URL;
  readonly tls: Target['tls'];
  /** ms for a connection; null = no limit. */
  readonly connectMs: number | null;
  readonly maxConnections: number;
  /** Monotonic ms. */
  readonly now: () => number;
}

interface Waiting {
  readonly request: Outgoing;
  readonly handler: AnswerHandler;
}

/** ms between two looks at idle connections. */
const sweepMs = 1000;

export class Pool implements ConnectionEvents, AsyncDisposable {
  readonly #target: Target;
  readonly #max: number;
  readonly #now: () => number;
  readonly #all = new Set<Connection>();
  /** The one that was used last is used first: those that are not needed grow old. */
  #idle: Connection[] = [];
  readonly #waiting = new Set<Waiting>();
  #connecting = 0;
  #busy = 0;
  #sweep: NodeJS.Timeout | null = null;
  #closed = false;

  constructor({ origin, tls, connectMs, maxConnections, now }: PoolOptions) {
    const secure = origin.protocol === 'https:';
    this.#target = {
      host: origin.hostname.replace(/^\[|\]$/g, ''),
      port: origin.port === '' ? (secure ? 443 : 80) : Number(origin.port),
      tls: secure ? (tls ?? {}) : null,
      connectMs,
      session: null,
    };
    this.#max = maxConnections;
    this.#now = now;
  }

  /** Connections that are open, and requests that are under way or wait for one. */
  get stats(): { readonly open: number; readonly busy: number } {
    return { open: this.#all.size - this.#connecting, busy: this.#busy + this.#waiting.size };
  }

  /** Everything is told to the handler, errors included. */
  dispatch(request: Outgoing, handler: AnswerHandler): void {
    if (this.#closed) {
      handler.onResponseError(closedHere());
      return;
    }
    const connection = this.#fresh();
    const waiting = { request, handler };
    if (connection !== null) {
      this.#next(connection, waiting);
      return;
    }
    this.#waiting.add(waiting);
    handler.onWaiting(() => void this.#waiting.delete(waiting));
    this.#connect();
  }

  open(connection: Connection): void {
    this.#connecting--;
    this.#next(connection);
  }

  free(connection: Connection): void {
    this.#busy--;
    this.#next(connection);
  }

  gone(connection: Connection, error: Error | null): void {
    this.#all.delete(connection);
    if (error !== null) {
      this.#connecting--;
      // Each new connection was for one of those who wait.
      this.#first()?.handler.onResponseError(error);
    } else if (!this.#remove(connection)) this.#busy--;
    if (!this.#closed) this.#connect();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#stopSweep();
    for (let one = this.#first(); one !== undefined; one = this.#first())
      one.handler.onResponseError(closedHere());
    for (const connection of [...this.#all]) connection.destroy(closedHere());
  }

  /** Opens connections for those who wait, as far as there may be more. */
  #connect(): void {
    while (this.#waiting.size > this.#connecting && this.#all.size < this.#max) {
      let connection: Connection;
      try {
        connection = new Connection(this.#target, this);
      } catch (error) {
        // A certificate or key that cannot be read is found only here.
        this.#first()?.handler.onResponseError(error as Error);
        continue;
      }
      this.#connecting++;
      this.#all.add(connection);
    }
  }

  /** Who has waited longest, who waits no more. */
  #first(): Waiting | undefined {
    for (const first of this.#waiting) {
      this.#waiting.delete(first);
      return first;
    }
    return undefined;
  }

  #next(connection: Connection, waiting: Waiting | undefined = this.#first()): void {
    for (let first = waiting; first !== undefined; first = this.#first()) {
      this.#busy++;
      if (connection.send(first.request, first.handler)) return;
      this.#busy--;
    }
    connection.idleSince = this.#now();
    connection.rest();
    this.#idle.push(connection);
    this.#sweep ??= setInterval(() => this.#sweepIdle(), sweepMs).unref();
  }

  /** An idle connection that the server still keeps, as far as can be known. */
  #fresh(): Connection | null {
    for (;;) {
      const connection = this.#idle.pop();
      if (connection === undefined) return null;
      if (this.#now() - connection.idleSince < connection.keepMs) return connection;
      this.#idle.push(connection);
      connection.destroy(tooOld());
    }
  }

  #sweepIdle(): void {
    const now = this.#now();
    for (const connection of [...this.#idle])
      if (now - connection.idleSince >= connection.keepMs) connection.destroy(tooOld());
    if (this.#idle.length === 0) this.#stopSweep();
  }

  #stopSweep(): void {
    if (this.#sweep !== null) clearInterval(this.#sweep);
    this.#sweep = null;
  }

  #remove(connection: Connection): boolean {
    const at = this.#idle.lastIndexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    return at >= 0;
  }
}

const closedHere = () => new WireError('CLOSED_HERE', 'The connections were closed here.');
const tooOld = () => new WireError('CLOSED_HERE', 'The connection was idle for too long.');

/**
 * Requests over kept connections: what goes out, and who is told of what comes back.
 *
 * @module gateway/upstream/wire/types
 */

/** By names in lower case; a name that came more than once has all its values. */
export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** One request, sent once. */
export interface Outgoing {
  /** Request line and headers, each with its line end; without `content-length` and the empty line. See `requestHead`. */
  readonly head: string;
  readonly body: Buffer | null;
}

/** The connection that carries a request, as long as it does. Afterwards none of this has an effect. */
export interface Control {
  readonly paused: boolean;
  /** Requests on this connection so far, this one included. */
  readonly uses: number;
  /** No further bytes are read; those that were may still be given. */
  pause(): void;
  resume(): void;
  /** Destroys the connection: nothing more is told. */
  abort(): void;
}

/**
 * Told of one answer: `onWaiting` where there is no free connection, `onRequestStart`, `onResponseStart`, any number of `onResponseData`, `onResponseEnd`; at any point
 * `onResponseError` may be the last instead. Informational answers (1xx) are not told.
 */
export interface AnswerHandler {
  /** The request waits for a connection. `giveUp` forgets it, body and all: nothing more is told. */
  onWaiting(giveUp: () => void): void;
  /** There is a connection, and the request is about to be written to it. */
  onRequestStart(control: Control): void;
  onResponseStart(status: number, headers: Headers): void;
  /** The bytes are the handler's own. */
  onResponseData(bytes: Buffer): void;
  onResponseEnd(): void;
  onResponseError(error: Error): void;
}

/**
 * - `CONNECT_TIMEOUT`: no connection within the limit
 * - `CLOSED_HERE`: the pool was closed
 * - `OTHER_SIDE_CLOSED`: the server closed the connection before its answer was whole
 * - `INVALID_REQUEST`: the request cannot be written as HTTP/1.1
 * - `HEAD_TOO_LARGE`, `NOT_HTTP`: what the server sent cannot be read
 */
export type WireErrorCode =
  | 'CONNECT_TIMEOUT'
  | 'CLOSED_HERE'
  | 'OTHER_SIDE_CLOSED'
  | 'INVALID_REQUEST'
  | 'HEAD_TOO_LARGE'
  | 'NOT_HTTP';

/** What went wrong on the wire; errors of the system (`ECONNREFUSED`) come as they are. */
export class WireError extends Error {
  override readonly name = 'WireError';
  readonly code: WireErrorCode;

  constructor(code: WireErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

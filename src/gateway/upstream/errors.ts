/**
 * How a request to another server can fail: one error class, and for each failure the class that decides what may be
 * done next (ask again, ask another, ask nobody).
 *
 * @module gateway/upstream/errors
 */
import { AbortedError, KithError, type KithErrorOptions } from '../../base/index.ts';

/**
 * - `connect_failed`: no connection, or it broke before anything was answered: nothing was done there
 * - `timeout_connect`, `timeout_headers`, `timeout_first_token`, `timeout_inter_token`, `timeout_total`: the limit of that
 *   name passed
 * - `rate_limited`: asked too often, see `retryAfterMs`; `server_error`: it failed by itself, or is overloaded
 * - `bad_response`: it answered something that cannot be read; `cut`: the answer ended before it was whole
 * - `auth`: it does not accept the configured credentials, or the account behind them
 * - `bad_request`: it refuses the request as such; `context_length`, `content_filter`: for that reason
 * - `not_supported`: this kind of server cannot do what was asked, and was not asked
 * - `aborted`: the caller went away; never a failure of the server
 */
export type FailureClass =
  | 'connect_failed'
  | 'timeout_connect'
  | 'timeout_headers'
  | 'timeout_first_token'
  | 'timeout_inter_token'
  | 'timeout_total'
  | 'rate_limited'
  | 'server_error'
  | 'bad_response'
  | 'cut'
  | 'auth'
  | 'bad_request'
  | 'context_length'
  | 'content_filter'
  | 'not_supported'
  | 'aborted';

/** Status towards the caller: what went wrong there is a bad gateway here, unless the request itself is at fault. */
const STATUS: Readonly<Record<FailureClass, number>> = {
  connect_failed: 502,
  timeout_connect: 504,
  timeout_headers: 504,
  timeout_first_token: 504,
  timeout_inter_token: 504,
  timeout_total: 504,
  rate_limited: 429,
  server_error: 502,
  bad_response: 502,
  cut: 502,
  auth: 502,
  bad_request: 400,
  context_length: 400,
  content_filter: 400,
  not_supported: 400,
  aborted: 499,
};

export interface UpstreamErrorOptions extends KithErrorOptions {
  /** ms after which the server wants to be asked again; null when it did not say. */
  readonly retryAfterMs?: number | null;
  /** HTTP status that the server answered with; null when it did not come to that. */
  readonly upstreamStatus?: number | null;
  /** What its `x-should-retry` says; null without one. */
  readonly shouldRetry?: boolean | null;
}

/** A failure of another server, or its refusal. `code` is stable; `failure` is what retries and failover go by. */
export class UpstreamError extends KithError {
  override readonly name = 'UpstreamError';
  readonly failure: FailureClass;
  readonly retryAfterMs: number | null;
  readonly upstreamStatus: number | null;
  /** False: the server has tried again by itself and asks not to be asked again. */
  readonly shouldRetry: boolean | null;

  constructor(failure: FailureClass, code: string, message: string, options: UpstreamErrorOptions = {}) {
    const { retryAfterMs = null, upstreamStatus = null, shouldRetry = null, ...rest } = options;
    super(code, message, {
      status: STATUS[failure],
      ...(retryAfterMs === null ? {} : { retryAfter: Math.ceil(retryAfterMs / 1000) }),
      ...rest,
      details: { failure, upstreamStatus, ...rest.details },
    });
    this.failure = failure;
    this.retryAfterMs = retryAfterMs;
    this.upstreamStatus = upstreamStatus;
    this.shouldRetry = shouldRetry;
  }
}

/** Class of anything that a backend threw; null when it is not known as a failure of an upstream. */
export function failureOf(error: unknown): FailureClass | null {
  if (error instanceof UpstreamError) return error.failure;
  return error instanceof AbortedError ? 'aborted' : null;
}

/** `what` the server answered cannot be read or is out of bounds. @param logged `what` without words of the server */
export function badResponse(
  code: string,
  server: string,
  what: string,
  cause?: unknown,
  logged?: string,
): UpstreamError {
  return new UpstreamError('bad_response', code, `${server} ${what}`, {
    ...(cause === undefined ? {} : { cause }),
    ...(logged === undefined ? {} : { logged: `${server} ${logged}` }),
  });
}

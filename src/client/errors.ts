/**
 * What a call can fail with. Every error is a `KithClientError` with a stable `code`, the node it came from where one
 * was reached, and what was tried before.
 *
 * @module client/errors
 */

/** One try at one node that failed. */
export interface FailedAttempt {
  /** Base address of the node. */
  readonly node: string;
  readonly code: string;
  readonly message: string;
}

export interface ErrorFacts {
  /** Base address of the node. */
  readonly node?: string;
  readonly requestId?: string | null;
  /** Seconds after which the same call may succeed. */
  readonly retryAfter?: number | null;
  readonly cause?: unknown;
}

export class KithClientError extends Error {
  override readonly name: string = 'KithClientError';
  readonly code: string;
  readonly node: string | null;
  /** `x-request-id` of the answer: the node's log has more under it. */
  readonly requestId: string | null;
  readonly retryAfter: number | null;
  /** Tries before this one, oldest first. */
  attempts: readonly FailedAttempt[] = [];

  constructor(code: string, message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.node = facts.node ?? null;
    this.requestId = facts.requestId ?? null;
    this.retryAfter = facts.retryAfter ?? null;
  }
}

/** The node answered with an error: its status, code and the field at fault. */
export class ApiError extends KithClientError {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly param: string | null;
  /** False where the node said that the same request would fail again. */
  mayRetry = true;

  constructor(status: number, code: string, message: string, param: string | null, facts: ErrorFacts) {
    super(code, message, facts);
    this.status = status;
    this.param = param;
  }
}

/** `unreachable`: no connection; `connection_lost`: it broke before the answer began. */
export class ConnectionError extends KithClientError {
  override readonly name = 'ConnectionError';
}

export type TimeoutPhase = 'connect' | 'first_token' | 'inter_token' | 'total';

/** `timeout_connect`, `timeout_first_token`, `timeout_inter_token` or `timeout_total`. */
export class TimeoutError extends KithClientError {
  override readonly name = 'TimeoutError';
  readonly phase: TimeoutPhase;
  /** The limit that passed, ms. */
  readonly limitMs: number;

  constructor(phase: TimeoutPhase, limitMs: number, facts: ErrorFacts = {}) {
    super(`timeout_${phase}`, `${WAITED[phase]} within ${limitMs} ms.`, facts);
    this.phase = phase;
    this.limitMs = limitMs;
  }
}

const WAITED: Readonly<Record<TimeoutPhase, string>> = {
  connect: 'The node could not be connected to',
  first_token: 'The answer did not begin',
  inter_token: 'The answer did not go on',
  total: 'The call did not end',
};

/** `stream_cut`: the answer had begun and broke off. What was read before is what there is. */
export class StreamError extends KithClientError {
  override readonly name = 'StreamError';
}

/** `response_malformed` or `response_too_large`: what came back is no answer. */
export class ResponseError extends KithClientError {
  override readonly name = 'ResponseError';
}

/** `no_node`: every node is resting after failures, or busy for longer than may be waited. */
export class NoNodeError extends KithClientError {
  override readonly name = 'NoNodeError';
}

/** `aborted`: the caller's signal fired. Named like the platform's own. */
export class AbortError extends KithClientError {
  override readonly name = 'AbortError';
  constructor(cause?: unknown) {
    super('aborted', 'The call was aborted.', { cause });
  }
}

/**
 * Errors in the shape of Anthropic's API: `{"type":"error","error":{"type","message","details"},"request_id"}`.
 * `details.error_code` is the code that Kith's other APIs give.
 *
 * @module server/anthropic/errors
 */
import type { Fault } from '../http/errors.ts';

/** 529: the API's own status for a server that has more to do than it can. */
const overloadedStatus = 529;

/** Codes of 503 that mean too much work rather than something broken. */
const overloads = new Set(['limit_reached', 'model_loading', 'memory_exhausted']);

/** The engine's limits are shared by all: their 429 is no fault of this caller. A key's own rate stays 429. */
function isOverload({ status, code, limit }: Fault): boolean {
  return (status === 503 && overloads.has(code)) || (status === 429 && limit?.startsWith('engine.') === true);
}

export function anthropicStatus(fault: Fault): number {
  return isOverload(fault) ? overloadedStatus : fault.status;
}

const types: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  408: 'timeout_error',
  409: 'conflict_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
  [overloadedStatus]: 'overloaded_error',
};

export interface AnthropicError {
  readonly type: 'error';
  readonly error: {
    readonly type: string;
    readonly message: string;
    readonly details: { readonly error_code: string };
  };
  readonly request_id: string;
}

export function anthropicError(fault: Fault, requestId: string): AnthropicError {
  const status = anthropicStatus(fault);
  const type = types[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error');
  return {
    type: 'error',
    error: { type, message: fault.message, details: { error_code: fault.code } },
    request_id: requestId,
  };
}

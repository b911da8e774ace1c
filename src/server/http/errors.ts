/**
 * Turns anything thrown into a status, headers and a fault in the client's own words. Each API encodes the fault in its
 * own shape; OpenAI's, `{"error":{"message","type","param","code"}}`, is the one for routes that name no other.
 *
 * @module server/http/errors
 */
import { isKithError, type KithError, LimitError } from '../../base/index.ts';
import { inBodyNames } from './names.ts';

/** What went wrong, as a client may know it. */
export interface Fault {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** Field of the body that is to blame, in the body's words; null when none is. */
  readonly param: string | null;
  /** Name of the limit that was reached, where one was. */
  readonly limit?: string;
}

/** Statuses that say: not now. 529 is Anthropic's for more to do than the server can. */
export const busyStatuses: ReadonlySet<number> = new Set([429, 503, 529]);

export interface ErrorAnswer {
  readonly headers: Readonly<Record<string, string>>;
  readonly fault: Fault;
}

/** The `type` values that OpenAI's clients know. */
function typeOf(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 429) return 'rate_limit_error';
  return status < 500 ? 'invalid_request_error' : 'server_error';
}

export interface OpenAiError {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string | null;
  };
}

export function openAiError({ status, code, message, param }: Fault): OpenAiError {
  return { error: { message, type: typeOf(status), param, code } };
}

function headersOf(error: KithError): Record<string, string> {
  const headers: Record<string, string> = {};
  // What is spent for good has no time at which to come back.
  const never = error.code === 'budget_exceeded' && error.retryAfter === undefined;
  if ((error.status === 429 || error.status === 503) && !never) {
    const seconds = Math.max(1, Math.ceil(error.retryAfter ?? 1));
    headers['retry-after'] = String(seconds);
    headers['retry-after-ms'] = String(seconds * 1000);
  }
  if (error.status === 405 && typeof error.details.allow === 'string') headers.allow = error.details.allow;
  if (error.status === 401 && typeof error.details.challenge === 'string') {
    headers['www-authenticate'] = error.details.challenge;
  }
  if (error.status === 413 || error.status === 408) headers.connection = 'close';
  const passing = error.status === 503 || error.retryAfter !== undefined;
  if (error.code === 'budget_exceeded' || ((error.status === 409 || error.status >= 500) && !passing))
    Object.assign(headers, noRetry);
  return headers;
}

/**
 * Clients of OpenAI and Anthropic repeat every 409 and 5xx twice unless they are told not to. Told so are those that
 * would fail again. A 503 passes: another request may have killed the engine, the model is still being loaded.
 */
const noRetry = { 'x-should-retry': 'false' };

/**
 * Errors that were not made for people (anything but a `KithError`) become a plain 500 that names the request id;
 * what happened stands in the log under that id.
 */
export function errorAnswer(error: unknown, requestId: string): ErrorAnswer {
  if (!isKithError(error)) {
    return {
      headers: noRetry,
      fault: {
        status: 500,
        code: 'internal_error',
        message: `Internal error. The log has the cause under request id ${requestId}.`,
        param: null,
      },
    };
  }
  const status = error.status >= 400 && error.status <= 599 ? error.status : 500;
  const code = error.code === 'limit_reached' && status === 429 ? 'rate_limit_exceeded' : error.code;
  const limit = error instanceof LimitError ? { limit: error.limit } : {};
  return {
    headers: headersOf(error),
    fault: { status, code, ...inBodyNames(error.param, error.message), ...limit },
  };
}

/**
 * Turns anything thrown into the OpenAI error shape: `{"error":{"message","type","param","code"}}`.
 *
 * @module server/http/errors
 */
import { isKithError, type KithError } from '../../base/index.ts';
import { inBodyNames } from './names.ts';

export interface ErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string | null;
  };
}

export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ErrorBody;
}

/** The `type` values that OpenAI's clients know. */
function typeOf(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 429) return 'rate_limit_error';
  return status < 500 ? 'invalid_request_error' : 'server_error';
}

function headersOf(error: KithError): Record<string, string> {
  const headers: Record<string, string> = {};
  if (error.status === 429 || error.status === 503) {
    const seconds = Math.max(1, Math.ceil(error.retryAfter ?? 1));
    headers['retry-after'] = String(seconds);
    headers['retry-after-ms'] = String(seconds * 1000);
  }
  if (error.status === 405 && typeof error.details.allow === 'string') headers.allow = error.details.allow;
  if (error.status === 413 || error.status === 408) headers.connection = 'close';
  return headers;
}

/**
 * Errors that were not made for people (anything but a `KithError`) become a plain 500 that names the request id;
 * what happened stands in the log under that id.
 */
export function errorAnswer(error: unknown, requestId: string): ErrorAnswer {
  if (!isKithError(error)) {
    return {
      status: 500,
      headers: {},
      body: {
        error: {
          message: `Internal error. The log has the cause under request id ${requestId}.`,
          type: 'server_error',
          param: null,
          code: 'internal_error',
        },
      },
    };
  }
  const status = error.status >= 400 && error.status <= 599 ? error.status : 500;
  const code = error.code === 'limit_reached' && status === 429 ? 'rate_limit_exceeded' : error.code;
  const { param, message } = inBodyNames(error.param, error.message);
  return {
    status,
    headers: headersOf(error),
    body: { error: { message, type: typeOf(status), param, code } },
  };
}

/**
 * Errors across the process boundary: a KithError keeps its class, code, message, status and facts; anything else
 * becomes `engine_internal` with the message it had.
 *
 * @module engine/process/failure
 */

import {
  AbortedError,
  InputError,
  KithError,
  type KithErrorOptions,
  LimitError,
  messageOf,
} from '../../base/index.ts';
import type { FrameMeta } from './frames.ts';

const MAX_MESSAGE = 16_000;

type Details = Record<string, string | number | boolean | null>;

/** Meta of a `failure` frame. */
export function encodeFailure(error: unknown): FrameMeta {
  if (!(error instanceof KithError)) {
    return {
      kind: 'KithError',
      code: 'engine_internal',
      message: `The engine failed: ${messageOf(error)}`.slice(0, MAX_MESSAGE),
      status: 500,
    };
  }
  const kind =
    error instanceof LimitError
      ? 'LimitError'
      : error instanceof AbortedError
        ? 'AbortedError'
        : error instanceof InputError
          ? 'InputError'
          : 'KithError';
  return {
    kind,
    code: error.code,
    message: error.message.slice(0, MAX_MESSAGE),
    status: error.status,
    ...(error.param === undefined ? {} : { param: error.param }),
    ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }),
    details: error.details,
  };
}

/** The error that a `failure` frame carries. Never throws: what is missing or of the wrong type gets a default. */
export function decodeFailure(meta: FrameMeta): KithError {
  const code = typeof meta.code === 'string' ? meta.code : 'engine_internal';
  const message = typeof meta.message === 'string' ? meta.message : 'The engine failed without saying why.';
  const details: Details = {};
  if (typeof meta.details === 'object' && meta.details !== null) {
    for (const [key, value] of Object.entries(meta.details)) {
      if (
        value === null ||
        typeof value === 'string' ||
        typeof value === 'number' ||
        typeof value === 'boolean'
      ) {
        details[key] = value;
      }
    }
  }
  const options: KithErrorOptions = {
    status: typeof meta.status === 'number' ? meta.status : 500,
    details,
    ...(typeof meta.param === 'string' ? { param: meta.param } : {}),
    ...(typeof meta.retryAfter === 'number' ? { retryAfter: meta.retryAfter } : {}),
  };
  if (meta.kind === 'LimitError' && typeof details.limit === 'string' && typeof details.value === 'number') {
    return new LimitError(details.limit, details.value, message, options);
  }
  if (meta.kind === 'AbortedError') return new AbortedError(message, options);
  if (meta.kind === 'InputError') return new InputError(code, message, options);
  return new KithError(code, message, options);
}

/**
 * The one error hierarchy. Every failure that a person or client can meet is a `KithError` with a stable
 * `code`, a message that names the value and the remedy, and the HTTP status it has where it crosses HTTP.
 *
 * @module base/errors
 */

export interface KithErrorOptions {
  /** HTTP status where the error crosses HTTP. @default 500 */
  status?: number;
  /** Name of the request field, option or config key that is at fault. */
  param?: string;
  /** Seconds after which the same request may succeed (sent as `retry-after`). */
  retryAfter?: number;
  /** Machine-readable facts: counts, limits, names. Never secrets or prompts. */
  details?: Readonly<Record<string, string | number | boolean | null>>;
  /** The message as a log may have it, where `message` holds words of others: another server's may be a prompt. */
  logged?: string;
  cause?: unknown;
}

export class KithError extends Error {
  override readonly name: string = 'KithError';
  readonly code: string;
  readonly status: number;
  readonly param: string | undefined;
  readonly retryAfter: number | undefined;
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
  readonly #logged: string | undefined;

  constructor(code: string, message: string, options: KithErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = options.status ?? 500;
    this.param = options.param;
    this.retryAfter = options.retryAfter;
    this.details = options.details ?? {};
    this.#logged = options.logged;
  }

  /** The message without words of others. */
  get logged(): string {
    return this.#logged ?? this.message;
  }
}

/** Bad input from outside: status 400. */
export class InputError extends KithError {
  override readonly name = 'InputError';
  constructor(code: string, message: string, options: KithErrorOptions = {}) {
    super(code, message, { status: 400, ...options });
  }
}

/** A named limit was reached: status 429 (retry later) unless stated otherwise. */
export class LimitError extends KithError {
  override readonly name = 'LimitError';
  /** Name of the limit as it stands in the limits table and in config. */
  readonly limit: string;
  readonly value: number;
  constructor(limit: string, value: number, message: string, options: KithErrorOptions = {}) {
    super('limit_reached', message, {
      status: 429,
      ...options,
      details: { limit, value, ...options.details },
    });
    this.limit = limit;
    this.value = value;
  }
}

/** The caller's AbortSignal fired. Never reported as a failure of what was aborted. */
export class AbortedError extends KithError {
  override readonly name = 'AbortedError';
  constructor(message = 'The request was aborted by its caller.', options: KithErrorOptions = {}) {
    super('aborted', message, { status: 499, ...options });
  }
}

export function isKithError(value: unknown): value is KithError {
  return value instanceof KithError;
}

/** Message of anything thrown, for logs and `cause` chains. */
export function messageOf(value: unknown): string {
  return value instanceof Error ? value.message : String(value);
}

/** Quoted, with at least a word in it. */
const quotation = /(["'`])(?:(?!\1).){6,}\1/gs;

/**
 * Message of anything thrown for the log of a request, without what people wrote: errors of the language quote what they
 * could not read.
 */
export function loggedMessageOf(value: unknown): string {
  if (isKithError(value)) return value.logged;
  if (value instanceof SyntaxError) return 'SyntaxError';
  return messageOf(value).slice(0, 1000).replace(quotation, '$1...$1');
}

/** Throws `AbortedError` if the signal has fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AbortedError(undefined, { cause: signal.reason });
}

/**
 * What the pool and a parser's process say to each other. Documents come in batches of bounded size, the next one when it is
 * asked for.
 *
 * @module knowledge/parse/protocol
 */
import { InputError, isKithError, KithError, messageOf } from '../../base/index.ts';
import type { DocumentType, Parsed, ParseLimits, ParseSource } from './types.ts';

export interface ParseJob {
  readonly kind: 'parse';
  readonly id: number;
  readonly source: ParseSource;
  readonly type: DocumentType | undefined;
  readonly limits: ParseLimits;
}

export type ToWorker = ParseJob | { readonly kind: 'more' | 'stop'; readonly id: number };

export interface PlainError {
  readonly code: string;
  readonly message: string;
  readonly status: number;
  readonly details: KithError['details'];
}

export interface Batch {
  readonly kind: 'batch';
  readonly id: number;
  readonly parsed: readonly Parsed[];
  readonly done: boolean;
}

export interface Failed {
  readonly kind: 'failed';
  readonly id: number;
  readonly error: PlainError;
}

export type FromWorker =
  | { readonly kind: 'ready' }
  /** `resident`: bytes of the process. */
  | ((Batch | Failed) & { readonly resident: number });

export function toPlain(thrown: unknown): PlainError {
  if (!isKithError(thrown))
    return { code: 'parse_failed', message: messageOf(thrown).slice(0, 1_000), status: 500, details: {} };
  const { code, message, status, details } = thrown;
  return { code, message, status, details };
}

export function fromPlain({ code, message, status, details }: PlainError): KithError {
  const options = { status, details };
  return status < 500 ? new InputError(code, message, options) : new KithError(code, message, options);
}

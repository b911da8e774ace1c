/**
 * Messages between the text thread's process and its parent. One request is under way at a time.
 *
 * @module engine/text/protocol
 */

import { InputError, isKithError, KithError, LimitError, messageOf } from '../../base/index.ts';
import type { EncodeBounds } from '../tokenizer/index.ts';
import type { EncodeOptions, Prompt } from '../types.ts';
import type { PreparedPrompt, TextInfo } from './model-text.ts';

/** How text becomes tokens, and how many it may become. */
export interface TextOptions extends EncodeOptions, EncodeBounds {}

export type ThreadRequest =
  | {
      readonly op: 'open';
      readonly model: string;
      readonly path: string;
      readonly template: string | undefined;
    }
  | { readonly op: 'close'; readonly model: string }
  | {
      readonly op: 'prepare';
      readonly model: string;
      readonly prompt: Prompt;
      readonly options: TextOptions;
      /** ms since epoch. */
      readonly now: number;
    }
  | {
      readonly op: 'tokenize';
      readonly model: string;
      readonly text: string;
      readonly options: TextOptions;
    }
  /** Goes on with a request that was left. */
  | { readonly op: 'continue'; readonly model: string; readonly ticket: number }
  | {
      readonly op: 'detokenize';
      readonly model: string;
      readonly tokens: Int32Array;
      readonly special: boolean;
    };

export interface ThreadResults {
  open: TextInfo;
  close: null;
  prepare: PreparedPrompt;
  tokenize: Int32Array<ArrayBuffer>;
  detokenize: string;
  continue: PreparedPrompt | Int32Array<ArrayBuffer>;
}

/** The answer to a request that was left for a while, so that others can have their turn. */
export class Paused {
  /** What `continue` is asked with. */
  readonly ticket: number;
  /** Time worked since the request or the last `continue`. */
  readonly ms: number;
  constructor(ticket: number, ms: number) {
    this.ticket = ticket;
    this.ms = ms;
  }
}

/** Sent without a request: nobody wants the rest of that work. No answer comes. */
export interface Forget {
  readonly forget: number;
}

/** A request as it is sent. */
export interface Envelope {
  readonly id: number;
  readonly request: ThreadRequest;
  readonly limitMs: number;
}

/** A `KithError` as it crosses the process boundary. */
export interface PlainError {
  readonly type: 'input' | 'limit' | 'kith';
  readonly code: string;
  readonly message: string;
  readonly status: number;
  readonly param: string | undefined;
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
}

export type ThreadMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'paused'; readonly id: number; readonly ticket: number; readonly ms: number }
  | { readonly kind: 'result'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly error: PlainError };

export function toPlain(thrown: unknown): PlainError {
  if (!isKithError(thrown)) {
    const message = `The text thread failed: ${messageOf(thrown)}`;
    return { type: 'kith', code: 'text_failed', message, status: 500, param: undefined, details: {} };
  }
  const { code, message, status, param, details } = thrown;
  const type = thrown instanceof InputError ? 'input' : thrown instanceof LimitError ? 'limit' : 'kith';
  return { type, code, message, status, param, details };
}

export function fromPlain(error: PlainError): KithError {
  const { type, code, message, status, param, details } = error;
  const options = { status, details, ...(param === undefined ? {} : { param }) };
  if (type === 'limit') return new LimitError(String(details.limit), Number(details.value), message, options);
  return type === 'input' ? new InputError(code, message, options) : new KithError(code, message, options);
}

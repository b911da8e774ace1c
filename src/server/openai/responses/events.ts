/**
 * Turns gateway events into the events of a streamed response. A whole answer is the response in the last of them, so
 * both say the same.
 *
 * @module server/openai/responses/events
 */
import type { ChatEvent, FinishReason } from '../../../gateway/index.ts';
import { type Fault, openAiError } from '../../http/errors.ts';
import { receiptBody } from '../../http/receipt.ts';
import { chatLogprobs } from '../logprobs.ts';
import {
  type ItemStatus,
  type Logprob,
  type OutputItem,
  type Progress,
  type ResponseHead,
  type ResponseObject,
  responseObject,
  type TextPart,
} from './response.ts';

/** `type` names the event; `sequence_number` counts from 0 within the stream. */
export interface StreamEvent {
  readonly type: string;
  readonly sequence_number: number;
  readonly response?: ResponseObject;
  readonly [field: string]: unknown;
}

export interface ResponseEvents {
  /** Events that one event of the gateway becomes (possibly none). */
  of(event: ChatEvent): StreamEvent[];
  /** Events that tell of an error: first one that stops clients, then the response as far as it came. */
  failure(fault: Fault): StreamEvent[];
}

type Open =
  | { readonly type: 'message'; readonly id: string; text: string; readonly logprobs: Logprob[] }
  | {
      readonly type: 'function_call';
      readonly id: string;
      readonly callId: string;
      readonly name: string;
      text: string;
    };

/**
 * @param now s since the epoch
 * @param receipt add the receipt to the last response
 */
export function responseEvents(head: ResponseHead, now: () => number, receipt = false): ResponseEvents {
  const done: OutputItem[] = [];
  let sequence = 0;
  let { model } = head;
  let open: Open | null = null;
  let reason: FinishReason = 'stop';
  let truncated = false;

  const event = (type: string, fields: object): StreamEvent => ({
    type,
    sequence_number: sequence++,
    ...fields,
  });
  const response = (status: Progress['status'], more: Partial<Progress> = {}): ResponseObject =>
    responseObject(head, {
      status,
      model,
      output: [...done],
      completedAt: null,
      usage: null,
      truncated,
      error: null,
      ...more,
    });
  /** Of events about the open item. */
  const place = (item: Open) => ({ item_id: item.id, output_index: done.length });

  function start(item: Open): StreamEvent[] {
    open = item;
    const empty = item.type === 'message' ? { content: [] } : {};
    const added = event('response.output_item.added', {
      output_index: done.length,
      item: { ...itemOf(item, 'in_progress'), ...empty },
    });
    if (item.type !== 'message') return [added];
    return [
      added,
      event('response.content_part.added', { ...place(item), content_index: 0, part: partOf('', []) }),
    ];
  }

  function close(status: ItemStatus): StreamEvent[] {
    if (open === null) return [];
    const item = open;
    const events: StreamEvent[] = [];
    if (item.type === 'message') {
      const { text, logprobs } = item;
      const at = { ...place(item), content_index: 0 };
      events.push(
        event('response.output_text.done', { ...at, text, logprobs }),
        event('response.content_part.done', { ...at, part: partOf(text, logprobs) }),
      );
    } else {
      const { name, text } = item;
      events.push(event('response.function_call_arguments.done', { ...place(item), name, arguments: text }));
    }
    const whole = itemOf(item, item.type === 'function_call' && isObject(item.text) ? 'completed' : status);
    events.push(event('response.output_item.done', { output_index: done.length, item: whole }));
    done.push(whole);
    open = null;
    return events;
  }

  const idOf = (prefix: string) => `${prefix}_${head.id}_${done.length}`;
  const newMessage = () => start({ type: 'message', id: idOf('msg'), text: '', logprobs: [] });

  function text(piece: string, logprobs: Logprob[]): StreamEvent[] {
    if (piece === '' && logprobs.length === 0) return [];
    const events = open?.type === 'message' ? [] : [...close('completed'), ...newMessage()];
    const item = open as Extract<Open, { type: 'message' }>;
    item.text += piece;
    item.logprobs.push(...logprobs);
    const delta = { ...place(item), content_index: 0, delta: piece, logprobs };
    return [...events, event('response.output_text.delta', delta)];
  }

  return {
    of(each) {
      switch (each.type) {
        case 'start':
          model = each.model;
          return ['response.created', 'response.in_progress'].map((type) =>
            event(type, { response: response('in_progress') }),
          );
        case 'text':
          return text(each.text, each.logprobs ? chatLogprobs(each.logprobs).content : []);
        case 'tool_call': {
          const closed = close('completed');
          const id = idOf('fc');
          return [
            ...closed,
            ...start({ type: 'function_call', id, callId: each.id, name: each.name, text: '' }),
          ];
        }
        case 'tool_arguments': {
          if (open?.type !== 'function_call' || each.text === '') return [];
          open.text += each.text;
          return [event('response.function_call_arguments.delta', { ...place(open), delta: each.text })];
        }
        case 'finish': {
          reason = each.reason;
          truncated = each.slidTokens > 0;
          // An answer without a word is an empty message, not nothing at all.
          const events = open === null && done.length === 0 ? newMessage() : [];
          return [...events, ...close(isCut(reason) ? 'incomplete' : 'completed')];
        }
        case 'usage': {
          const status = isCut(reason) ? 'incomplete' : 'completed';
          const completedAt = status === 'completed' ? now() : null;
          const last = response(status, { usage: each, completedAt });
          const kith = receipt ? { kith: receiptBody(each.receipt) } : {};
          return [event(`response.${status}`, { response: { ...last, ...kith } })];
        }
      }
    },
    failure(fault) {
      const { code, message, param } = fault;
      const output = open === null ? [...done] : [...done, itemOf(open, 'incomplete')];
      return [
        // OpenAI's document has the fields in the event itself, its service has them in `error`; clients read either.
        event('error', { code, message, param, ...openAiError(fault) }),
        event('response.failed', {
          response: response('failed', { output, error: { code: errorCode(fault), message } }),
        }),
      ];
    },
  };
}

/** The few codes that a Response may carry; the `error` event has the exact one. */
function errorCode({ status }: Fault): string {
  if (status === 429) return 'rate_limit_exceeded';
  return status < 500 ? 'invalid_prompt' : 'server_error';
}

function isCut(reason: FinishReason): boolean {
  return reason === 'length' || reason === 'aborted';
}

/** An answer may be cut after the arguments of a call were complete. */
function isObject(json: string): boolean {
  try {
    return typeof JSON.parse(json) === 'object';
  } catch {
    return false;
  }
}

function partOf(text: string, logprobs: readonly Logprob[]): TextPart {
  return { type: 'output_text', text, annotations: [], logprobs };
}

function itemOf(item: Open, status: ItemStatus): OutputItem {
  if (item.type === 'message') {
    const { id, type, text, logprobs } = item;
    return { id, type, status, role: 'assistant', content: [partOf(text, logprobs)] };
  }
  const { id, type, callId, name, text } = item;
  return { id, type, status, call_id: callId, name, arguments: text };
}

/**
 * An answer as the events of Anthropic's streams: the message without content, its blocks one after the other, the
 * reason it ended with the usage, the end.
 *
 * @module server/anthropic/stream
 */
import type { ChatEvent } from '../../gateway/index.ts';
import { receiptBody } from '../http/receipt.ts';
import type { StreamEncoding } from '../http/stream.ts';
import { anthropicError } from './errors.ts';
import { messageUsage, type StopReason, stopReason, usageBody } from './usage.ts';

export type Block =
  | { readonly type: 'text'; readonly text: string; readonly citations: null }
  | {
      readonly type: 'tool_use';
      readonly id: string;
      readonly name: string;
      readonly input: unknown;
      readonly caller: { readonly type: 'direct' };
    };

export interface MessageBody {
  readonly id: string;
  readonly type: 'message';
  readonly role: 'assistant';
  readonly model: string;
  readonly content: readonly Block[];
  readonly stop_reason: StopReason | null;
  readonly stop_sequence: string | null;
  readonly stop_details: null;
  readonly container: null;
  readonly diagnostics: null;
  readonly usage: ReturnType<typeof messageUsage>;
}

type Delta =
  | { readonly type: 'text_delta'; readonly text: string }
  | { readonly type: 'input_json_delta'; readonly partial_json: string };

export type MessageEvent =
  | { readonly type: 'message_start'; readonly message: MessageBody }
  | { readonly type: 'content_block_start'; readonly index: number; readonly content_block: Block }
  | { readonly type: 'content_block_delta'; readonly index: number; readonly delta: Delta }
  | { readonly type: 'content_block_stop'; readonly index: number }
  | {
      readonly type: 'message_delta';
      readonly delta: Pick<MessageBody, 'stop_reason' | 'stop_sequence' | 'stop_details' | 'container'>;
      readonly usage: ReturnType<typeof usageBody>;
      readonly kith?: ReturnType<typeof receiptBody>;
    }
  | { readonly type: 'message_stop' };

/** A call's id as this API writes it: clients only send it back. */
const toolUseId = (id: string): string => `toolu_${id.replace(/^call_/, '')}`;

/**
 * What each event of an answer becomes.
 *
 * @param receipt add the receipt to `message_delta`
 */
export function messageEvents(id: string, receipt = false): (event: ChatEvent) => MessageEvent[] {
  let index = -1;
  let open: Block['type'] | null = null;
  let ending: Pick<MessageBody, 'stop_reason' | 'stop_sequence'> = { stop_reason: null, stop_sequence: null };

  const closed = (): MessageEvent[] => {
    if (open === null) return [];
    open = null;
    return [{ type: 'content_block_stop', index }];
  };
  const opened = (block: Block): MessageEvent[] => {
    const events = closed();
    open = block.type;
    events.push({ type: 'content_block_start', index: ++index, content_block: block });
    return events;
  };
  const delta = (value: Delta): MessageEvent => ({ type: 'content_block_delta', index, delta: value });

  return (event) => {
    switch (event.type) {
      case 'start':
        return [{ type: 'message_start', message: emptyMessage(id, event) }];
      case 'text': {
        if (event.text === '') return [];
        const events = open === 'text' ? [] : opened({ type: 'text', text: '', citations: null });
        events.push(delta({ type: 'text_delta', text: event.text }));
        return events;
      }
      case 'tool_call':
        return opened({
          type: 'tool_use',
          id: toolUseId(event.id),
          name: event.name,
          input: {},
          caller: { type: 'direct' },
        });
      case 'tool_arguments':
        return event.text === '' ? [] : [delta({ type: 'input_json_delta', partial_json: event.text })];
      case 'finish': {
        const reason = stopReason(event);
        ending = { stop_reason: reason, stop_sequence: reason === 'stop_sequence' ? event.stop : null };
        return closed();
      }
      case 'usage':
        return [
          {
            type: 'message_delta',
            delta: { ...ending, stop_details: null, container: null },
            usage: usageBody(event),
            ...(receipt ? { kith: receiptBody(event.receipt) } : {}),
          },
          { type: 'message_stop' },
        ];
    }
  };
}

function emptyMessage(id: string, start: Extract<ChatEvent, { type: 'start' }>): MessageBody {
  return {
    id,
    type: 'message',
    role: 'assistant',
    model: start.model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    stop_details: null,
    container: null,
    diagnostics: null,
    // Corrected by message_delta where the prompt is not counted yet.
    usage: messageUsage({
      promptTokens: start.promptTokens ?? null,
      cachedTokens: start.cachedTokens ?? null,
      completionTokens: 0,
    }),
  };
}

const written = (type: string, data: unknown): string => `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;

export function messageEncoding(id: string, receipt: boolean): StreamEncoding {
  const eventsOf = messageEvents(id, receipt);
  return {
    contentType: 'text/event-stream; charset=utf-8',
    encode(event) {
      let text = '';
      for (const each of eventsOf(event)) text += written(each.type, each);
      return text;
    },
    end: () => '',
    error: (fault, requestId) => written('error', anthropicError(fault, requestId)),
    ping: written('ping', { type: 'ping' }),
  };
}

/**
 * `POST /v1/messages` and `POST /v1/messages/count_tokens`.
 *
 * @module server/anthropic/messages
 */
import { InputError } from '../../base/index.ts';
import type { ChatEvent } from '../../gateway/index.ts';
import { type Exchange, sendJson } from '../http/exchange.ts';
import { receiptBody, receiptHeaders } from '../http/receipt.ts';
import { sendStream } from '../http/stream.ts';
import { usageHeaders } from '../http/usage.ts';
import type { ServerContext } from '../types.ts';
import { parseCountTokens, parseMessages } from './request.ts';
import { type MessageEvent, messageEncoding, messageEvents } from './stream.ts';
import { foldMessage } from './whole.ts';

type Origins = readonly (number | null)[];

export function messagesRoute(context: ServerContext) {
  return async (exchange: Exchange): Promise<void> => {
    const body = parseMessages(await exchange.json(), exchange.signal, context.randomSeed);
    const id = `msg_${exchange.id}`;
    const events = told(context.answering.chat(exchange, body.request, body.stream), body.origins);
    if (body.stream) await sendStream(exchange, context, events, messageEncoding(id, body.receipt));
    else await sendWhole(exchange, id, events, body.receipt);
  };
}

async function sendWhole(
  exchange: Exchange,
  id: string,
  events: AsyncIterable<ChatEvent>,
  withReceipt: boolean,
): Promise<void> {
  const eventsOf = messageEvents(id);
  const all: MessageEvent[] = [];
  for await (const event of events) {
    all.push(...eventsOf(event));
    if (event.type !== 'usage') continue;
    const { receipt } = event;
    const body = { ...foldMessage(all), ...(withReceipt ? { kith: receiptBody(receipt) } : {}) };
    const known = event.promptTokens !== null && event.completionTokens !== null;
    sendJson(exchange.response, 200, body, { ...receiptHeaders(receipt), ...usageHeaders(known) });
  }
}

export function countTokensRoute(context: ServerContext) {
  return async (exchange: Exchange): Promise<void> => {
    const { request, origins } = parseCountTokens(await exchange.json(), exchange.signal);
    try {
      sendJson(exchange.response, 200, { input_tokens: await context.gateway.countTokens(request) });
    } catch (error) {
      throw inClientWords(error, origins);
    }
  };
}

/** The events; an error that they end with speaks of the body as the client wrote it. */
async function* told(events: AsyncIterable<ChatEvent>, origins: Origins): AsyncGenerator<ChatEvent> {
  try {
    yield* events;
  } catch (error) {
    throw inClientWords(error, origins);
  }
}

/** The rooms below count the messages they were given and name fields in their own way. */
export function inClientWords(error: unknown, origins: Origins): unknown {
  if (!(error instanceof InputError) || error.param === undefined) return error;
  const { code, message, param, status, details } = error;
  const again = (from: string, to: string) =>
    new InputError(code, message.replaceAll(from, to), {
      status,
      details,
      param: param.replace(from, to),
      cause: error,
    });
  if (param === 'grammar') return again('grammar', 'output_config.format');
  const inside = /^messages\[(\d+)\]/.exec(param);
  if (!inside) return error;
  const origin = origins[Number(inside[1])];
  return again(inside[0], typeof origin === 'number' ? `messages[${origin}]` : 'system');
}

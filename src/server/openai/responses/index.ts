/**
 * `/v1/responses`: answers as items and typed events. No response is stored, so whatever would read an earlier one is a
 * 404 that says so; their items are remembered for a while, so that later requests may refer to them.
 *
 * @module server/openai/responses
 */
import { KithError } from '../../../base/index.ts';
import { type Exchange, type Route, sendJson } from '../../http/exchange.ts';
import { receiptHeaders } from '../../http/receipt.ts';
import { pingComment } from '../../http/sse.ts';
import { type StreamEncoding, sendStream } from '../../http/stream.ts';
import type { ServerContext } from '../../types.ts';
import { parseResponse, type ResponseBody } from './body.ts';
import { type ResponseEvents, responseEvents, type StreamEvent } from './events.ts';
import { inResponseNames, responseError } from './faults.ts';
import { createItemMemory, type ItemMemory } from './item-memory.ts';
import type { OutputItem } from './response.ts';

export function responseRoutes(context: ServerContext): Route[] {
  const shared = { scope: 'generate', encodeError: responseError } as const;
  const path = '/v1/responses/:id';
  const memory = createItemMemory(context.clock, context.closing);
  return [
    { ...shared, method: 'POST', path: '/v1/responses', handler: createRoute(context, memory) },
    { ...shared, method: 'POST', path: '/v1/responses/input_tokens', handler: countRoute(context, memory) },
    { ...shared, method: 'GET', path, handler: notStored },
    { ...shared, method: 'DELETE', path, handler: notStored },
    { ...shared, method: 'POST', path: `${path}/cancel`, handler: notStored },
    { ...shared, method: 'GET', path: `${path}/input_items`, handler: notStored },
  ];
}

/** References are the caller's own, and bring in no more than could have been sent. */
async function parse(exchange: Exchange, context: ServerContext, memory: ItemMemory): Promise<ResponseBody> {
  return parseResponse(await exchange.json(), exchange.signal, context.randomSeed, {
    recall: (id) => memory.recall(exchange.caller.key, id),
    maxLength: context.limits.bodyBytes,
  });
}

/** Shows the items of an answer that came to its end, just before the client hears of it. */
function keeping(made: ResponseEvents, keep: (items: readonly OutputItem[]) => void): ResponseEvents {
  return {
    ...made,
    of(event) {
      const events = made.of(event);
      if (event.type === 'usage') for (const { response } of events) if (response) keep(response.output);
      return events;
    },
  };
}

function createRoute(context: ServerContext, memory: ItemMemory) {
  const seconds = () => Math.floor(context.clock.now() / 1000);
  return async (exchange: Exchange): Promise<void> => {
    const body = await parse(exchange, context, memory);
    const model = body.request.model ?? 'default';
    const head = { id: exchange.id, createdAt: seconds(), model, echo: body.echo };
    const plain = responseEvents(head, seconds, body.receipt);
    const keep = (items: readonly OutputItem[]) => memory.keep(exchange.caller.key, items);
    const made = body.store ? keeping(plain, keep) : plain;
    const events = context.answering.chat(exchange, body.request, body.stream);
    if (body.stream) {
      await sendStream(exchange, context, events, responseEncoding(made));
      return;
    }
    for await (const event of events) {
      const last = made.of(event).at(-1);
      if (event.type === 'usage')
        sendJson(exchange.response, 200, last?.response, receiptHeaders(event.receipt));
    }
  };
}

/** Tokens of the prompt that the same body would make. */
function countRoute(context: ServerContext, memory: ItemMemory) {
  return async (exchange: Exchange): Promise<void> => {
    const { request } = await parse(exchange, context, memory);
    const tokens = await context.gateway.countTokens(request);
    sendJson(exchange.response, 200, { object: 'response.input_tokens', input_tokens: tokens });
  };
}

/** Every event has its name in an `event:` line too; the last one ends the stream, there is no `[DONE]`. */
export function responseEncoding(made: ResponseEvents): StreamEncoding {
  const encode = (events: readonly StreamEvent[]) =>
    events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');
  return {
    contentType: 'text/event-stream; charset=utf-8',
    encode: (event) => encode(made.of(event)),
    end: () => '',
    error: (fault) => encode(made.failure(inResponseNames(fault))),
    ping: pingComment,
  };
}

function notStored({ params }: Exchange): void {
  throw new KithError(
    'response_not_found',
    `There is no response '${(params.id ?? '').slice(0, 100)}': this node stores no responses. Keep the answer of POST /v1/responses yourself; to stop one that is being written, close its connection.`,
    { status: 404, param: 'response_id' },
  );
}

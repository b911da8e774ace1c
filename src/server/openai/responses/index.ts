/**
 * `/v1/responses`: answers as items and typed events. Stateless: nothing is stored, so whatever would read an earlier
 * response is a 404 that says so.
 *
 * @module server/openai/responses
 */
import { KithError } from '../../../base/index.ts';
import { type Exchange, type Route, sendJson } from '../../http/exchange.ts';
import { receiptHeaders } from '../../http/receipt.ts';
import { pingComment } from '../../http/sse.ts';
import { type StreamEncoding, sendStream } from '../../http/stream.ts';
import type { ServerContext } from '../../types.ts';
import { parseResponse } from './body.ts';
import { type ResponseEvents, responseEvents, type StreamEvent } from './events.ts';
import { inResponseNames, responseError } from './faults.ts';

export function responseRoutes(context: ServerContext): Route[] {
  const shared = { scope: 'generate', encodeError: responseError } as const;
  const path = '/v1/responses/:id';
  return [
    { ...shared, method: 'POST', path: '/v1/responses', handler: createRoute(context) },
    { ...shared, method: 'POST', path: '/v1/responses/input_tokens', handler: countRoute(context) },
    { ...shared, method: 'GET', path, handler: notStored },
    { ...shared, method: 'DELETE', path, handler: notStored },
    { ...shared, method: 'POST', path: `${path}/cancel`, handler: notStored },
    { ...shared, method: 'GET', path: `${path}/input_items`, handler: notStored },
  ];
}

function createRoute(context: ServerContext) {
  const seconds = () => Math.floor(context.clock.now() / 1000);
  return async (exchange: Exchange): Promise<void> => {
    const body = parseResponse(await exchange.json(), exchange.signal, context.randomSeed);
    const model = body.request.model ?? 'default';
    const head = { id: exchange.id, createdAt: seconds(), model, echo: body.echo };
    const made = responseEvents(head, seconds, body.receipt);
    const events = context.answering.chat(exchange, body.request);
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
function countRoute(context: ServerContext) {
  return async (exchange: Exchange): Promise<void> => {
    const { request } = parseResponse(await exchange.json(), exchange.signal, context.randomSeed);
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

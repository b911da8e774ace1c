/**
 * `GET /v1/models` and `GET /v1/models/{id}` as Anthropic's clients read them: those that send `anthropic-version`.
 *
 * @module server/anthropic/models
 */
import { z } from 'zod';
import { isKithError, KithError } from '../../base/index.ts';
import type { BackendModel } from '../../gateway/index.ts';
import { errorAnswer } from '../http/errors.ts';
import { type Exchange, sendJson } from '../http/exchange.ts';
import { optional, parseBody } from '../http/schema.ts';
import type { ServerContext } from '../types.ts';
import { anthropicError, anthropicStatus } from './errors.ts';

/** Anthropic's own limit of a page; clients that do not turn pages see all. */
const maxPage = 1000;

/** True for a request of Anthropic's clients on a path that they share with OpenAI's. */
export function asksAsAnthropic({ request }: Exchange): boolean {
  return request.headers['anthropic-version'] !== undefined;
}

function modelInfo(model: BackendModel) {
  return {
    type: 'model',
    id: model.id,
    display_name: model.id,
    // The API wants a time; the epoch where nobody knows when the model was made.
    created_at: new Date(model.since ?? 0).toISOString(),
    max_input_tokens: model.context,
    max_tokens: null,
    capabilities: null,
    lifecycle: 'active',
    line: null,
    deprecated_at: null,
    retires_at: null,
  };
}

const query = z.object({
  limit: optional(
    z
      .string()
      .regex(/^\d{1,6}$/, 'must be a whole number')
      .transform(Number)
      .pipe(z.int().min(1).max(maxPage)),
  ),
  after_id: optional(z.string()),
  before_id: optional(z.string()),
});

/** Only models that write text: this API has no other use for one. */
async function writers(context: ServerContext): Promise<readonly BackendModel[]> {
  return (await context.gateway.models()).filter(({ task }) => task === 'chat' || task === 'completion');
}

/** Runs `work`; its errors are answered here, as the route itself is OpenAI's. */
async function asAnthropic(exchange: Exchange, work: () => Promise<void>): Promise<void> {
  const id = `req-${exchange.id}`;
  exchange.response.setHeader('request-id', id);
  try {
    await work();
  } catch (error) {
    // What is the node's own fault goes to the log, and so to the server.
    if (!isKithError(error) || error.status >= 500) throw error;
    const { fault, headers } = errorAnswer(error, id);
    exchange.failed(fault.code);
    sendJson(exchange.response, anthropicStatus(fault), anthropicError(fault, id), headers);
  }
}

export const sendModels = (context: ServerContext, exchange: Exchange): Promise<void> =>
  asAnthropic(exchange, () => listModels(context, exchange));

export const sendModel = (context: ServerContext, exchange: Exchange): Promise<void> =>
  asAnthropic(exchange, () => describeModel(context, exchange));

async function listModels(context: ServerContext, exchange: Exchange): Promise<void> {
  const { limit = maxPage, after_id, before_id } = parseBody(query, Object.fromEntries(exchange.query));
  const models = await writers(context);
  const ids = models.map(({ id }) => id);
  const from = after_id === undefined ? 0 : ids.indexOf(after_id) + 1;
  const to = before_id === undefined || !ids.includes(before_id) ? ids.length : ids.indexOf(before_id);
  const window = models.slice(from, to);
  const page = before_id === undefined ? window.slice(0, limit) : window.slice(-limit);
  sendJson(exchange.response, 200, {
    data: page.map(modelInfo),
    has_more: page.length < window.length,
    first_id: page.at(0)?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
  });
}

async function describeModel(context: ServerContext, exchange: Exchange): Promise<void> {
  const { id = '' } = exchange.params;
  const model = (await writers(context)).find((each) => each.id === id);
  if (!model) {
    throw new KithError(
      'model_not_found',
      `The model '${id.slice(0, 100)}' does not exist here or writes no text.`,
      { status: 404 },
    );
  }
  sendJson(exchange.response, 200, modelInfo(model));
}

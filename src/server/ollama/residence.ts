/**
 * Requests without anything to answer: they bring a model into memory, or with `keep_alive` 0 out of it.
 *
 * @module server/ollama/residence
 */
import { InputError, KithError } from '../../base/index.ts';
import { type Exchange, sendJson } from '../http/exchange.ts';
import type { ServerContext } from '../types.ts';
import type { Part, Shape } from './answer.ts';
import { modelId } from './names.ts';

const empty: Part = { content: '', toolCalls: [], logprobs: [] };

/** @throws KithError `model_not_found` (404); `model_busy` (409) when the model that is to go is answering somebody */
export async function changeResidence(
  exchange: Exchange,
  context: ServerContext,
  { model, leave, shape }: { model: string; leave: boolean; shape: Shape },
): Promise<void> {
  const id = modelId(model);
  await mustBeKnown(context, id);
  if (leave) await unload(context, id);
  else await context.control.load(id, exchange.signal);
  sendJson(exchange.response, 200, {
    model,
    created_at: new Date(context.clock.now()).toISOString(),
    ...shape(empty),
    done: true,
    done_reason: leave ? 'unload' : 'load',
  });
}

/** Unknown models are told of as where there is something to answer, whoever else would notice. */
async function mustBeKnown(context: ServerContext, id: string): Promise<void> {
  if ((await context.gateway.models()).some((model) => model.id === id)) return;
  throw new InputError(
    'model_not_found',
    `The model '${id.slice(0, 100)}' does not exist here. GET /v1/models or \`kith models list\` names those that do.`,
    { status: 404, param: 'model' },
  );
}

async function unload(context: ServerContext, id: string): Promise<void> {
  const { loaded } = await context.control.status();
  const work = loaded.find((model) => model.id === id)?.work;
  const busy = work ? work.active + work.waiting : 0;
  if (busy > 0) {
    throw new KithError(
      'model_busy',
      `'${id}' is needed for ${busy === 1 ? 'a request' : `${busy} requests`} now and stays in memory. Try again when it is idle.`,
      { status: 409, param: 'model' },
    );
  }
  await context.control.unload(id);
}

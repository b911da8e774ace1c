/**
 * `GET /v1/models` and `GET /v1/models/{id}`.
 *
 * @module server/openai/models
 */
import { KithError } from '../../base/index.ts';
import type { BackendModel } from '../../gateway/index.ts';
import { asksAsAnthropic, sendModel, sendModels } from '../anthropic/models.ts';
import { type Exchange, sendJson } from '../http/exchange.ts';
import type { ServerContext } from '../types.ts';

function modelBody(model: BackendModel) {
  return {
    id: model.id,
    object: 'model',
    // The API wants a number; 0 where nobody knows when the model was made.
    created: model.since === null ? 0 : Math.floor(model.since / 1000),
    owned_by: model.ownedBy,
    kith: {
      task: model.task,
      state: model.state,
      context: model.context,
      ...(model.peer === undefined ? {} : { peer: model.peer }),
    },
  };
}

export function modelsRoute(context: ServerContext) {
  return async (exchange: Exchange): Promise<void> => {
    if (asksAsAnthropic(exchange)) return sendModels(context, exchange);
    const { response } = exchange;
    sendJson(response, 200, { object: 'list', data: (await context.gateway.models()).map(modelBody) });
  };
}

export function modelRoute(context: ServerContext) {
  return async (exchange: Exchange): Promise<void> => {
    if (asksAsAnthropic(exchange)) return sendModel(context, exchange);
    const { response, params } = exchange;
    const model = (await context.gateway.models()).find((each) => each.id === params.id);
    if (!model) {
      throw new KithError(
        'model_not_found',
        `The model '${(params.id ?? '').slice(0, 100)}' does not exist here.`,
        {
          status: 404,
          param: 'model',
        },
      );
    }
    sendJson(response, 200, modelBody(model));
  };
}

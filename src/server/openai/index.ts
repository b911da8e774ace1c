/**
 * The routes of OpenAI's API.
 *
 * @module server/openai
 */
import type { Clock } from '../../base/index.ts';
import type { Handler, Route } from '../http/exchange.ts';
import type { ServerContext } from '../types.ts';
import { chatRoute } from './chat.ts';
import { completionsRoute } from './completions.ts';
import { embeddingsRoute } from './embeddings.ts';
import { modelRoute, modelsRoute } from './models.ts';
import { rerankRoute } from './rerank.ts';
import { responseRoutes } from './responses/index.ts';

export function openAiRoutes(context: ServerContext): Route[] {
  const routes: Route[] = [
    { method: 'POST', path: '/v1/chat/completions', scope: 'generate', handler: chatRoute(context) },
    ...responseRoutes(context),
    { method: 'POST', path: '/v1/completions', scope: 'generate', handler: completionsRoute(context) },
    { method: 'POST', path: '/v1/embeddings', scope: 'embed', handler: embeddingsRoute(context) },
    { method: 'POST', path: '/v1/rerank', scope: 'embed', handler: rerankRoute(context) },
    { method: 'GET', path: '/v1/models', scope: 'read', handler: modelsRoute(context) },
    { method: 'GET', path: '/v1/models/*id', scope: 'read', handler: modelRoute(context) },
  ];
  return routes.map((route) => ({ ...route, handler: timed(route.handler, context.clock) }));
}

/**
 * Adds `openai-processing-ms`, which OpenAI's clients show: ms from the request to the head of its answer. Whatever
 * writes the head, an error of the server too, sends it.
 */
function timed(handler: Handler, clock: Clock): Handler {
  const now = () => clock.monotonic();
  return (exchange) => {
    exchange.response.timed(now);
    return handler(exchange);
  };
}

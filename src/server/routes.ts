/**
 * Every route of the node. Each API has its folder, which exports its routes.
 *
 * @module server/routes
 */
import { anthropicRoutes } from './anthropic/index.ts';
import { controlRoutes } from './control.ts';
import { entryRoutes } from './entry.ts';
import { gatewayRoutes } from './gateway/index.ts';
import { healthRoutes } from './health/index.ts';
import type { Route } from './http/exchange.ts';
import { metricsRoutes } from './metrics/index.ts';
import { nsLlmRoutes } from './nsllm/index.ts';
import { ollamaRoutes } from './ollama/index.ts';
import { openAiRoutes } from './openai/index.ts';
import { openApiRoutes } from './openapi/index.ts';
import { ragRoutes } from './rag/index.ts';
import { shardRoutes } from './shards/index.ts';
import { storageRoutes } from './storage/index.ts';
import { swarmRoutes } from './swarm/index.ts';
import type { ServerContext } from './types.ts';
import { webRoutes } from './web/index.ts';

export function allRoutes(context: ServerContext): Route[] {
  return [
    ...openAiRoutes(context),
    ...anthropicRoutes(context),
    ...ollamaRoutes(context),
    ...nsLlmRoutes(context),
    ...healthRoutes(context),
    ...metricsRoutes(context),
    ...openApiRoutes(context),
    ...controlRoutes(context),
    ...entryRoutes(context),
    ...gatewayRoutes(context),
    ...swarmRoutes(context),
    ...shardRoutes(context),
    ...storageRoutes(context),
    ...ragRoutes(context),
    // Last: an API's route wins over the page's.
    ...webRoutes(context),
  ];
}

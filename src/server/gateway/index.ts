/**
 * The gateway's own routes under `/kith/v1/`: backends, why one is chosen, kept answers, what the router has
 * learnt, what was used and what it cost.
 *
 * @module server/gateway
 */
import type { Route } from '../http/exchange.ts';
import type { ServerContext } from '../types.ts';
import { backendRoutes } from './backends.ts';
import { cacheRoutes } from './cache.ts';
import { routerRoutes } from './router.ts';
import { usageRoutes } from './usage.ts';

export type * from './types.ts';

export function gatewayRoutes(context: ServerContext): Route[] {
  return [
    ...backendRoutes(context),
    ...cacheRoutes(context),
    ...routerRoutes(context),
    ...usageRoutes(context),
  ];
}

/**
 * The routes of sharded inference under `/kith/v1/shards`: what is served here, who covers a model, paths and circuits,
 * receipts of work, the bytes of blocks.
 *
 * @module server/shards
 */
import { KithError } from '../../base/index.ts';
import { guarded } from '../control.ts';
import { type Exchange, type Route, sendJson } from '../http/exchange.ts';
import type { ServerContext } from '../types.ts';
import { coverageRoutes } from './coverage.ts';
import { pathRoutes } from './paths.ts';
import { receiptRoutes } from './receipts.ts';
import { servingRoutes } from './serving.ts';
import type { ShardDesk } from './types.ts';
import { weightRoutes } from './weights.ts';

export type * from './types.ts';

/** How the files of the topics make their routes. */
export interface ShardRouting {
  /** @throws KithError `swarm_off` where the node has no swarm */
  desk(): ShardDesk;
  /** A route for the command line and the owner's page: changes something, or tells what concerns the owner alone. */
  control(method: Route['method'], path: string, handler: (exchange: Exchange) => Promise<unknown>): Route;
  /** As `control`, whose handler writes the answer itself. `pingMs`: a stream says something at least that often. */
  streamed(
    method: Route['method'],
    path: string,
    handler: (exchange: Exchange, pingMs: number) => Promise<void>,
  ): Route;
  /** A route that tells figures. */
  monitor(path: string, handler: (exchange: Exchange) => Promise<unknown>): Route;
}

const BASE = '/kith/v1/shards';

export function shardRoutes(context: ServerContext): Route[] {
  const routing: ShardRouting = {
    desk() {
      if (context.shards !== undefined) return context.shards;
      throw new KithError('swarm_off', 'This node has no swarm.', { status: 409 });
    },
    control: (method, path, handler) => ({
      method,
      path: `${BASE}${path}`,
      scope: 'control',
      handler: guarded(context.token, async (exchange) =>
        sendJson(exchange.response, 200, await handler(exchange)),
      ),
    }),
    streamed: (method, path, handler) => ({
      method,
      path: `${BASE}${path}`,
      scope: 'control',
      handler: guarded(context.token, (exchange) => handler(exchange, context.limits.pingMs)),
    }),
    monitor: (path, handler) => ({
      method: 'GET',
      path: `${BASE}${path}`,
      scope: 'monitor',
      handler: async (exchange) => sendJson(exchange.response, 200, await handler(exchange)),
    }),
  };
  return TOPICS.flatMap((routesOf) => routesOf(routing));
}

/** One function for each topic. */
const TOPICS: readonly ((routing: ShardRouting) => Route[])[] = [
  coverageRoutes,
  pathRoutes,
  receiptRoutes,
  servingRoutes,
  weightRoutes,
];

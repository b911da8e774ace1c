/**
 * The routes of kept answers.
 *
 * @module server/rag/cache
 */
import type { Exchange, Route } from '../http/exchange.ts';
import type { CacheDesk } from './cache-types.ts';

type AddRoute = (
  method: Route['method'],
  path: string,
  handler: (exchange: Exchange, kb: string) => Promise<unknown>,
) => Route;

/** @param route makes one of the owner's, below the path of all knowledge bases */
export function keptRoutes(route: AddRoute, desk: () => CacheDesk): Route[] {
  return [
    route('GET', '/:kb/cache', (_, kb) => desk().stats(kb)),
    route('DELETE', '/:kb/cache', async (_, kb) => ({ removed: await desk().clear(kb) })),
  ];
}

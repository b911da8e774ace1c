/**
 * The routes that say how a knowledge base is cut.
 *
 * @module server/rag/upkeep
 */
import type { Exchange, Route } from '../http/exchange.ts';
import { parseBody } from '../http/schema.ts';
import { chunkingBody } from './upkeep-bodies.ts';
import type { UpkeepDesk } from './upkeep-types.ts';

type AddRoute = (
  method: Route['method'],
  path: string,
  handler: (exchange: Exchange, kb: string) => Promise<unknown>,
) => Route;

/** @param route makes one of the owner's, below the path of all knowledge bases */
export function upkeepRoutes(route: AddRoute, desk: () => UpkeepDesk): Route[] {
  return [
    route('GET', '/:kb/chunking', (_, kb) => desk().chunking(kb)),
    route('POST', '/:kb/chunking', async (exchange, kb) =>
      desk().setChunking(kb, parseBody(chunkingBody, await exchange.json())),
    ),
  ];
}

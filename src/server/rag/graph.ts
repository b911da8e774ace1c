/**
 * The routes of the graph of a knowledge base.
 *
 * @module server/rag/graph
 */
import { once } from '../gateway/cache.ts';
import type { Exchange, Route } from '../http/exchange.ts';
import { parseBody } from '../http/schema.ts';
import { entitiesQuery, mergeBody, mergeId, networkQuery, timelineQuery } from './graph-bodies.ts';
import type { GraphDesk } from './graph-types.ts';

/** Makes a route of the owner below a knowledge base. */
type Make = (
  method: Route['method'],
  path: string,
  handler: (exchange: Exchange, kb: string) => Promise<unknown>,
) => Route;

export function graphRoutes(route: Make, desk: () => GraphDesk): Route[] {
  return [
    route('GET', '/:kb/graph/entities', ({ query }, kb) =>
      desk().entities(kb, parseBody(entitiesQuery, once(query))),
    ),
    route('GET', '/:kb/graph/entities/:key', ({ params }, kb) => desk().entity(kb, params.key ?? '')),
    route('GET', '/:kb/graph/network', ({ query }, kb) =>
      desk().network(kb, parseBody(networkQuery, once(query))),
    ),
    route('GET', '/:kb/graph/merges', async (_, kb) => ({ merges: await desk().merges(kb) })),
    route('POST', '/:kb/graph/merges', async (exchange, kb) =>
      desk().merge(kb, parseBody(mergeBody, await exchange.json())),
    ),
    route('DELETE', '/:kb/graph/merges/:merge', ({ params }, kb) =>
      desk().unmerge(kb, mergeId(params.merge ?? '')),
    ),
    route('GET', '/:kb/graph/proposals', async (_, kb) => ({ proposals: await desk().proposals(kb) })),
    route('GET', '/:kb/graph/timeline', ({ query }, kb) =>
      desk().timeline(kb, parseBody(timelineQuery, once(query))),
    ),
    route('GET', '/:kb/graph/communities', (_, kb) => desk().communities(kb)),
  ];
}

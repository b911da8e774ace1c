/**
 * The routes of dreams: how complete a knowledge base is, and runs that complete it.
 *
 * @module server/rag/dream
 */
import { once } from '../gateway/cache.ts';
import type { Exchange, Route } from '../http/exchange.ts';
import { parseBody } from '../http/schema.ts';
import { dreamBody, journalQuery, runId, runsQuery, scoreQuery } from './dream-bodies.ts';
import type { DreamDesk } from './dream-types.ts';

/** Makes a route of the owner below a knowledge base. */
type Make = (
  method: Route['method'],
  path: string,
  handler: (exchange: Exchange, kb: string) => Promise<unknown>,
) => Route;

export function dreamRoutes(route: Make, desk: () => DreamDesk): Route[] {
  return [
    route('GET', '/:kb/graph/score', ({ query }, kb) =>
      desk().score(kb, parseBody(scoreQuery, once(query)).limit),
    ),
    route('GET', '/:kb/dreams', async ({ query }, kb) => ({
      runs: await desk().runs(kb, parseBody(runsQuery, once(query)).limit),
    })),
    route('GET', '/:kb/extraction', (_exchange, kb) => desk().extraction(kb)),
    route('POST', '/:kb/dreams', async (exchange, kb) =>
      desk().run(kb, parseBody(dreamBody, await exchange.json())),
    ),
    route('GET', '/:kb/dreams/:run', ({ params, query }, kb) =>
      desk().journal(kb, runId(params.run ?? ''), parseBody(journalQuery, once(query))),
    ),
    route('POST', '/:kb/dreams/:run/undo', ({ params }, kb) => desk().undo(kb, runId(params.run ?? ''))),
  ];
}

/**
 * The routes of knowledge bases whose vectors lie in an engine of their owner's.
 *
 * @module server/rag/engine
 */
import { ownerRoutes } from '../control.ts';
import { once } from '../gateway/cache.ts';
import type { Route } from '../http/exchange.ts';
import { parseBody } from '../http/schema.ts';
import type { ServerContext } from '../types.ts';
import { disconnectQuery, engineBody, engineSearchBody } from './engine-bodies.ts';
import type { EnginesDesk } from './engine-types.ts';

export function engineRoutes({ token }: Pick<ServerContext, 'token'>, desk: () => EnginesDesk): Route[] {
  const route = ownerRoutes(token, '/api/rag');
  return [
    route('GET', '/engines', async () => ({ engines: await desk().list() })),
    route('GET', '/kbs/:kb/engine', ({ signal }, kb) => desk().info(kb, signal)),
    route('POST', '/kbs/:kb/engine', async (exchange, kb) =>
      desk().connect(kb, parseBody(engineBody, await exchange.json()), exchange.signal),
    ),
    route('POST', '/kbs/:kb/engine/sync', (_, kb) => desk().sync(kb)),
    route('POST', '/kbs/:kb/engine/search', async (exchange, kb) =>
      desk().search(kb, parseBody(engineSearchBody, await exchange.json()), exchange.signal),
    ),
    route('DELETE', '/kbs/:kb/engine', ({ query, signal }, kb) =>
      desk().disconnect(kb, parseBody(disconnectQuery, once(query)).drop, signal),
    ),
  ];
}

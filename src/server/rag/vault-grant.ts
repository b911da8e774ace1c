/**
 * The routes of grants by which others read what peers keep of a knowledge base.
 *
 * @module server/rag/vault-grant
 */
import { guarded } from '../control.ts';
import { type Exchange, type Route, sendJson } from '../http/exchange.ts';
import { parseBody } from '../http/schema.ts';
import type { ServerContext } from '../types.ts';
import { grantedBody, grantedSearchBody, vaultGrantBody } from './vault-grant-bodies.ts';
import type { VaultGrantDesk } from './vault-grant-types.ts';

export function vaultGrantRoutes(
  { token }: Pick<ServerContext, 'token'>,
  desk: () => VaultGrantDesk,
): Route[] {
  const route = (
    method: Route['method'],
    path: string,
    handler: (exchange: Exchange, kb: string) => Promise<unknown>,
  ): Route => ({
    ...{ method, path: `/api/rag${path}`, scope: 'control' },
    handler: guarded(token, async (exchange) =>
      sendJson(exchange.response, 200, await handler(exchange, exchange.params.kb ?? '')),
    ),
  });
  return [
    route('POST', '/vault/granted', async (exchange) =>
      desk().resolve(parseBody(grantedBody, await exchange.json()).grant, exchange.signal),
    ),
    route('POST', '/vault/granted/search/:kb', async (exchange, kb) =>
      desk().search(kb, parseBody(grantedSearchBody, await exchange.json()), exchange.signal),
    ),
    route('GET', '/kbs/:kb/vault/grants', async (_, kb) => ({ grants: await desk().given(kb) })),
    route('POST', '/kbs/:kb/vault/grants', async (exchange, kb) =>
      desk().give(kb, parseBody(vaultGrantBody, await exchange.json()), exchange.signal),
    ),
    route('DELETE', '/kbs/:kb/vault/grants/:id', ({ signal, params }, kb) =>
      desk().revoke(kb, params.id ?? '', signal),
    ),
    route('POST', '/kbs/:kb/vault/rotate', (_, kb) => desk().rotate(kb)),
  ];
}

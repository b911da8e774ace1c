/**
 * The routes of grants by which others read what peers keep of a knowledge base.
 *
 * @module server/rag/vault-grant
 */
import { ownerRoutes } from '../control.ts';
import type { Route } from '../http/exchange.ts';
import { parseBody } from '../http/schema.ts';
import type { ServerContext } from '../types.ts';
import { grantedBody, grantedSearchBody, vaultGrantBody } from './vault-grant-bodies.ts';
import type { VaultGrantDesk } from './vault-grant-types.ts';

export function vaultGrantRoutes(
  { token }: Pick<ServerContext, 'token'>,
  desk: () => VaultGrantDesk,
): Route[] {
  const route = ownerRoutes(token, '/api/rag');
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

/**
 * The routes of knowledge bases that are kept on peers' disks.
 *
 * @module server/rag/vault
 */
import { ownerRoutes } from '../control.ts';
import type { Route } from '../http/exchange.ts';
import { parseBody } from '../http/schema.ts';
import type { ServerContext } from '../types.ts';
import {
  changeBody,
  checkBody,
  discoverBody,
  findBody,
  placeBody,
  placedSearchBody,
  restoreFromBody,
} from './vault-bodies.ts';
import type { VaultDesk } from './vault-types.ts';

export function vaultRoutes({ token }: Pick<ServerContext, 'token'>, desk: () => VaultDesk): Route[] {
  const route = ownerRoutes(token, '/api/rag');
  return [
    route('GET', '/vault', async () => ({ placed: await desk().placed() })),
    route('POST', '/vault/discover', async (exchange) => {
      const { peers, ask } = parseBody(discoverBody, await exchange.json());
      return { eves: await desk().discover(peers, ask, exchange.signal) };
    }),
    route('POST', '/vault/find', async (exchange) => ({
      found: await desk().find(parseBody(findBody, await exchange.json()).peers, exchange.signal),
    })),
    route('POST', '/vault/restore/:kb', async (exchange, kb) =>
      desk().restore(kb, parseBody(restoreFromBody, await exchange.json()), exchange.signal),
    ),
    route('GET', '/kbs/:kb/vault', ({ signal }, kb) => desk().info(kb, signal)),
    route('POST', '/kbs/:kb/vault', async (exchange, kb) =>
      desk().place(kb, parseBody(placeBody, await exchange.json()), exchange.signal),
    ),
    route('POST', '/kbs/:kb/vault/sync', (_, kb) => desk().sync(kb)),
    route('POST', '/kbs/:kb/vault/repair', (_, kb) => desk().repair(kb)),
    route('POST', '/kbs/:kb/vault/eves', async (exchange, kb) =>
      desk().change(kb, parseBody(changeBody, await exchange.json()), exchange.signal),
    ),
    route('POST', '/kbs/:kb/vault/check', async (exchange, kb) =>
      desk().check(kb, parseBody(checkBody, await exchange.json()).questions, exchange.signal),
    ),
    route('POST', '/kbs/:kb/vault/search', async (exchange, kb) =>
      desk().search(kb, parseBody(placedSearchBody, await exchange.json()), exchange.signal),
    ),
    route('DELETE', '/kbs/:kb/vault', ({ signal }, kb) => desk().remove(kb, signal)),
  ];
}

/**
 * The routes that bring knowledge bases out of the node and back.
 *
 * @module server/rag/exchange
 */
import type { Exchange, Route } from '../http/exchange.ts';
import { parseBody } from '../http/schema.ts';
import { backupBody, notesBody, notesImportBody, restoreBody } from './exchange-bodies.ts';
import type { ExchangeDesk } from './exchange-types.ts';

/** Makes a route of the owner below a knowledge base. */
type Make = (
  method: Route['method'],
  path: string,
  handler: (exchange: Exchange, kb: string) => Promise<unknown>,
) => Route;

export function exchangeRoutes(route: Make, desk: () => ExchangeDesk): Route[] {
  return [
    route('POST', '/:kb/export/notes', async (exchange, kb) =>
      desk().exportNotes(kb, parseBody(notesBody, await exchange.json())),
    ),
    route('POST', '/:kb/import/notes', async (exchange, kb) =>
      desk().importNotes(kb, parseBody(notesImportBody, await exchange.json()), exchange.signal),
    ),
    route('POST', '/:kb/export/file', async (exchange, kb) =>
      desk().backup(kb, parseBody(backupBody, await exchange.json())),
    ),
    route('POST', '/:kb/import/file', async (exchange, kb) =>
      desk().restore(kb, parseBody(restoreBody, await exchange.json())),
    ),
  ];
}

/**
 * `GET /openapi.json`.
 *
 * @module server/openapi
 */
import { type Exchange, type Route, sendJson } from '../http/exchange.ts';
import type { ServerContext } from '../types.ts';
import type { OpenApiDocument } from './document.ts';

export function openApiRoutes(context: ServerContext): Route[] {
  // Loaded and made by the first request for it: most nodes are never asked, and it is a tenth of the code of a start.
  let document: Promise<OpenApiDocument> | null = null;
  return [
    {
      method: 'GET',
      path: '/openapi.json',
      scope: 'read',
      handler: async ({ response }: Exchange) => {
        document ??= import('./document.ts').then(({ openApiDocument }) => openApiDocument(context.version));
        sendJson(response, 200, await document);
      },
    },
  ];
}

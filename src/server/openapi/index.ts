/**
 * `GET /openapi.json`.
 *
 * @module server/openapi
 */
import { type Exchange, type Route, sendJson } from '../http/exchange.ts';
import type { ServerContext } from '../types.ts';
import { type OpenApiDocument, openApiDocument } from './document.ts';

export function openApiRoutes(context: ServerContext): Route[] {
  // Made by the first request for it: most nodes are never asked.
  let document: OpenApiDocument | null = null;
  return [
    {
      method: 'GET',
      path: '/openapi.json',
      scope: 'read',
      handler: ({ response }: Exchange) => {
        document ??= openApiDocument(context.version);
        sendJson(response, 200, document);
      },
    },
  ];
}

/**
 * `GET /metrics` for Prometheus and `GET /kith/v1/metrics` for the page and the command line.
 *
 * @module server/metrics/routes
 */
import { type Exchange, type Route, sendJson } from '../http/exchange.ts';
import type { ServerContext } from '../types.ts';
import { contentTypes, formatFor } from './exposition.ts';

export function metricsRoutes({ observability }: ServerContext): Route[] {
  if (observability === undefined) return [];
  return [
    {
      method: 'GET',
      path: '/metrics',
      scope: 'monitor',
      async handler({ request, response }: Exchange) {
        const format = formatFor(request.headers.accept);
        const bytes = Buffer.from(await observability.text(format));
        if (response.destroyed) return;
        response.writeHead(200, {
          'content-type': contentTypes[format],
          'content-length': bytes.length,
          'cache-control': 'no-store',
          'x-content-type-options': 'nosniff',
        });
        response.end(request.method === 'HEAD' ? undefined : bytes);
      },
    },
    {
      method: 'GET',
      path: '/kith/v1/metrics',
      scope: 'monitor',
      async handler({ response }: Exchange) {
        sendJson(response, 200, await observability.view());
      },
    },
  ];
}

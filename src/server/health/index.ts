/**
 * Health: whether the node answers, for load balancers and people, and how it is in detail, once or as a stream.
 *
 * @module server/health
 */
import { type Exchange, type Route, sendJson } from '../http/exchange.ts';
import type { ServerContext } from '../types.ts';
import { eventsRoute } from './events.ts';
import { detailedHealthOf, healthOf, httpStatus, statusWithin } from './health.ts';

export function healthRoutes(context: ServerContext): Route[] {
  const health = async ({ response }: Exchange): Promise<void> => {
    const status = await statusWithin(context);
    sendJson(response, httpStatus(status), healthOf(status));
  };
  const detailed = async ({ response }: Exchange): Promise<void> => {
    const status = await statusWithin(context);
    sendJson(response, httpStatus(status), detailedHealthOf(status, context.observability?.health() ?? null));
  };
  return [
    { method: 'GET', path: '/health', scope: 'monitor', handler: health },
    { method: 'GET', path: '/api/health', scope: 'monitor', handler: health },
    { method: 'GET', path: '/health/detailed', scope: 'monitor', handler: detailed },
    { method: 'GET', path: '/kith/v1/events', scope: 'read', handler: eventsRoute(context) },
  ];
}

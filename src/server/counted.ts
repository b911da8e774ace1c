/**
 * Which requests are those of clients: the ones that figures of load, failures and the access log are about.
 *
 * @module server/counted
 */
import type { IncomingMessage } from 'node:http';
import type { Router } from './http/router.ts';

const apart = /^\/(kith\/|api\/rag\/|metrics\/?(\?|$)|(api\/)?health(\/detailed)?\/?(\?|$))/;

/** False for health probes, scrapes, the command line's own routes, and the page with its files. */
export function createCounting(
  router: Pick<Router, 'peek'>,
): (request: Pick<IncomingMessage, 'method' | 'url'>) => boolean {
  return ({ method, url = '' }) => {
    if (apart.test(url)) return false;
    // Only the page has such routes, and all of them are GET: no other request is looked up twice.
    if (method !== 'GET' && method !== 'HEAD') return true;
    return router.peek(method, url)?.route?.counted !== false;
  };
}

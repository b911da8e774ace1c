/**
 * Backends as the gateway knows them, what would be chosen and why, and their return by hand.
 *
 * @module server/gateway/backends
 */
import { InputError, nearest } from '../../base/index.ts';
import type { BackendReport } from '../../gateway/index.ts';
import { guarded } from '../control.ts';
import { type Exchange, type Route, sendJson } from '../http/exchange.ts';
import { termsOf } from '../http/terms.ts';
import { parseChat } from '../openai/chat.ts';
import type { ServerContext } from '../types.ts';
import type { BackendState, BackendsView } from './types.ts';

export function backendRoutes(context: ServerContext): Route[] {
  const { token } = context;
  return [
    {
      method: 'GET',
      path: '/kith/v1/backends',
      scope: 'monitor',
      handler({ response }: Exchange) {
        const view: BackendsView = {
          backends: context.gateway.backends().map((report) => ({ ...report, state: stateOf(report) })),
        };
        sendJson(response, 200, view);
      },
    },
    {
      method: 'POST',
      path: '/kith/v1/backends/:name/reset',
      scope: 'control',
      handler: guarded(token, ({ response, params }: Exchange) => {
        const name = params.name ?? '';
        if (!context.gateway.reset(name)) {
          const names = context.gateway.backends().map((backend) => backend.name);
          const near = nearest(name, names);
          throw new InputError(
            'backend_not_found',
            `There is no backend named '${name.slice(0, 100)}'. ${near === null ? `There are: ${names.join(', ')}.` : `Did you mean ${near}?`}`,
            { status: 404, param: 'name' },
          );
        }
        sendJson(response, 200, { reset: true });
      }),
    },
    {
      method: 'POST',
      path: '/kith/v1/route/explain',
      scope: 'monitor',
      async handler(exchange: Exchange) {
        const { request } = parseChat(await exchange.json(), exchange.signal, context.randomSeed);
        const terms = termsOf(exchange.request.headers, exchange.caller);
        sendJson(exchange.response, 200, await context.gateway.explain({ ...request, terms }));
      },
    },
  ];
}

/** The word for what keeps it from being asked, the weightiest first. */
export function stateOf({ breaker, coolMs, demoted, reachable }: BackendReport): BackendState {
  if (!reachable) return 'never_asked';
  if (breaker.state !== 'closed') return breaker.state;
  return coolMs > 0 ? 'cooling' : demoted ? 'demoted' : 'ok';
}

/**
 * Routes under `/kith/v1/` that the command line uses to ask and steer a running node. They ask for the token of
 * the run file, so that only the owner of the home can use them.
 *
 * @module server/control
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { KithError } from '../base/index.ts';
import { type Exchange, type Handler, type Route, sendJson } from './http/exchange.ts';
import type { ServerContext } from './types.ts';

/** Lets only those through who have the run token. */
export function guarded(token: string, handler: Handler): Handler {
  const digest = (value: string) => createHash('sha256').update(value).digest();
  const expected = digest(`Bearer ${token}`);
  return (exchange) => {
    if (!timingSafeEqual(digest(exchange.request.headers.authorization ?? ''), expected)) {
      throw new KithError(
        'invalid_token',
        "This route takes the node's own run token only; use the kith command.",
        {
          status: 401,
        },
      );
    }
    return handler(exchange);
  };
}

export function controlRoutes(context: ServerContext): Route[] {
  const { control, token } = context;
  return [
    {
      method: 'GET',
      scope: 'control',
      path: '/kith/v1/status',
      handler: guarded(token, async ({ response }: Exchange) =>
        sendJson(response, 200, await control.status()),
      ),
    },
    {
      method: 'POST',
      scope: 'control',
      path: '/kith/v1/shutdown',
      handler: guarded(token, ({ response }: Exchange) => {
        sendJson(response, 202, { status: 'stopping' });
        control.shutdown();
      }),
    },
    {
      method: 'POST',
      scope: 'control',
      path: '/kith/v1/models/:id/unload',
      handler: guarded(token, async ({ response, params }: Exchange) =>
        sendJson(response, 200, { unloaded: await control.unload(params.id ?? '') }),
      ),
    },
  ];
}

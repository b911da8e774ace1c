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

/** Makes routes below a path that only the owner of the home can use, and that answer with what their handler gives. */
export const ownerRoutes =
  (token: string, below: string) =>
  (
    method: Route['method'],
    path: string,
    /** @param kb of the path; empty where it has none */
    handler: (exchange: Exchange, kb: string) => Promise<unknown>,
  ): Route => ({
    ...{ method, path: `${below}${path}`, scope: 'control' },
    handler: guarded(token, async (exchange) =>
      sendJson(exchange.response, 200, await handler(exchange, exchange.params.kb ?? '')),
    ),
  });

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

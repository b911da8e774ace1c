/**
 * Kept answers: how many, how often they served, and their removal.
 *
 * @module server/gateway/cache
 */
import { z } from 'zod';
import { InputError, KithError } from '../../base/index.ts';
import { guarded } from '../control.ts';
import { type Exchange, type Route, sendJson } from '../http/exchange.ts';
import { parseBody } from '../http/schema.ts';
import type { ServerContext } from '../types.ts';
import type { CacheView } from './types.ts';

const filter = z.strictObject({
  model: z.string().min(1).max(200).optional(),
  olderThanMs: z
    .string()
    .regex(/^\d{1,15}$/, 'must be a whole number of ms')
    .transform(Number)
    .optional(),
});

export function cacheRoutes(context: ServerContext): Route[] {
  return [
    {
      method: 'GET',
      path: '/kith/v1/cache',
      scope: 'monitor',
      async handler({ response }: Exchange) {
        const { cache } = context.gateway;
        const view: CacheView = { enabled: cache !== null, stats: (await cache?.stats()) ?? null };
        sendJson(response, 200, view);
      },
    },
    {
      method: 'DELETE',
      path: '/kith/v1/cache',
      scope: 'control',
      handler: guarded(context.token, async ({ response, query }: Exchange) => {
        const given = parseBody(filter, once(query));
        const { cache } = context.gateway;
        if (cache === null)
          throw new KithError(
            'cache_off',
            'This node keeps no answers. Set gateway.cache to auto, keep or similar, and start it again.',
            { status: 409 },
          );
        const removed = await cache.clear({
          ...(given.model === undefined ? {} : { model: given.model }),
          ...(given.olderThanMs === undefined ? {} : { olderThanMs: given.olderThanMs }),
        });
        sendJson(response, 200, { removed });
      }),
    },
  ];
}

/** A filter that is given twice would take in more than one of the two says. */
export function once(query: URLSearchParams): Record<string, string> {
  for (const name of new Set(query.keys()))
    if (query.getAll(name).length > 1)
      throw new InputError('invalid_value', `${name.slice(0, 100)}: stands there more than once`, {
        param: name.slice(0, 100),
      });
  return Object.fromEntries(query);
}

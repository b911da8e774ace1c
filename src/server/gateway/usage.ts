/**
 * What was used and what it cost, and how much of the budgets is spent. For the owner only: it names keys.
 *
 * @module server/gateway/usage
 */
import { z } from 'zod';
import { KithError } from '../../base/index.ts';
import { GROUPINGS } from '../../gateway/index.ts';
import { guarded } from '../control.ts';
import { type Exchange, type Route, sendJson } from '../http/exchange.ts';
import { parseBody } from '../http/schema.ts';
import type { ServerContext } from '../types.ts';
import { once } from './cache.ts';
import type { UsageView } from './types.ts';

const day = z.string().regex(/^\d{4}-\d\d-\d\d$/, 'must be a day such as 2026-11-21');
const query = z.strictObject({
  by: z.enum(GROUPINGS).default('key'),
  since: day.optional(),
  until: day.optional(),
});

export function usageRoutes(context: ServerContext): Route[] {
  return [
    {
      method: 'GET',
      path: '/kith/v1/usage',
      scope: 'control',
      handler: guarded(context.token, (exchange: Exchange) => {
        const { by, since = null, until = null } = parseBody(query, once(exchange.query));
        const { ledger } = context.gateway;
        if (ledger === null)
          throw new KithError(
            'usage_off',
            'This node keeps no account of usage: its file could not be opened. The log says why.',
            { status: 409 },
          );
        const view: UsageView = { ...ledger.report({ by, since, until }), budgets: ledger.budgets() };
        sendJson(exchange.response, 200, view);
      }),
    },
  ];
}

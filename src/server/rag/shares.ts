/**
 * The routes of what is shared with peers and by peers, and of questions to several knowledge bases.
 *
 * @module server/rag/shares
 */
import { ownerRoutes } from '../control.ts';
import type { Route } from '../http/exchange.ts';
import { parseBody } from '../http/schema.ts';
import type { ServerContext } from '../types.ts';
import { acceptBody, federatedBody, giveBody, sharedAnswerBody } from './share-bodies.ts';
import type { SharesDesk } from './share-types.ts';

export function shareRoutes({ token }: Pick<ServerContext, 'token'>, desk: () => SharesDesk): Route[] {
  const route = ownerRoutes(token, '/api/rag');
  return [
    route('POST', '/kbs/:kb/shares', async (exchange) =>
      desk().give(exchange.params.kb ?? '', parseBody(giveBody, await exchange.json())),
    ),
    route('GET', '/shares', async () => ({ given: await desk().given(), accepted: await desk().accepted() })),
    route('DELETE', '/shares/given/:id', ({ params }) => desk().revoke(params.id ?? '')),
    route('POST', '/shares/accepted', async (exchange) => {
      const { grant, peer } = parseBody(acceptBody, await exchange.json());
      return {
        accepted:
          grant === undefined
            ? await desk().acceptFrom(peer ?? '', exchange.signal)
            : [await desk().accept(grant)],
      };
    }),
    route('DELETE', '/shares/accepted/:id', async ({ params }) => {
      await desk().forget(params.id ?? '');
      return { id: params.id ?? '' };
    }),
    route('POST', '/search', async (exchange) =>
      desk().search(parseBody(federatedBody, await exchange.json()), exchange.signal),
    ),
    route('POST', '/shares/answer', async (exchange) =>
      desk().answer(parseBody(sharedAnswerBody, await exchange.json()), exchange.signal),
    ),
  ];
}

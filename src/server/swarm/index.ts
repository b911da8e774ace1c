/**
 * The swarm's routes under `/kith/v1/swarm`: this node's place in it, the peers it knows, who serves what, messages
 * between owners, bans.
 *
 * @module server/swarm
 */
import type { z } from 'zod';
import { InputError, KithError } from '../../base/index.ts';
import { guarded } from '../control.ts';
import { once } from '../gateway/cache.ts';
import { type Exchange, type Route, sendJson } from '../http/exchange.ts';
import { parseBody } from '../http/schema.ts';
import type { ServerContext } from '../types.ts';
import { hivemindQuery } from './hivemind.ts';
import {
  banSchema,
  connectSchema,
  findQuery,
  inboxQuery,
  messageSchema,
  outboxQuery,
  peerParam,
  peersQuery,
  pingSchema,
  receiptsQuery,
} from './requests.ts';
import type { SwarmDesk } from './types.ts';

export * from './types.ts';

export function swarmRoutes(context: ServerContext): Route[] {
  const desk = (): SwarmDesk => {
    if (context.swarm !== undefined) return context.swarm;
    throw new KithError('swarm_off', 'This node has no swarm.', { status: 409 });
  };
  const control = (
    method: Route['method'],
    path: string,
    handler: (exchange: Exchange) => Promise<unknown>,
  ): Route => ({
    method,
    path: `/kith/v1/swarm${path}`,
    scope: 'control',
    handler: guarded(context.token, async (exchange) =>
      sendJson(exchange.response, 200, await handler(exchange)),
    ),
  });
  const monitor = (path: string, handler: (exchange: Exchange) => Promise<unknown>): Route => ({
    method: 'GET',
    path: `/kith/v1/swarm${path}`,
    scope: 'monitor',
    handler: async (exchange) => sendJson(exchange.response, 200, await handler(exchange)),
  });
  return [
    monitor('', () => desk().view()),
    monitor('/peers', ({ query }) => desk().peers(parsed(peersQuery, query).limit)),
    monitor('/peers/:peer/trust', (exchange) => desk().trust(peerOf(exchange))),
    monitor('/find', ({ query: asked }) => {
      const { query, limit } = parsed(findQuery, asked);
      return desk().find(query, limit);
    }),
    control('POST', '/connect', async (exchange) => {
      const { target, deadlineMs } = parseBody(connectSchema, await exchange.json());
      return desk().connect(target, exchange.signal, deadlineMs);
    }),
    control('POST', '/peers/:peer/ping', async (exchange) => {
      const { deadlineMs } = parseBody(pingSchema, await exchange.json());
      const peer = peerOf(exchange);
      return { peer, rttMs: await desk().ping(peer, exchange.signal, deadlineMs) };
    }),
    control('POST', '/peers/:peer/disconnect', async (exchange) => {
      await desk().disconnect(peerOf(exchange));
      return { disconnected: true };
    }),
    control('POST', '/peers/:peer/endorsement', (exchange) => desk().endorse(peerOf(exchange))),
    control('DELETE', '/peers/:peer/endorsement', (exchange) => desk().unendorse(peerOf(exchange))),
    control('GET', '/leases', () => desk().leases()),
    control('GET', '/receipts', ({ query }) => desk().receipts(parsed(receiptsQuery, query))),
    control('POST', '/messages', async (exchange) => {
      const { to, text } = parseBody(messageSchema, await exchange.json());
      return desk().send(to, text, exchange.signal);
    }),
    control('GET', '/messages', async ({ query }) => desk().inbox(parsed(inboxQuery, query))),
    control('GET', '/outbox', async ({ query }) => ({
      messages: await desk().outbox(parsed(outboxQuery, query).limit),
    })),
    control('POST', '/messages/:id/read', async ({ params }) => {
      const id = params.id ?? '';
      return (await desk().read(id)) ?? noMessage(id);
    }),
    control('DELETE', '/messages/:id', async ({ params }) => {
      const id = params.id ?? '';
      if (!(await desk().remove(id))) noMessage(id);
      return { removed: true };
    }),
    monitor('/hivemind', () => desk().hivemind.view()),
    control('GET', '/hivemind/find', async ({ query, signal }) =>
      desk().hivemind.find(parsed(hivemindQuery, query), signal),
    ),
    control('POST', '/hivemind/announce', async ({ signal }) => desk().hivemind.announce(signal)),
    control('GET', '/bans', async () => ({ bans: await desk().bans() })),
    control('POST', '/bans', async (exchange) => {
      const { peer, forMs } = parseBody(banSchema, await exchange.json());
      const until = forMs === null ? null : context.clock.now() + forMs;
      await desk().ban(peer, until);
      return { peer, until };
    }),
    control('DELETE', '/bans/:peer', async (exchange) => {
      const peer = peerOf(exchange);
      return { peer, unbanned: await desk().unban(peer) };
    }),
  ];
}

function parsed<T extends z.ZodType>(schema: T, query: URLSearchParams): z.output<T> {
  return parseBody(schema, once(query));
}

function peerOf({ params }: Exchange): string {
  return parseBody(peerParam, { peer: params.peer ?? '' }).peer;
}

function noMessage(id: string): never {
  throw new InputError(
    'message_not_found',
    `There is no message '${id.slice(0, 80)}'. kith p2p inbox lists those that are there.`,
    { status: 404, param: 'id' },
  );
}

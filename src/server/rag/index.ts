/**
 * The routes of knowledge bases under `/api/rag`: make them, take files in, search them. For the node's owner alone, by the run
 * token: they read files of this machine.
 *
 * @module server/rag
 */
import { KithError } from '../../base/index.ts';
import { guarded } from '../control.ts';
import { once } from '../gateway/cache.ts';
import { type Exchange, type Route, sendJson } from '../http/exchange.ts';
import { parseBody } from '../http/schema.ts';
import type { ServerContext } from '../types.ts';
import { answerRoute } from './answers.ts';
import {
  destroyQuery,
  filesQuery,
  ingestBody,
  jobId,
  jobQuery,
  kbBody,
  pageQuery,
  searchBody,
  syncBody,
  unfollowQuery,
  uploadQuery,
} from './bodies.ts';
import { keptRoutes } from './cache.ts';
import { dreamRoutes } from './dream.ts';
import { engineRoutes } from './engine.ts';
import { exchangeRoutes } from './exchange.ts';
import { graphRoutes } from './graph.ts';
import { languageFor } from './language.ts';
import { surfaceRoutes } from './openai.ts';
import { originalRoute } from './originals.ts';
import { passagesRoute } from './reading.ts';
import { shareRoutes } from './shares.ts';
import type { KnowledgeDesk } from './types.ts';
import { upkeepRoutes } from './upkeep.ts';
import { rebuildQuery } from './upkeep-bodies.ts';
import { vaultRoutes } from './vault.ts';
import { vaultGrantRoutes } from './vault-grant.ts';

const BASE = '/api/rag/kbs';

export function ragRoutes(context: ServerContext): Route[] {
  const desk = (): KnowledgeDesk => {
    if (context.knowledge !== undefined) return context.knowledge;
    throw new KithError('kb_unknown', 'This server keeps no knowledge bases.', { status: 404 });
  };
  const route = (
    method: Route['method'],
    path: string,
    handler: (exchange: Exchange, kb: string) => Promise<unknown>,
  ): Route => ({
    method,
    path: `${BASE}${path}`,
    scope: 'control',
    handler: guarded(context.token, async (exchange) =>
      sendJson(exchange.response, 200, await handler(exchange, exchange.params.kb ?? '')),
    ),
  });
  return [
    route('GET', '', async () => ({
      kbs: await desk().list(),
      uploadBytes: await desk().reading.fileBytes(),
    })),
    route('POST', '', async (exchange) => desk().create(parseBody(kbBody, await exchange.json()))),
    route('GET', '/:kb', (_, kb) => desk().show(kb)),
    route('DELETE', '/:kb', async ({ query }, kb) => {
      const { keep } = parseBody(destroyQuery, once(query));
      await desk().destroy(kb, keep);
      return { name: kb, kept: keep };
    }),
    route('POST', '/:kb/ingest', async (exchange, kb) => {
      const { path } = parseBody(uploadQuery, once(exchange.query));
      if (path !== undefined) return desk().uploadFrom(kb, path, exchange.stream());
      return desk().ingest(kb, parseBody(ingestBody, await exchange.json()));
    }),
    route('POST', '/:kb/sync', async (exchange, kb) => {
      const { dryRun, ...order } = parseBody(syncBody, await exchange.json());
      if (dryRun) return { plans: await desk().upkeep.preview(kb, order, exchange.signal) };
      return { jobs: await desk().sync(kb, order) };
    }),
    route('DELETE', '/:kb/folders', ({ query }, kb) =>
      desk().unfollow(kb, parseBody(unfollowQuery, once(query))),
    ),
    route('POST', '/:kb/rebuild', ({ query }, kb) =>
      desk().rebuild(kb, parseBody(rebuildQuery, once(query)).only),
    ),
    ...upkeepRoutes(route, () => desk().upkeep),
    route('GET', '/:kb/jobs', async (_, kb) => ({ jobs: await desk().jobs(kb) })),
    route('GET', '/:kb/jobs/:job', ({ params, query, signal }, kb) => {
      const { seen } = parseBody(jobQuery, once(query));
      return desk().job(kb, jobId(params.job ?? ''), seen ?? null, signal);
    }),
    route('DELETE', '/:kb/jobs/:job', ({ params }, kb) => desk().cancel(kb, jobId(params.job ?? ''))),
    route('GET', '/:kb/documents', async ({ query }, kb) => ({
      documents: await desk().documents(kb, parseBody(pageQuery, once(query))),
    })),
    route('DELETE', '/:kb/documents/*path', async ({ params }, kb) => ({
      removed: await desk().removeDocument(kb, params.path ?? ''),
    })),
    route('GET', '/:kb/files', async ({ query }, kb) => ({
      files: await desk().files(kb, parseBody(filesQuery, once(query))),
    })),
    route('GET', '/:kb/files/*path', ({ params }, kb) => desk().file(kb, params.path ?? '')),
    route('GET', '/:kb/passages', (exchange, kb) => passagesRoute(desk().reading, exchange, kb)),
    {
      method: 'GET',
      path: `${BASE}/:kb/originals/:original`,
      scope: 'control',
      handler: guarded(context.token, (exchange) =>
        originalRoute(desk().reading, exchange, exchange.params.kb ?? ''),
      ),
    },
    ...shareRoutes(context, () => desk().shares),
    ...vaultRoutes(context, () => desk().vault),
    ...engineRoutes(context, () => desk().engines),
    ...vaultGrantRoutes(context, () => desk().vaultGrants),
    ...keptRoutes(route, () => desk().cache),
    ...graphRoutes(route, () => desk().graph),
    ...dreamRoutes(route, () => desk().dream),
    ...exchangeRoutes(route, () => desk().exchange),
    route('POST', '/:kb/search', async (exchange, kb) => {
      const query = parseBody(searchBody, await exchange.json());
      const language = languageFor(query.language, exchange.request.headers, query.query);
      return desk().search(kb, { ...query, language }, exchange.signal);
    }),
    {
      method: 'POST',
      path: `${BASE}/:kb/answer`,
      scope: 'control',
      handler: guarded(context.token, (exchange) =>
        answerRoute(context, () => desk().answers, exchange, exchange.params.kb ?? ''),
      ),
    },
    ...surfaceRoutes(
      { ...context, desk, watch: (...asked) => context.answering.watch(...asked) },
      { base: '/api/rag/v1', only: null },
    ),
  ];
}

/**
 * Engines that owners run, in the document. The shapes are those of `rag/engine-types.ts`.
 *
 * @module server/openapi/rag-engine
 */
import { disconnectQuery, engineBody, engineSearchBody } from '../rag/engine-bodies.ts';
import { answer, type Operation, pathParameter, queryParameter } from './operation.ts';
import { place } from './rag-schemas.ts';
import { requestSchema } from './request-schema.ts';
import {
  array,
  boolean,
  choice,
  count,
  described,
  milliseconds,
  nullable,
  number,
  object,
  ref,
  type Schema,
  string,
} from './schema.ts';
import { moment } from './swarm-parts.ts';

const learns = described('Who learns what, in sentences.', array(string));
const engine: Readonly<Record<string, Schema>> = {
  kb: string,
  kind: choice('postgres', 'qdrant'),
  address: described('Where it is, without credentials.', string),
  search: described('Whether searches ask it unless they say otherwise.', boolean),
  collection: described(
    'Name of what holds the vectors there; null before the first sync.',
    nullable(string),
  ),
  points: described('At the last sync.', nullable(count)),
  synced: nullable(moment),
  stale: described(
    'Whether the knowledge base changed since; null when that cannot be told.',
    nullable(boolean),
  ),
  learns,
};

export const ragEngineSchemas: Readonly<Record<string, Schema>> = {
  Engine: object(engine),
  EngineInfo: object({
    ...engine,
    about: described('Product and versions; null: it does not answer.', nullable(string)),
    count: described('Points that are there now.', nullable(count)),
    trouble: described('Why it does not answer.', nullable(object({ code: string, message: string }))),
  }),
  EngineFound: object({
    kb: string,
    about: string,
    hits: array(
      object({
        score: described('Cosine, as the engine computed it.', number),
        ...{ path: string, title: string, place, text: string },
      }),
    ),
    damaged: described('Hits whose text was not what was put there; they are left out.', count),
    times: object({ embed: milliseconds, search: milliseconds, texts: milliseconds }),
    learns,
  }),
};

const kb = pathParameter('kb', 'Name of the knowledge base.');
const own = { scope: 'control', error: 'OpenAiError' } as const;
const fault = {
  '404': answer('`kb_unknown`, `engine_not_connected`.', ref('OpenAiError'), ['x-should-retry']),
  '409': answer(
    '`engine_no_vectors`, `engine_connected`, `engine_behind`, `vault_off`.',
    ref('OpenAiError'),
    ['x-should-retry'],
  ),
  '502': answer('`engine_refused`, `engine_extension`, `engine_lost`, `engine_failed`.', ref('OpenAiError'), [
    'x-should-retry',
  ]),
  '503': answer('`engine_unreachable`.', ref('OpenAiError'), ['x-should-retry']),
  '504': answer('`engine_timeout`.', ref('OpenAiError'), ['x-should-retry']),
};
const job = answer('The job that makes it equal.', ref('KbJob'));

export const ragEngineOperations: readonly Operation[] = [
  {
    ...own,
    method: 'get',
    path: '/api/rag/engines',
    id: 'ragEngines',
    summary: 'List knowledge bases whose vectors lie in an engine',
    answers: { '200': answer('By name.', object({ engines: array(ref('Engine')) })) },
  },
  {
    ...own,
    method: 'get',
    path: '/api/rag/kbs/{kb}/engine',
    id: 'ragEngineInfo',
    summary: 'Show the engine of a knowledge base, and what it says',
    parameters: [kb],
    answers: { '200': answer('The engine.', ref('EngineInfo')), ...fault },
  },
  {
    ...own,
    method: 'post',
    path: '/api/rag/kbs/{kb}/engine',
    id: 'ragEngineConnect',
    summary: 'Put the vectors of a knowledge base into PostgreSQL with pgvector or into Qdrant',
    description:
      'For an engine that the owner runs: it sees vectors and questions as they are; texts lie there sealed. Neither can run `split`. Credentials are kept on this machine and never shown.',
    parameters: [kb],
    body: requestSchema(engineBody),
    answers: { '200': job, ...fault },
  },
  {
    ...own,
    method: 'post',
    path: '/api/rag/kbs/{kb}/engine/sync',
    id: 'ragEngineSync',
    summary: 'Bring the engine up to date',
    parameters: [kb],
    answers: { '200': job, ...fault },
  },
  {
    ...own,
    method: 'post',
    path: '/api/rag/kbs/{kb}/engine/search',
    id: 'ragEngineSearch',
    summary: 'Search by the engine alone',
    parameters: [kb],
    body: requestSchema(engineSearchBody),
    answers: { '200': answer('Passages, opened here, and what it took.', ref('EngineFound')), ...fault },
  },
  {
    ...own,
    method: 'delete',
    path: '/api/rag/kbs/{kb}/engine',
    id: 'ragEngineDisconnect',
    summary: 'Disconnect the engine',
    parameters: [
      kb,
      queryParameter('drop', 'Remove what is there first.', requestSchema(disconnectQuery.shape.drop)),
    ],
    answers: {
      '200': answer('Whether what was there is removed.', object({ dropped: boolean })),
      ...fault,
    },
  },
];

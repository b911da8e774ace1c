/**
 * The graph of a knowledge base, in the document. The shapes are those of `rag/graph-types.ts`.
 *
 * @module server/openapi/rag-graph
 */
import { mergeBody } from '../rag/graph-bodies.ts';
import { answer, type Operation, pathParameter, queryParameter } from './operation.ts';
import { operation, retried } from './rag-parts.ts';
import { chunkId, place } from './rag-schemas.ts';
import { requestSchema } from './request-schema.ts';
import {
  array,
  choice,
  count,
  described,
  nullable,
  number,
  object,
  pattern,
  ref,
  type Schema,
  string,
} from './schema.ts';
import { moment } from './swarm-parts.ts';

const key = described('The form under which names are compared.', string);
const type = described('Of schema.org; null: unknown.', nullable(string));
const community = described('Of the last communities that were made; null before.', nullable(count));
const day = pattern('^\\d{4}-\\d{2}-\\d{2}$', '1884-03-12');
const said = object({
  by: choice('rule', 'model', 'owner'),
  why: described('For people.', string),
});
const entity: Readonly<Record<string, Schema>> = {
  key,
  name: described('As it is mostly written.', string),
  type,
  aliases: array(string),
  mentions: described('Chunks that name it.', count),
  documents: count,
  community,
};

export const ragGraphSchemas: Readonly<Record<string, Schema>> = {
  KbEntity: object(entity),
  KbDate: object({
    from: described('First day.', day),
    to: described('Last day.', day),
    precision: choice('day', 'month', 'year', 'years'),
    written: described('As it stands there.', string),
    sentence: string,
    source: choice('text', 'property'),
    chunk: chunkId,
    path: string,
    title: string,
    place,
  }),
  KbEntityDetail: object({
    ...entity,
    said: described('Who says of what type it is.', nullable(said)),
    summary: nullable(object({ text: string, said })),
    relations: array(
      object({
        property: string,
        object: described(
          'What it leads to; null where that is a value.',
          nullable(object({ key, name: string })),
        ),
        value: nullable(string),
        said,
        chunk: described('That says so; null where the owner did.', nullable(chunkId)),
        sentence: nullable(string),
      }),
    ),
    places: described(
      'Documents that name it most, with the first chunks that do.',
      array(
        object({
          path: string,
          title: string,
          mentions: count,
          chunks: array(object({ id: chunkId, position: count, place, sentence: string }), { maxItems: 5 }),
        }),
        { maxItems: 50 },
      ),
    ),
    neighbours: described(
      'Named in the same chunks, the strongest tie first.',
      array(
        object({
          key,
          name: string,
          type,
          weight: described('Sum over those chunks of 1 / (names in it - 1).', number),
          shared: described('Chunks that name both.', count),
        }),
        { maxItems: 50 },
      ),
    ),
    timeline: array(ref('KbDate'), { maxItems: 50 }),
  }),
  KbNetwork: object({
    nodes: array(
      object({
        key: described('Of a document its path.', string),
        name: string,
        kind: choice('entity', 'document'),
        type,
        weight: described('Chunks that name it; of a document its chunks.', count),
        community,
      }),
      { maxItems: 5000 },
    ),
    edges: described(
      'Positions of two nodes, and how strong the tie is; each pair once.',
      array({ type: 'array', prefixItems: [count, count, number], minItems: 3, maxItems: 3 }),
    ),
    of: described('Nodes of the whole graph.', count),
  }),
  KbMerge: object({
    id: count,
    alias: key,
    entity: key,
    reason: string,
    run: described('The dream or import that it is undone with.', nullable(count)),
    made: moment,
    undone: described('Null while it holds.', nullable(moment)),
  }),
  KbCommunities: object({
    communities: array(
      object({
        id: described('From 0, the largest first.', count),
        name: described('Its weightiest members.', string),
        size: count,
        members: array(object({ key, name: string, mentions: count }), { maxItems: 20 }),
      }),
      { maxItems: 1000 },
    ),
    modularity: described("Newman's Q of the division.", number),
    of: described('Entities that were divided.', count),
  }),
};

const query = queryParameter;
const whole = (most: number, least = 1): Schema => ({ type: 'integer', minimum: least, maximum: most });
const unknown = {
  '404': answer('`entity_unknown`, `kb_unknown`, `kb_missing`.', ref('OpenAiError'), retried),
};

export const ragGraphOperations: readonly Operation[] = [
  operation(
    'get',
    '/{kb}/graph/entities',
    'ragGraphEntities',
    'List what the documents name',
    ['Those named most first.', object({ entities: array(ref('KbEntity'), { maxItems: 1000 }), of: count })],
    {
      parameters: [
        query('prefix', 'Some word of the name begins with it.', string),
        query('type', 'Of this type of schema.org, or one below it.', string),
        query('after', 'Key of the last one of the page before.', string),
        query('limit', 'How many; 100 unless said.', whole(1000)),
      ],
      answers: unknown,
    },
  ),
  operation(
    'get',
    '/{kb}/graph/entities/{key}',
    'ragGraphEntity',
    'Show a name: where it stands, what it is tied to, what is said of it, and when',
    ['It.', ref('KbEntityDetail')],
    { parameters: [pathParameter('key', 'Key or name.')], answers: unknown },
  ),
  operation(
    'get',
    '/{kb}/graph/network',
    'ragGraphNetwork',
    'A part of the graph to draw: the weightiest names, or those around one',
    ['Nodes and edges.', ref('KbNetwork')],
    {
      parameters: [
        query('around', 'Key or name.', string),
        query('limit', 'Nodes; 500 unless said.', whole(5000)),
        query(
          'documents',
          'With the documents that name them, a third of the nodes.',
          choice('true', 'false'),
        ),
      ],
      answers: unknown,
    },
  ),
  operation('get', '/{kb}/graph/merges', 'ragGraphMerges', 'List names that were made one', [
    'All that ever were, in their order.',
    object({ merges: array(ref('KbMerge')) }),
  ]),
  operation(
    'post',
    '/{kb}/graph/merges',
    'ragGraphMerge',
    'Make two names one, until that is undone',
    ['The merge.', ref('KbMerge')],
    { body: requestSchema(mergeBody), answers: unknown },
  ),
  operation(
    'delete',
    '/{kb}/graph/merges/{merge}',
    'ragGraphUnmerge',
    'Make them two names again',
    ['The merge, undone.', ref('KbMerge')],
    {
      parameters: [pathParameter('merge', 'Number of the merge.')],
      answers: {
        '404': answer('`merge_unknown`, `kb_unknown`, `kb_missing`.', ref('OpenAiError'), retried),
      },
    },
  ),
  operation(
    'get',
    '/{kb}/graph/proposals',
    'ragGraphProposals',
    'List names that probably stand for the same',
    ['By alias.', object({ proposals: array(object({ alias: key, entity: key, reason: string })) })],
  ),
  operation(
    'get',
    '/{kb}/graph/timeline',
    'ragGraphTimeline',
    'List the dates that the documents give, with their sentences',
    ['By the first day.', object({ entries: array(ref('KbDate'), { maxItems: 1000 }), of: count })],
    {
      parameters: [
        query('from', '`YYYY`, `YYYY-MM` or `YYYY-MM-DD`.', string),
        query('to', 'Likewise; dates that touch the span are given.', string),
        query('entity', 'Only what is said where this is named.', string),
        query('offset', 'How many to pass over.', whole(10_000_000, 0)),
        query('limit', 'How many; 100 unless said.', whole(1000)),
      ],
      answers: unknown,
    },
  ),
  operation(
    'get',
    '/{kb}/graph/communities',
    'ragGraphCommunities',
    'List communities: names that stand together more than with others',
    ['The largest first.', ref('KbCommunities')],
  ),
];

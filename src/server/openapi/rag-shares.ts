/**
 * Shared knowledge bases, and questions to several, in the document. The shapes are those of `rag/share-types.ts`.
 *
 * @module server/openapi/rag-shares
 */
import { acceptBody, federatedBody, giveBody, sharedAnswerBody } from '../rag/share-bodies.ts';
import { answer, type Operation, pathParameter } from './operation.ts';
import { operation, retried } from './rag-parts.ts';
import { chunkId, place } from './rag-schemas.ts';
import { requestSchema } from './request-schema.ts';
import {
  array,
  choice,
  count,
  described,
  milliseconds,
  nullable,
  number,
  object,
  pattern,
  ref,
  type Schema,
  string,
} from './schema.ts';
import { moment } from './swarm-parts.ts';

const id = pattern('^[0-9a-f]{32}$');
const grant: Readonly<Record<string, Schema>> = {
  id,
  issuer: described('PeerId of who gave it.', string),
  holder: described('PeerId of the only one who may use it.', string),
  kb: described('As its issuer calls it.', string),
  rights: array(choice('answer', 'search')),
  filter: described(
    'What of it may be seen; null: all.',
    nullable(object({}, { paths: array(string), tags: array(string) })),
  ),
  from: moment,
  until: moment,
  state: described('By the clock of this node.', choice('holds', 'to_come', 'expired', 'revoked')),
};
const evidence = nullable(array({}, { minItems: 2, maxItems: 2 }));

const hit: Readonly<Record<string, Schema>> = {
  id: chunkId,
  path: string,
  title: string,
  text: string,
  position: count,
  place,
  score: described('Comparable within this answer only.', number),
  words: described('BM25 and rank, where it was found first.', evidence),
  vector: described('Cosine and rank, where it was found first.', evidence),
};

export const ragShareSchemas: Readonly<Record<string, Schema>> = {
  KbGrantGiven: object({
    ...grant,
    text: described('The line that its holder accepts.', string),
    revoked: nullable(moment),
    used: described('Questions that were answered.', count),
    usedAt: nullable(moment),
    refused: described('Questions by its holder that were refused.', count),
    refusedAt: nullable(moment),
    refusedWhy: described('Why the last one was.', nullable(string)),
  }),
  KbGrantAccepted: object({
    ...grant,
    name: described('As questions name it: `@PEER:NAME`.', string),
    at: moment,
  }),
  KbFederated: object({
    hits: array(
      object({
        ...hit,
        places: array(object({ source: string, path: string, position: count, rank: count, score: number }), {
          minItems: 1,
        }),
      }),
      { maxItems: 50 },
    ),
    sources: array(
      object({
        source: described('As the question named it.', string),
        peer: described('PeerId; null: of this node.', nullable(string)),
        state: choice('answered', 'late', 'refused', 'offline', 'failed'),
        hits: count,
        trouble: nullable(object({ code: string, message: string })),
        embedder: described('Model of its vectors.', nullable(string)),
        ms: milliseconds,
      }),
    ),
    ms: milliseconds,
  }),
};

const share = { description: 'Only a running node shares: its swarm is on, and peers reach it by that.' };
const notHere = answer('`grant_unknown`.', ref('OpenAiError'), retried);
const idParameter = pathParameter('id', 'Of the grant.');
const at = (path: string, made: Operation): Operation => ({ ...made, path: `/api/rag${path}` });

export const ragShareOperations: readonly Operation[] = [
  operation(
    'post',
    '/{kb}/shares',
    'ragShareGive',
    'Give a peer a grant to search it',
    ['The grant; `text` is for the peer.', ref('KbGrantGiven')],
    {
      ...share,
      body: requestSchema(giveBody),
      answers: {
        '409': answer('`share_off`, or `locked`.', ref('OpenAiError'), retried),
        '429': answer(
          '`limit_reached`: the part is too large, or there are too many grants.',
          ref('OpenAiError'),
          retried,
        ),
      },
    },
  ),
  at(
    '/shares',
    operation('get', '', 'ragShares', 'List grants that were given and accepted', [
      'Newest first.',
      object({ given: array(ref('KbGrantGiven')), accepted: array(ref('KbGrantAccepted')) }),
    ]),
  ),
  at(
    '/shares/given/{id}',
    operation(
      'delete',
      '',
      'ragShareRevoke',
      'Revoke a grant, also for questions under way',
      ['It, revoked.', ref('KbGrantGiven')],
      { parameters: [idParameter], answers: { '404': notHere } },
    ),
  ),
  at(
    '/shares/accepted',
    operation(
      'post',
      '',
      'ragShareAccept',
      'Accept a grant, or all that a peer gave to this node',
      ['What was accepted.', object({ accepted: array(ref('KbGrantAccepted')) })],
      {
        body: requestSchema(acceptBody),
        answers: {
          '403': answer(
            '`rag_refused`: the peer shares nothing with this node.',
            ref('OpenAiError'),
            retried,
          ),
          '409': answer('`share_off`, `swarm_off`, or `locked`.', ref('OpenAiError'), retried),
          '502': answer('`swarm_unreachable`.', ref('OpenAiError'), retried),
          '503': answer('`swarm_down`.', ref('OpenAiError'), retried),
          '504': answer('`swarm_timeout`.', ref('OpenAiError'), retried),
        },
      },
    ),
  ),
  at(
    '/shares/accepted/{id}',
    operation(
      'delete',
      '',
      'ragShareForget',
      'Forget a grant that was accepted',
      ['Its id.', object({ id: string })],
      { parameters: [idParameter], answers: { '404': notHere } },
    ),
  ),
  at(
    '/search',
    operation(
      'post',
      '',
      'ragFederatedSearch',
      'Search several knowledge bases, of this node and of peers',
      ['One ranking, and how each answered.', ref('KbFederated')],
      {
        description:
          'All are asked at once. `kbs` names those of this node, and those of peers as `@PEER:NAME`. What does not answer by `deadlineMs` is left out and said to be late.',
        body: requestSchema(federatedBody),
        answers: {
          '403': answer('`privacy_unmet`: the question may go to none of them.', ref('OpenAiError'), retried),
          '404': answer('`kb_unknown`, `grant_unknown`.', ref('OpenAiError'), retried),
        },
      },
    ),
  ),
  at(
    '/shares/answer',
    operation(
      'post',
      '',
      'ragShareAnswer',
      'Have a peer answer from a knowledge base that it shares',
      [
        'Its words, which nobody here checked; `text` is empty where its documents do not say.',
        object({
          text: described('With `[1]` where a source is cited.', string),
          sources: array(object(hit), { maxItems: 50 }),
          peer: string,
          ms: milliseconds,
        }),
      ],
      {
        body: requestSchema(sharedAnswerBody),
        answers: {
          '403': answer('`privacy_unmet`, `grant_expired`, `rag_refused`.', ref('OpenAiError'), retried),
          '404': answer('`grant_unknown`.', ref('OpenAiError'), retried),
          '409': answer('`share_off`, `swarm_off`, or `locked`.', ref('OpenAiError'), retried),
          '429': answer('`rag_busy`.', ref('OpenAiError'), retried),
          '502': answer('`swarm_unreachable`.', ref('OpenAiError'), retried),
          '503': answer('`swarm_down`.', ref('OpenAiError'), retried),
          '504': answer('`swarm_timeout`.', ref('OpenAiError'), retried),
        },
      },
    ),
  ),
];

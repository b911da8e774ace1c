/**
 * The routes of serving blocks in the document. The shapes are those of `shards/serving.ts`.
 *
 * @module server/openapi/shard-serving
 */
import { TIERS } from '../../base/index.ts';
import { SERVED_STATES, serveSchema, stopSchema } from '../shards/serving.ts';
import { type Answer, answer, type Operation } from './operation.ts';
import { requestSchema } from './request-schema.ts';
import {
  array,
  boolean,
  choice,
  count,
  described,
  milliseconds,
  nullable,
  object,
  pattern,
  ref,
  type Schema,
  string,
} from './schema.ts';
import { peerId, rate } from './swarm-parts.ts';

const tier = choice(...TIERS);
const span = {
  model: string,
  from: described('First block.', count),
  to: described('The one after the last.', count),
};

export const servingSchemas: Readonly<Record<string, Schema>> = {
  ShardServing: object({
    peer: peerId,
    addresses: array(string),
    access: object({
      friends: count,
      minTier: described('Null: nobody by tier.', nullable(tier)),
      hours: described('Null: always.', nullable(string)),
    }),
    limits: object({
      sessions: count,
      sessionsPerPeer: count,
      cells: nullable(count),
      idleMs: milliseconds,
      leaseMs: milliseconds,
    }),
    served: array(ref('ServedBlocks')),
    sessions: array(ref('ShardSession')),
    announced: described(
      'What others are told.',
      array(
        object({
          model: string,
          blocks: array({ type: 'array', items: count, minItems: 2, maxItems: 2 }),
          tokensPerSecond: nullable(rate),
          freeCacheTokens: count,
          maxBatch: count,
          state: string,
        }),
      ),
    ),
    rebalancing: described(
      'Null: `shards.rebalance` is off.',
      nullable(
        object({
          nextLookMs: milliseconds,
          looks: array(ref('ShardLook')),
          lastMove: nullable(ref('ShardLook')),
        }),
      ),
    ),
    problems: array(string),
  }),
  ShardLook: object({
    ...span,
    agoMs: milliseconds,
    decision: choice('stay', 'wait', 'fetch', 'move'),
    wanted: described('Null: the blocks that it has.', nullable(object({ from: span.from, to: span.to }))),
    waitMs: described('Until it may have them; null: it does not wait.', nullable(milliseconds)),
    reasons: array(string),
  }),
  ServedBlocks: object({
    ...span,
    sha256: pattern('^[0-9a-f]{64}$'),
    blocks: described('Of the whole model.', count),
    auto: described('The node chose the range.', boolean),
    most: described('Blocks that a chosen range may have; null: as many as fit.', nullable(count)),
    state: choice(...SERVED_STATES),
    progress: nullable(object({ phase: string, doneBytes: count, totalBytes: nullable(count) })),
    problem: nullable(object({ code: string, message: string })),
    memory: nullable(object({ weightBytes: count, kvBytes: count })),
    device: nullable(string),
    cells: described('KV cells that can be lent.', count),
    freeCells: count,
    tokenMs: described('Of one token through the blocks, alone.', nullable(milliseconds)),
    sessions: count,
  }),
  ShardSession: object({
    peer: peerId,
    friend: boolean,
    tier,
    ...span,
    cells: count,
    ageMs: milliseconds,
    idleMs: milliseconds,
    leftMs: described('Until it ends when no step comes.', milliseconds),
    tokens: count,
    tokensPerSecond: described('Of late.', rate),
  }),
  ShardsStopping: object({ stopping: array(ref('ServedBlocks')) }),
};

const none = (code: string): Record<string, Answer> => ({
  '404': answer(code, ref('OpenAiError'), ['x-should-retry']),
});
const off: Readonly<Record<string, Answer>> = {
  '409': answer('`swarm_off`, or `shard_served_already`.', ref('OpenAiError'), ['x-should-retry']),
  '503': answer('`swarm_down`, or `shard_too_large`.', ref('OpenAiError'), ['x-should-retry']),
};

export const servingOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/kith/v1/shards/serving',
    id: 'kithShardServing',
    summary: 'Blocks that this node serves to peers, and who computes with them',
    scope: 'control',
    answers: { ...off, '200': answer('Now.', ref('ShardServing')) },
    error: 'OpenAiError',
  },
  {
    method: 'post',
    path: '/kith/v1/shards/serving',
    id: 'kithServeShard',
    summary: 'Fetch, load and serve blocks of a model',
    description: 'Answers at once; `GET` of the same path tells how far it is.',
    scope: 'control',
    body: requestSchema(serveSchema),
    answers: { ...off, ...none('`model_not_found`.'), '200': answer('It is begun.', ref('ServedBlocks')) },
    error: 'OpenAiError',
  },
  {
    method: 'post',
    path: '/kith/v1/shards/serving/stop',
    id: 'kithStopShard',
    summary: 'Serve blocks no longer, once their sessions are gone or `shards.drainMs` is over',
    scope: 'control',
    body: requestSchema(stopSchema),
    answers: { ...off, ...none('`shard_not_served`.'), '200': answer('It is begun.', ref('ShardsStopping')) },
    error: 'OpenAiError',
  },
];

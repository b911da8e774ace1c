/**
 * The routes of coverage and calibration in the document. The shapes are those of `shards/coverage.ts`.
 *
 * @module server/openapi/shard-coverage
 */
import { TIERS } from '../../base/index.ts';
import { PEER_STATES } from '../../swarm/index.ts';
import { waysSchema } from '../shards/coverage.ts';
import { type Answer, answer, type Operation, queryParameter } from './operation.ts';
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
  ref,
  type Schema,
  string,
} from './schema.ts';
import { hash, moment, peerId, rate, swarmOff } from './swarm-parts.ts';

const blocks = described('First block and the one after the last.', {
  type: 'array',
  items: count,
  minItems: 2,
  maxItems: 2,
});

export const coverageSchemas: Readonly<Record<string, Schema>> = {
  Coverages: object({
    models: array(ref('Coverage'), { maxItems: 64 }),
    more: described('More models are announced than are listed.', boolean),
  }),
  Coverage: object({
    model: hash,
    modelId: described('Its id on this node; null where it is not known.', nullable(string)),
    quantisation: nullable(string),
    blocks: count,
    blocksFrom: described(
      '`announced`: the model is not known here, and no peer announces a later block.',
      choice('model', 'announced'),
    ),
    peers: array(ref('ShardPeer')),
    stretches: described('All blocks in order, in stretches that as many serve.', array(ref('ShardStretch'))),
    gaps: described('Blocks that nobody serves who may be used.', array(blocks)),
    weakest: described('Null with a gap.', nullable(ref('ShardStretch'))),
    proposal: described(
      'What this node could serve; null where it does not know the model, or was not asked.',
      nullable(
        object({
          blocks: described('Null: nothing fits.', nullable(blocks)),
          tokensPerSecond: rate,
          bytes: described('Weights and KV cells.', { type: 'number', minimum: 0 }),
          gapsLeft: array(blocks),
          weakestAfter: described('Tokens a second at the weakest block then.', rate),
          reasons: array(string),
          command: described('What to type; null: nothing is to be done.', nullable(string)),
        }),
      ),
    ),
  }),
  ShardPeer: object({
    peer: peerId,
    self: boolean,
    blocks: array(blocks, { maxItems: 16 }),
    tier: choice(...TIERS),
    friend: boolean,
    rttMs: nullable(milliseconds),
    rttSource: choice('measured', 'claimed', 'unknown'),
    tokensPerSecond: described('Through all its blocks, as it says.', nullable(rate)),
    freeCells: count,
    state: choice(...PEER_STATES),
    usable: described('Whether paths of this node may go through it.', boolean),
    reason: described('Why not.', nullable(string)),
  }),
  ShardStretch: object({ blocks, times: count, tokensPerSecond: rate }),
  ShardCalibrations: object({
    models: array(
      object({
        model: hash,
        modelId: string,
        at: moment,
        device: string,
        threads: count,
        blocks: described('Those that were measured.', blocks),
        blockBytes: described('Mean bytes of their weights.', { type: 'number', minimum: 0 }),
        msPerBlock: described('One token through one block, alone.', milliseconds),
        promptRowsPerSecond: described('Through one block.', rate),
        together: described(
          'Sessions computed together, and milliseconds of a block for all of them.',
          array(object({ rows: count, ms: milliseconds })),
        ),
        loadMsPerBlock: milliseconds,
        fitting: described('Blocks that fit into memory.', count),
        cells: described('KV cells that they would lend.', count),
      }),
    ),
    ways: array(ref('ShardWay')),
  }),
  ShardWay: object({
    peer: peerId,
    at: moment,
    rttMs: milliseconds,
    bytesPerSecond: described('One direction; null: the peer does not answer such calls.', nullable(rate)),
  }),
  ShardWays: object({ ways: array(ref('ShardWay')) }),
};

const none: Readonly<Record<string, Answer>> = {
  '404': answer('`model_not_found`.', ref('OpenAiError'), ['x-should-retry']),
};

export const coverageOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/kith/v1/shards/coverage',
    id: 'kithShardCoverage',
    summary: 'Who serves which blocks of a model, what is missing, and what this node could serve',
    scope: 'control',
    parameters: [
      queryParameter('model', 'Id, or SHA-256 of its file; without it, all that are announced.', string),
      queryParameter('propose', 'Also what this node could serve.', choice('true', 'false')),
    ],
    answers: { ...swarmOff, ...none, '200': answer('As known now.', ref('Coverages')) },
    error: 'OpenAiError',
  },
  {
    method: 'get',
    path: '/kith/v1/shards/calibration',
    id: 'kithShardCalibration',
    summary: 'What was measured of this machine and of its ways to peers',
    scope: 'monitor',
    answers: { ...swarmOff, '200': answer('The newest of each.', ref('ShardCalibrations')) },
    error: 'OpenAiError',
  },
  {
    method: 'post',
    path: '/kith/v1/shards/calibration/ways',
    id: 'kithMeasureShardWays',
    summary: 'Measure the ways to peers that serve blocks',
    scope: 'control',
    body: requestSchema(waysSchema),
    answers: { ...swarmOff, ...none, '200': answer('To those who answered.', ref('ShardWays')) },
    error: 'OpenAiError',
  },
];

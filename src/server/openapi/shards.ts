/**
 * The routes of sharded inference in the document. The shapes are those of `shards/types.ts`.
 *
 * @module server/openapi/shards
 */
import { type Api, answer, queryParameter } from './operation.ts';
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
import { coverageOperations, coverageSchemas } from './shard-coverage.ts';
import { pathOperations, pathSchemas } from './shard-paths.ts';
import { servingOperations, servingSchemas } from './shard-serving.ts';
import { weightOperations, weightSchemas } from './shard-weights.ts';
import { hash, moment, peerId, swarmOff } from './swarm-parts.ts';

const modelId = described('Its id on this node; null where it is not known.', nullable(string));
const side = described('`given`: this node computed. `taken`: the peer did.', choice('given', 'taken'));
const base64 = described('Base64.', string);

const work: Readonly<Record<string, Schema>> = {
  prompt: described('Rows of prompts.', count),
  decode: described('Rows of answers.', count),
  replayed: described('Rows computed again, in the place of another shard.', count),
  steps: count,
  ms: described('In which a step was under way.', milliseconds),
};

const schemas: Readonly<Record<string, Schema>> = {
  WorkReceipts: object({
    receipts: array(ref('WorkReceipt'), { maxItems: 5000 }),
    total: count,
    totals: array(ref('WorkTotal')),
    contradictions: described(
      'Two receipts of one peer that cannot both be, with its signatures.',
      array(
        object({
          peer: peerId,
          at: moment,
          first: object({ receipt: base64, shardSignature: base64 }),
          second: object({ receipt: base64, shardSignature: base64 }),
        }),
      ),
    ),
  }),
  WorkReceipt: object({
    name: described('SHA-256 of the receipt.', pattern('^[0-9a-f]{64}$')),
    side,
    peer: peerId,
    state: described(
      '`signed` by both; `half`: the owner has not answered; `disputed`: his counts are others.',
      choice('signed', 'half', 'disputed'),
    ),
    reason: nullable(string),
    model: hash,
    modelId,
    blocks: described('First block and the one after the last.', {
      type: 'array',
      items: count,
      minItems: 2,
      maxItems: 2,
    }),
    sequence: described('Number among the receipts of this shard for this owner.', count),
    part: described('Which receipt of its session it is.', count),
    ...work,
    begun: described("By the shard's clock.", moment),
    ended: described("By the shard's clock.", moment),
    missingOne: described('The receipt before it, which it names, never came here.', boolean),
    receipt: described('What is signed, base64.', string),
    shardSignature: base64,
    ownerSignature: nullable(base64),
  }),
  WorkTotal: object({
    side,
    peer: described('`*`: of all that are not listed by themselves any more.', string),
    model: described("SHA-256 of the model's file; `*` with the peer `*`.", string),
    modelId,
    agreed: described('Whether both signed.', boolean),
    receipts: count,
    ...work,
    rowBlocks: described('Each row times the blocks that it went through.', count),
  }),
};

export const shardApi: Api = {
  tag: 'Kith shards',
  description: 'One model over several nodes: what is served, and what was computed for whom.',
  schemas: { ...coverageSchemas, ...pathSchemas, ...servingSchemas, ...weightSchemas, ...schemas },
  operations: [
    ...coverageOperations,
    ...pathOperations,
    ...servingOperations,
    ...weightOperations,
    {
      method: 'get',
      path: '/kith/v1/shards/receipts',
      id: 'kithWorkReceipts',
      summary: 'Receipts of what this node and its peers computed for each other, signed by both',
      scope: 'control',
      parameters: [
        queryParameter('peer', 'Of this peer alone.', string),
        queryParameter('side', 'Of one side alone.', choice('given', 'taken')),
        queryParameter('since', 'Kept since then, ms since 1970; sums are of these then.', count),
        queryParameter('limit', 'At most so many; 100 unless it says otherwise.', count),
      ],
      answers: { ...swarmOff, '200': answer('Newest first, with the sums.', ref('WorkReceipts')) },
      error: 'OpenAiError',
    },
  ],
};

/**
 * The routes of paths and circuits in the document. The shapes are those of `shards/paths.ts`.
 *
 * @module server/openapi/shard-paths
 */
import { TIERS } from '../../base/index.ts';
import { circuitSchema } from '../shards/paths.ts';
import { type Answer, answer, type Operation, pathParameter, queryParameter } from './operation.ts';
import { requestSchema } from './request-schema.ts';
import {
  array,
  boolean,
  choice,
  count,
  described,
  literal,
  milliseconds,
  nullable,
  number,
  object,
  ref,
  type Schema,
  string,
} from './schema.ts';
import { moment, peerId } from './swarm-parts.ts';

const range = { from: described('First block.', count), to: described('The one after the last.', count) };
const span = object(range);

const twice = {
  compared: described('Steps whose rows were compared before they were given.', count),
  alone: described('Steps that were computed once only.', count),
  unsettled: described('Times that rows differed and nobody could tell who was right.', count),
};

export const pathSchemas: Readonly<Record<string, Schema>> = {
  PathPlan: object({
    model: string,
    blocks: described('Of the model.', count),
    span: described('Blocks that peers compute; this node computes the others and both ends.', span),
    cells: described('KV cells that each of them is to lend.', count),
    path: nullable(
      object({
        shards: array(
          object({
            peer: peerId,
            ...range,
            computeMs: described('Predicted, of its blocks for one token.', milliseconds),
            linkMs: described('Predicted, of the way to it.', milliseconds),
          }),
        ),
        msPerToken: described('Predicted, with the way back.', milliseconds),
      }),
    ),
    gaps: described('Blocks that nobody serves who may be asked.', array(span)),
    alternatives: array(
      object({ without: peerId, msPerToken: nullable(milliseconds), peers: array(peerId) }),
    ),
    leftOut: array(object({ peer: peerId, reason: string, detail: string })),
  }),
  Circuit: object(
    {
      name: string,
      model: string,
      blocks: described('Of the model.', count),
      span,
      shards: array(object({ peer: peerId, addresses: array(string), ...range })),
      cells: count,
      type: described('How hidden states travel.', choice('f32', 'f16', 'i8', 'auto')),
      requirements: object(
        {},
        { minTier: choice(...TIERS), maxLatencyMs: milliseconds, regions: array(string), pledge: boolean },
      ),
      ordered: described('True: by its owner, and it stays until `endsAt`.', boolean),
      inUse: described('Answers that use it now.', count),
      openedAt: moment,
      usedAt: moment,
      endsAt: nullable(moment),
      msPerToken: described('Predicted.', milliseconds),
      figures: object(
        {
          steps: count,
          rows: count,
          ms: described('Of all steps together.', milliseconds),
          bytes: described('Of hidden states, out and back, before they are encoded.', count),
          pausedMs: milliseconds,
          lost: array(object({ peer: peerId, span, reason: string, at: moment })),
          joined: array(object({ peer: peerId, span, at: moment })),
        },
        { twice: object(twice) },
      ),
    },
    {
      others: described(
        'With `shards.redundancy` 2: who computes the same, for comparison; nobody where there are no others.',
        array(object({ peer: peerId, addresses: array(string), ...range })),
      ),
    },
  ),
  Circuits: object({ circuits: array(ref('Circuit')) }),
  CircuitClosed: object({ name: string, closed: literal(true) }),
};

const shard = { peer: peerId, ...range };
const pathTwice = described(
  'With `shards.redundancy` 2: who computed the same on a second path; nobody where there was none.',
  object({ by: array(object(shard)), ...twice }),
);

/** Of a receipt. */
export const receiptPath: Schema = described(
  'Which peers computed which blocks; absent where one machine computed all.',
  object(
    {
      circuit: string,
      blocks: described('Of the model.', count),
      span: described('Blocks that peers computed; ends, sampling and other blocks were here.', span),
      shards: described('When the answer ended, in order.', array(object(shard))),
      type: described('How hidden states travelled.', choice('f32', 'f16', 'i8', 'auto')),
      lost: described('Lost while the answer was made.', array(object({ ...shard, reason: string }))),
      joined: described('Those that took their places.', array(object(shard))),
      paused_ms: milliseconds,
      steps: described('While the answer was made, also of answers that shared the path.', count),
      step_ms: described('Mean, from hidden states out to hidden states back.', nullable(number)),
      bytes: described('Of hidden states, before they are encoded.', count),
    },
    { twice: pathTwice },
  ),
);

const off: Readonly<Record<string, Answer>> = {
  '409': answer('`swarm_off`: the swarm is not switched on; `circuit_exists`.', ref('OpenAiError'), [
    'x-should-retry',
  ]),
  '503': answer(
    '`swarm_down`, `path_gap`, `path_none`, `path_busy` or `circuits_full`.',
    ref('OpenAiError'),
    ['x-should-retry'],
  ),
};
const unknown = (what: string): Readonly<Record<string, Answer>> => ({
  '404': answer(what, ref('OpenAiError')),
});

export const pathOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/kith/v1/shards/plan',
    id: 'kithPathPlan',
    summary: 'Which peers would compute which blocks, what that would take, and why the others would not',
    scope: 'monitor',
    parameters: [
      queryParameter('model', 'Id of a model that this node knows.', string),
      queryParameter('minTier', 'Lowest tier of each peer.', choice(...TIERS)),
      queryParameter('region', 'Regions that will do, with commas between.', string),
      queryParameter('maxLatencyMs', 'Round trip to each peer at most.', count),
      queryParameter('pledge', 'Whether each peer has to have given the pledge.', choice('true', 'false')),
      queryParameter('via', 'Peers to go through: `PEER` or `PEER:FIRST-LAST`, with commas between.', string),
      queryParameter('cells', 'KV cells that each peer is to lend.', count),
    ],
    answers: {
      ...off,
      ...unknown('`model_not_found`.'),
      '200': answer('Also when there is no path.', ref('PathPlan')),
    },
    error: 'OpenAiError',
  },
  {
    method: 'get',
    path: '/kith/v1/shards/circuits',
    id: 'kithCircuits',
    summary: 'Paths that are open',
    scope: 'control',
    answers: { ...off, '200': answer('Now.', ref('Circuits')) },
    error: 'OpenAiError',
  },
  {
    method: 'post',
    path: '/kith/v1/shards/circuits',
    id: 'kithOpenCircuit',
    summary: 'Open a path and keep it',
    scope: 'control',
    body: requestSchema(circuitSchema),
    answers: { ...off, ...unknown('`model_not_found`.'), '200': answer('It is open.', ref('Circuit')) },
    error: 'OpenAiError',
  },
  {
    method: 'delete',
    path: '/kith/v1/shards/circuits/{name}',
    id: 'kithCloseCircuit',
    summary: 'Close a path; answers that use it end',
    scope: 'control',
    parameters: [pathParameter('name', 'Of the circuit.')],
    answers: {
      ...off,
      ...unknown('`circuit_unknown`.'),
      '200': answer('It is closed.', ref('CircuitClosed')),
    },
    error: 'OpenAiError',
  },
];

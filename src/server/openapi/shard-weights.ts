/**
 * The route that fetches bytes of blocks, in the document. The shapes are those of `shards/weights.ts`.
 *
 * @module server/openapi/shard-weights
 */
import { weightsSchema } from '../shards/weights.ts';
import { answer, type Operation } from './operation.ts';
import { requestSchema } from './request-schema.ts';
import { array, count, described, nullable, object, oneOf, ref, type Schema, string } from './schema.ts';
import { rate, swarmOff } from './swarm-parts.ts';

const bytes: Schema = { type: 'number', minimum: 0 };

export const weightSchemas: Readonly<Record<string, Schema>> = {
  WeightsProgress: object({
    progress: object({
      phase: string,
      doneBytes: bytes,
      totalBytes: described('Null: not known.', nullable(bytes)),
      rate: described('Bytes a second.', nullable(rate)),
      eta: described('Seconds.', nullable({ type: 'number', minimum: 0 })),
    }),
  }),
  WeightsFetched: object({
    done: object({
      path: described('The whole model, or a file of its length that has these bytes.', string),
      fetchedBytes: described('Over the network or from other files.', bytes),
      requests: count,
      sources: described('Who gave bytes: URIs, and PeerIds.', array(string)),
    }),
  }),
};

export const weightOperations: readonly Operation[] = [
  {
    method: 'post',
    path: '/kith/v1/shards/weights',
    id: 'kithFetchWeights',
    summary: 'Fetch the bytes of some blocks of a model, from peers that have them and from its sources',
    description: 'A client that leaves ends it. What came and was right stays, and is not fetched again.',
    scope: 'control',
    body: requestSchema(weightsSchema),
    answers: {
      ...swarmOff,
      '404': answer('`model_not_found`.', ref('OpenAiError'), ['x-should-retry']),
      '502': answer('`blocks_unobtainable`.', ref('OpenAiError'), ['x-should-retry']),
      '507': answer('`disk_full`.', ref('OpenAiError'), ['x-should-retry']),
      '200': {
        description: 'How far it is, then what it was; an error that came later is the last event.',
        content: {
          'text/event-stream': {
            schema: oneOf(ref('WeightsProgress'), ref('WeightsFetched'), ref('OpenAiError')),
            'x-end': '[DONE]',
          },
        },
      },
    },
    error: 'OpenAiError',
  },
];

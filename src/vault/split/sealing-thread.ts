/**
 * Worker thread: components of vectors, and their blocks sealed. Either takes a second and more.
 *
 * @module vault/split/sealing-thread
 */
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../base/index.ts';
import type { KeyUse } from '../keys/keys.ts';
import { fitProjection, type Projection, project } from '../vectors/pca.ts';
import { createKeeper, type SealedBlock } from './bob.ts';
import { DIMENSIONS } from './parameters.ts';
import { quantise } from './quantise.ts';

/** What sealing takes of a collection's keys. */
export interface SealingKeys {
  readonly collection: string;
  readonly epoch: number;
  readonly keys: Readonly<Partial<Record<KeyUse, Uint8Array>>>;
}

/** Vectors are row-major, each of as many numbers as `dimension`. */
export type SealingOrder =
  | { readonly do: 'fit'; readonly dimension: number; readonly vectors: Float32Array }
  | {
      readonly do: 'seal';
      readonly projection: Projection;
      readonly vectors: Float32Array;
      /** 16 bytes that were drawn for this block. */
      readonly name: Uint8Array;
    };

export type SealingReply =
  | { readonly type: 'fitted'; readonly projection: Projection }
  | { readonly type: 'sealed'; readonly block: SealedBlock }
  | { readonly type: 'failed'; readonly message: string };

const { keys } = workerData as SealingKeys;
const keeper = createKeeper({ key: (use) => keys[use]! });

function made(order: SealingOrder): SealingReply {
  const { vectors } = order;
  if (order.do === 'fit')
    return { type: 'fitted', projection: fitProjection(vectors, order.dimension, DIMENSIONS) };
  const { projection, name } = order;
  const rows = Array.from({ length: vectors.length / projection.from }, (_, i) =>
    quantise(project(projection, vectors.subarray(i * projection.from, (i + 1) * projection.from))),
  );
  return { type: 'sealed', block: keeper.seal(rows, { bytes: () => name }) };
}

parentPort!.on('message', (order: SealingOrder) => {
  try {
    parentPort!.postMessage(made(order));
  } catch (error) {
    parentPort!.postMessage({ type: 'failed', message: messageOf(error) } satisfies SealingReply);
  }
});

/**
 * A thread that seals vectors, so that the node answers others meanwhile.
 *
 * @module vault/split/sealing
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { entryBeside, KithError, type Random, throwIfAborted } from '../../base/index.ts';
import type { CollectionKeys } from '../keys/keys.ts';
import type { Projection } from '../vectors/pca.ts';
import type { SealedBlock } from './bob.ts';
import type { SealingKeys, SealingOrder, SealingReply } from './sealing-thread.ts';

/** One order at a time. Vectors are row-major; their memory is given away. */
export interface Sealing extends AsyncDisposable {
  fit(vectors: Float32Array<ArrayBuffer>, dimension: number): Promise<Projection>;
  /** @param random draws the name of the block */
  seal(
    projection: Projection,
    vectors: Float32Array<ArrayBuffer>,
    random: Pick<Random, 'bytes'>,
  ): Promise<SealedBlock>;
}

export function startSealing({ collection, epoch, key }: CollectionKeys, signal?: AbortSignal): Sealing {
  const workerData: SealingKeys = {
    ...{ collection, epoch },
    keys: { secret: key('secret'), noise: key('noise'), public: key('public') },
  };
  const thread = new Worker(entryBeside('./sealing-thread', import.meta.url), { execArgv: [], workerData });
  // Whoever waits is told by `once`; without anybody it would end the process.
  thread.on('error', () => {});

  async function ask(order: SealingOrder): Promise<SealingReply> {
    const answered = new AbortController();
    const both = signal === undefined ? answered.signal : AbortSignal.any([signal, answered.signal]);
    const ended = once(thread, 'exit', { signal: both }).then(() => {
      throw new KithError('split_sealing_failed', 'The thread that seals vectors ended. Try again.', {
        status: 500,
      });
    });
    // It is refused when the answer came first.
    ended.catch(() => {});
    try {
      const reply = once(thread, 'message', { signal: both }) as Promise<[SealingReply]>;
      thread.postMessage(order, [order.vectors.buffer as ArrayBuffer]);
      const [made] = await Promise.race([reply, ended]);
      if (made.type !== 'failed') return made;
      throw new KithError('split_sealing_failed', `Vectors could not be sealed: ${made.message}.`, {
        status: 500,
      });
    } catch (error) {
      throwIfAborted(signal);
      throw error;
    } finally {
      answered.abort();
    }
  }

  const wrong = () => new RangeError('The thread answered something else.');
  return {
    async fit(vectors, dimension) {
      const reply = await ask({ do: 'fit', dimension, vectors });
      if (reply.type !== 'fitted') throw wrong();
      return reply.projection;
    },
    async seal(projection, vectors, random) {
      const reply = await ask({ do: 'seal', projection, vectors, name: random.bytes(16) });
      if (reply.type !== 'sealed') throw wrong();
      return reply.block;
    },
    async [Symbol.asyncDispose]() {
      await thread.terminate();
    },
  };
}

/**
 * Embedding models of architectures or tokenizers that are not written here.
 *
 * @module engine/whole/embedding
 */
import type { LlamaEmbeddingContext, Token } from 'node-llama-cpp';
import { throwIfAborted } from '../../base/index.ts';
import { type HostedModel, normaliseRows } from '../process/hosted.ts';
import type { PooledInput, Sized } from './model.ts';

export async function openEmbedding({ base, input, model, plan, opened }: PooledInput): Promise<Sized> {
  // The library wants its context longer than any input.
  const size = plan.context + 1;
  const context: LlamaEmbeddingContext = opened.use(
    await model.createEmbeddingContext({
      contextSize: size,
      batchSize: size,
      threads: input.options.threads,
      createSignal: input.signal,
      ignoreMemorySafetyChecks: true,
    }),
  );
  const dimension = model.embeddingVectorSize;
  let queued = 0;
  let tail: Promise<unknown> = Promise.resolve();
  const embed: HostedModel['embed'] = (rows, signal) => {
    queued++;
    const run = tail.then(async () => {
      const vectors = new Float32Array(rows.length * dimension);
      for (const [index, row] of rows.entries()) {
        throwIfAborted(signal);
        const { vector } = await context.getEmbeddingFor([...row] as Token[]);
        vectors.set(vector, index * dimension);
      }
      normaliseRows(vectors, dimension);
      return { vectors, dimension };
    });
    const done = run.finally(() => queued--);
    tail = done.catch(() => {});
    return done;
  };
  return {
    ...base,
    sizes: { kvCells: 0, kvBytes: 0 },
    generate: null,
    embed,
    rank: null,
    status: () => ({ active: Math.min(1, queued), queued: Math.max(0, queued - 1), counters: {} }),
    drain: async () => void (await tail),
    close: async () => void (await tail),
  };
}

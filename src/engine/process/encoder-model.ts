/**
 * An encoder on Kith's own graph: texts in, vectors out.
 *
 * @module engine/process/encoder-model
 */
import { systemClock, throwIfAborted } from '../../base/index.ts';
import { openEmbedder, planPasses } from '../runner/index.ts';
import { createEmbedQueue } from './embed-queue.ts';
import { hostedEncoder, readEncoder } from './encoder-parts.ts';
import type { HostedModel } from './hosted.ts';
import type { KithModelInput } from './kith-model.ts';
import { planMemory } from './plan.ts';

export async function openEncoder(input: KithModelInput): Promise<HostedModel> {
  const { gguf, source, request, compute, watchPass, signal, onProgress } = input;
  const startedAt = performance.now();
  const file = readEncoder(input);
  planMemory({
    ...{ ...input, id: request.id, weightBytes: file.weightBytes },
    ...{ kvBytesPerCell: 0, contextTrained: 512 },
  });
  throwIfAborted(signal);
  const runner = await openEmbedder(compute, { gguf, source, onProgress });
  const { info } = runner;
  const { dimension } = info;
  const queue = createEmbedQueue<Int32Array>(
    { dimension, plan: planPasses, embed: (rows) => watchPass(() => runner.embed(rows)) },
    input.options,
    systemClock,
  );
  return hostedEncoder(input, {
    ...{ ...file, startedAt, task: 'embedding', runner, queue },
    context: Math.min(info.context, input.options.context ?? info.context),
    does: {
      embed: async (rows, stop) => ({ vectors: await queue.embed(rows, stop), dimension }),
      rank: null,
    },
  });
}

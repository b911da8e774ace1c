/** Bytes of blocks that the running node fetches, from its peers and from the model's sources. @module cli/commands/shard-weights */
import { isKithError } from '../../base/index.ts';
import type { BlockRange } from '../../models/index.ts';
import type { FetchedWeights, WeightsEvent } from '../../server/index.ts';
import type { NodeClient } from '../client.ts';
import type { StoreIo } from './models.ts';

/** Codes of a node that has no peers to ask. */
const ALONE: ReadonlySet<string> = new Set(['swarm_off', 'swarm_down', 'route_not_found']);

/** Null: the node has no swarm. */
export async function weightsThrough(
  node: Pick<NodeClient, 'stream'>,
  model: string,
  { from, to, embedding }: BlockRange,
  { signal, onProgress }: StoreIo,
): Promise<FetchedWeights | null> {
  const body = { model, from, to, ends: embedding === true };
  try {
    let fetched: FetchedWeights | null = null;
    for await (const event of node.stream('/kith/v1/shards/weights', body, signal)) {
      const told = event as WeightsEvent;
      if ('progress' in told) onProgress(told.progress);
      else fetched = told.done;
    }
    return fetched;
  } catch (error) {
    if (isKithError(error) && ALONE.has(error.code)) return null;
    throw error;
  }
}

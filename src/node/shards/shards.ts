/**
 * Sharded inference of a node while its swarm runs: serving blocks, paths through peers, what is known of a model's coverage.
 *
 * @module node/shards/shards
 */
import type { ShardDesk } from '../../server/index.ts';
import type { BlockOffer, ShardParts } from './types.ts';

export interface NodeShards extends AsyncDisposable {
  readonly desk: ShardDesk;
  /** Blocks that are served now. */
  offers(): readonly BlockOffer[];
}

export async function openShards(_parts: ShardParts): Promise<NodeShards> {
  await using stack = new AsyncDisposableStack();
  const owned = stack.move();
  return {
    desk: {},
    offers: () => [],
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

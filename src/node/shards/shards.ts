/**
 * Sharded inference of a node while its swarm runs: serving blocks, paths through peers, what is known of a model's coverage.
 *
 * @module node/shards/shards
 */
import type { ShardDesk } from '../../server/index.ts';
import { openPaths } from './paths.ts';
import { openServing } from './serving.ts';
import type { BlockOffer, ShardParts } from './types.ts';
import { openNodeWeights } from './weights.ts';
import { openNodeWork, workDesk } from './work.ts';

export interface NodeShards extends AsyncDisposable {
  readonly desk: ShardDesk;
  /** Blocks that are served now. */
  offers(): readonly BlockOffer[];
}

export async function openShards(parts: ShardParts): Promise<NodeShards> {
  await using stack = new AsyncDisposableStack();
  // First in and last out: sessions write to it as they end.
  const work = stack.use(openNodeWork(parts));
  // Before what needs blocks that peers have.
  stack.use(openNodeWeights(parts));
  const paths = stack.use(openPaths(parts, work));
  const serving = stack.use(await openServing({ ...parts, work }));
  const owned = stack.move();
  return {
    desk: {
      paths: paths.desk,
      work: workDesk(work.store, parts.models),
      serving: serving.desk,
    },
    offers: () => serving.offers(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

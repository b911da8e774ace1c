/**
 * Sharded inference of a node while its swarm runs: serving blocks, paths through peers, what is known of a model's coverage.
 *
 * @module node/shards/shards
 */
import type { ShardDesk } from '../../server/index.ts';
import { nodeCoverage } from './coverage.ts';
import { type NodeCovering, openCovering } from './covering.ts';
import { answerPeersInNeed } from './needs.ts';
import { openPaths } from './paths.ts';
import { watchPresence } from './presence.ts';
import { type NodeServing, openServing } from './serving.ts';
import type { BlockOffer, ShardParts } from './types.ts';
import { watchModels } from './watching.ts';
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
  const weights = stack.use(openNodeWeights(parts));
  const presence = stack.use(watchPresence(parts));
  // What is served is asked for when it is looked at, by then it is open.
  const watched = stack.use(watchModels(parts));
  const coverage = nodeCoverage({ ...parts, presence, watched, ranges: () => serving.ranges() });
  const choose = async (model: string, most: number | null) => (await coverage.choose(model, most)).span;
  const serving: NodeServing = stack.use(
    await openServing({
      ...{ ...parts, choose, work },
      rebalancing: () => covering.rebalancing?.view() ?? null,
    }),
  );
  stack.use(answerPeersInNeed(parts, serving));
  const covering: NodeCovering = stack.use(openCovering({ ...parts, presence }, serving, coverage));
  const paths = stack.use(openPaths(parts, work, serving, presence));
  const owned = stack.move();
  return {
    desk: {
      coverage: covering.desk,
      paths: paths.desk,
      work: workDesk(work.store, parts.models),
      serving: serving.desk,
      weights: weights.desk,
    },
    offers: () => serving.offers(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/**
 * The bytes of models between this node and its peers while the swarm runs: given to those that may compute here, and got
 * from those that announce the model when blocks of it are to be served or an end of it is needed.
 *
 * @module node/shards/weights
 */
import type { BlockProvider } from '../../models/index.ts';
import type { WeightsDesk } from '../../server/index.ts';
import { peerWeights, serveWeights, type WeightPeer, type WeightService } from '../../shards/index.ts';
import { findPeers } from '../../swarm/index.ts';
import { shardServingPolicy } from './serving-policy.ts';
import type { ShardParts } from './types.ts';

export interface NodeWeights extends Disposable {
  readonly desk: WeightsDesk;
  readonly service: Pick<WeightService, 'sentBytes' | 'sessions'>;
  readonly provider: BlockProvider;
}

type Parts = Pick<
  ShardParts,
  'config' | 'models' | 'swarm' | 'registry' | 'trust' | 'views' | 'clock' | 'log'
>;

export function openNodeWeights(parts: Parts): NodeWeights {
  const { models, swarm, registry, trust, views, clock, log } = parts;
  const policy = shardServingPolicy(parts);

  /** A friend's word, or that of a trusted peer, says which bytes a model has. Any peer may give the bytes themselves. */
  const vouches = (peer: string): boolean => policy.isFriend(peer) || views.standing(peer).tier === 'trusted';

  /** Who announces the model, whole or in blocks, and friends that are connected: those whose word counts first. */
  async function peersWith(model: string): Promise<WeightPeer[]> {
    const found = new Map<string, WeightPeer>();
    for (const serves of ['blocks', 'chat', 'embeddings'] as const)
      for (const { peer, announcement } of findPeers(registry, { model, serves }, views, clock.now())
        .candidates)
        if (!found.has(peer))
          found.set(peer, { peer, addresses: announcement.addrs, vouches: vouches(peer) });
    for (const { peer } of await swarm.links())
      if (policy.isFriend(peer) && !found.has(peer)) found.set(peer, { peer, vouches: true });
    return [...found.values()].sort((a, b) => Number(b.vouches) - Number(a.vouches));
  }

  using stack = new DisposableStack();
  const service = stack.use(
    serveWeights({ swarm, models, admit: (peer) => void policy.rankOf(peer), clock, log }),
  );
  const provider = peerWeights({
    ...{ swarm, clock, log },
    peers: peersWith,
    onLiar: (peer) => trust.observe(peer, 'conduct', 0),
  });
  stack.use(models.provide(provider));
  const owned = stack.move();
  const desk: WeightsDesk = {
    async fetch({ model, from, to, ends }, io) {
      const range = { from, to, embedding: ends, head: ends };
      const got = await models.ensureBlocks(model, range, { ...io, download: true });
      const { path, fetchedBytes, requests, sources } = got;
      return { path, fetchedBytes, requests, sources };
    },
  };
  return { desk, service, provider, [Symbol.dispose]: () => owned.dispose() };
}

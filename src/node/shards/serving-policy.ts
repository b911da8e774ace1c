/**
 * Who may compute with the blocks that this node serves: the owner's friends, and peers of a tier and above, in the hours in which
 * the node serves peers at all.
 *
 * @module node/shards/serving-policy
 */
import { type Clock, type Config, KithError, reaches, type Tier } from '../../base/index.ts';
import { isOpen } from '../../gateway/index.ts';
import { type Rank, rankOf } from '../../shards/index.ts';
import type { Registry } from '../../swarm/index.ts';
import type { Trust } from '../../trust/index.ts';
import { hoursOf } from '../swarm-serving.ts';

export interface ServingPolicy {
  /** How much the peer gets. @throws KithError `shard_denied` (403), `shard_closed` (503) with `retryAfter` */
  rankOf(peer: string): Rank;
  isFriend(peer: string): boolean;
  /** Whether it may have this node load blocks. @throws as `rankOf` */
  mayHaveLoaded(peer: string): void;
}

const MINUTES = 24 * 60;

export function shardServingPolicy({
  config,
  registry,
  trust,
  clock,
}: {
  readonly config: Config;
  readonly registry: Pick<Registry, 'self'>;
  readonly trust: Pick<Trust, 'tier'>;
  readonly clock: Pick<Clock, 'now'>;
}): ServingPolicy {
  const friends = new Set(config.swarm.friends);
  const { serveTier, standIn } = config.shards;
  const { serveHours } = config.swarm;
  const hours = serveHours === '' ? null : hoursOf(serveHours);
  // Paths of this node go through what it serves, too.
  const isFriend = (peer: string) => peer === registry.self || friends.has(peer);
  const isAtLeast = (tier: Tier, least: Tier | 'nobody' | 'friends') =>
    least !== 'nobody' && least !== 'friends' && reaches(tier, least);
  const policy: ServingPolicy = {
    isFriend,
    mayHaveLoaded(peer) {
      if (peer === registry.self) return;
      policy.rankOf(peer);
      if (standIn !== 'nobody' && (isFriend(peer) || isAtLeast(trust.tier(peer), standIn))) return;
      throw new KithError('shard_denied', 'This node loads no blocks for yours.', { status: 403 });
    },
    rankOf(peer) {
      const tier = trust.tier(peer);
      // Whether there is anything to serve at all is no stranger's business.
      if (!isFriend(peer) && !isAtLeast(tier, serveTier))
        throw new KithError(
          'shard_denied',
          'This node does not compute for yours. Ask its owner to name your node a friend.',
          { status: 403 },
        );
      if (peer === registry.self) return rankOf(tier, true);
      const now = new Date(clock.now());
      const minute = now.getHours() * 60 + now.getMinutes();
      if (!isOpen({ hours }, minute))
        throw new KithError('shard_closed', 'This node computes for peers at other hours of its day.', {
          status: 503,
          retryAfter: 60 * ((hours!.from - minute + MINUTES) % MINUTES),
        });
      return rankOf(tier, isFriend(peer));
    },
  };
  return policy;
}

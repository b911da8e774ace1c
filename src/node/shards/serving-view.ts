/**
 * What is told of the blocks that this node serves: to others in announcements, to the owner in full.
 *
 * @module node/shards/serving-view
 */
import type { AnnouncedBlocks, RebalancingView, ServedView, ServingView } from '../../server/index.ts';
import type { Admission } from '../../shards/index.ts';
import type { ServedRange } from './served-range.ts';
import type { ServingPolicy } from './serving-policy.ts';
import type { BlockOffer, ShardParts } from './types.ts';

/** Of the measured rate, what is promised: the way and other sessions cost too. */
const CAUTION = 0.8;

/** Blocks that are served now, that are about to be given up, or that are to come; one offer for each model. */
export function offersOf(
  ranges: readonly ServedRange[],
  admission: Admission,
  sessions: number,
): BlockOffer[] {
  const served = ranges.filter(({ state }) => state !== 'failed');
  return [...Map.groupBy(served, ({ want }) => want.sha256).values()].map((all): BlockOffer => {
    const ready = all.filter(({ state }) => state === 'ready');
    const draining = all.filter(({ state }) => state === 'draining');
    // There is one state for all: what is served goes before what is given up, and that before what is to come.
    const told = ready.length > 0 ? ready : draining.length > 0 ? draining.slice(0, 1) : all;
    const { sha256, quantisation } = told[0]!.manifest;
    const tokenMs = told.reduce((sum, range) => sum + (range.tokenMs ?? 0), 0);
    return {
      model: { hash: sha256, quant: quantisation },
      blocks: told.map(({ want }) => [want.from, want.to] as const).sort(([one], [other]) => one - other),
      tokensPerSecond: tokenMs > 0 ? Math.round((CAUTION * 1e4) / tokenMs) / 10 : null,
      freeCacheTokens:
        ready.length === 0 ? 0 : Math.min(...ready.map(({ id, cells }) => admission.freeCells(id, cells))),
      maxBatch: sessions,
      state: ready.length > 0 ? 'online' : draining.length > 0 ? 'draining' : 'joining',
    };
  });
}

export interface ServingViewParts extends Pick<ShardParts, 'config' | 'swarm' | 'trust'> {
  readonly policy: ServingPolicy;
  readonly admission: Admission;
  /** What is announced. */
  readonly ranges: readonly ServedRange[];
  /** Blocks that stand in for others. */
  readonly standIns: readonly ServedRange[];
  readonly served: readonly ServedView[];
  readonly rebalancing: RebalancingView | null;
  /** Beside those of the ranges. */
  readonly problems: readonly string[];
}

export function servingView(parts: ServingViewParts): ServingView {
  const { config, swarm, trust, policy, admission, ranges, served, problems, rebalancing } = parts;
  const all = [...ranges, ...parts.standIns];
  const { friends, serveHours } = config.swarm;
  const { serveTier, sessions, sessionsPerPeer, cells, idleMs, leaseMs } = config.shards;
  const isOpen = friends.length > 0 || serveTier !== 'nobody';
  return {
    peer: swarm.peer,
    addresses: swarm.addresses,
    access: {
      friends: friends.length,
      minTier: serveTier === 'nobody' ? null : serveTier,
      hours: serveHours === '' ? null : serveHours,
    },
    limits: { sessions, sessionsPerPeer, cells, idleMs, leaseMs },
    served,
    sessions: admission.all().flatMap(({ pool, peer, cells, ageMs, idleMs, leftMs, rows, rowsPerSecond }) => {
      const range = all.find(({ id }) => id === pool);
      if (range === undefined) return [];
      const { model, from, to } = range.want;
      return {
        ...{ peer, friend: policy.isFriend(peer), tier: trust.tier(peer), model, from, to, cells },
        ...{ ageMs, idleMs, leftMs, tokens: rows, tokensPerSecond: rowsPerSecond },
      };
    }),
    announced: offersOf(ranges, admission, sessions).map(({ model, blocks, ...rest }): AnnouncedBlocks => {
      const name = ranges.find(({ want }) => want.sha256 === model?.hash)?.want.model ?? '';
      return { model: name, blocks, ...rest };
    }),
    rebalancing,
    problems: [
      ...problems,
      ...(isOpen || ranges.length === 0
        ? []
        : [
            'Nobody may compute with the blocks: name a friend (swarm.friends), or a tier (shards.serveTier).',
          ]),
      ...ranges.flatMap(({ problem }) => problem?.message ?? []),
    ],
  };
}

/**
 * Coverage and rebalancing of a node while its swarm runs: what its owner sees of it, and the loop that moves blocks which were
 * chosen by themselves.
 *
 * @module node/shards/covering
 */
import type { CoverageDesk } from '../../server/index.ts';
import type { BlockSpan } from '../../shards/index.ts';
import { keepCalibrations, readCalibrations } from './calibration-file.ts';
import type { NodeCoverage } from './coverage.ts';
import type { Presence } from './presence.ts';
import { type Rebalancing, startRebalancing } from './rebalance.ts';
import type { NodeServing } from './serving.ts';
import type { ShardParts } from './types.ts';
import { answerWays, measureWays } from './ways.ts';

export interface NodeCovering extends AsyncDisposable {
  readonly desk: CoverageDesk;
  /** Null: the owner has switched it off. */
  readonly rebalancing: Rebalancing | null;
}

/** Peers to whom the way is measured at once. */
const MOST_WAYS = 8;

export function openCovering(
  parts: ShardParts & { readonly presence: Pick<Presence, 'note'> },
  serving: Pick<NodeServing, 'ranges' | 'move' | 'desk'>,
  coverage: NodeCoverage,
): NodeCovering {
  const { config, swarm, clock, log } = parts;
  const { rebalance, rebalanceRestMs, lookMs, drainMs } = config.shards;
  const answering = answerWays(swarm);
  const rebalancing = rebalance
    ? startRebalancing({
        ...parts,
        ...{ othersOf: coverage.othersOf, lookMs },
        // Whoever moves has announced it, and the next one has looked.
        limits: {
          restMs: rebalanceRestMs,
          gapRestMs: rebalanceRestMs / 10,
          turnMs: 2 * lookMs,
          patienceMs: 8 * lookMs,
        },
        serving: {
          ranges: serving.ranges,
          move: serving.move,
          async swap(old, to, signal) {
            await serving.desk.stop({ model: old.model, from: old.from });
            const until = clock.monotonic() + drainMs + 10_000;
            const isThere = () =>
              serving.ranges().some(({ sha256, from }) => sha256 === old.sha256 && from === old.from);
            while (isThere() && clock.monotonic() < until) await clock.sleep(100, signal);
            const begin = ({ from, to: end }: BlockSpan) =>
              serving.desk.serve({
                ...{ model: old.model, from, blocks: end - from, auto: true, most: old.most },
              });
            await begin(to);
            const state = () =>
              serving
                .ranges()
                .find(
                  ({ sha256, from, to: end }) => sha256 === old.sha256 && from === to.from && end === to.to,
                )?.state;
            for (let now = state(); now !== 'ready'; now = state()) {
              if (now === 'failed') {
                log.warn('the other blocks cannot be served; the node takes its own again', {
                  model: old.model,
                });
                await begin(old);
                return;
              }
              if (now === undefined) return;
              await clock.sleep(100, signal);
            }
          },
        },
        log: log.child('rebalance'),
      })
    : null;

  return {
    rebalancing,
    desk: {
      coverage: (model, propose) => coverage.view(model, propose),
      calibration: () => readCalibrations(config.home),
      async measureWays(model, signal) {
        const { models } = await coverage.view(model, false);
        const peers = new Set(
          models.flatMap((one) =>
            one.peers.filter(({ usable, self }) => usable && !self).map(({ peer }) => peer),
          ),
        );
        const ways = await measureWays(swarm, [...peers].slice(0, MOST_WAYS), clock, log, signal);
        if (ways.length > 0) await keepCalibrations(config.home, { ways });
        return ways;
      },
    },
    async [Symbol.asyncDispose]() {
      answering[Symbol.dispose]();
      await rebalancing?.[Symbol.asyncDispose]();
    },
  };
}

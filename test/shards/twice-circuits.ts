/**
 * Circuits whose every step two paths compute, over peers that a test gives.
 *
 * @module test/shards/twice-circuits
 */
import { silentLogger, systemClock, systemRandom } from '../../src/base/index.ts';
import type { Engine } from '../../src/engine/index.ts';
import {
  type Circuits,
  type CircuitsOptions,
  type CircuitUse,
  openCircuits,
  planPath,
  planSecond,
  planSubstitute,
  type ShardCandidate,
  type Verdict,
} from '../../src/shards/index.ts';
import type { Swarm } from '../../src/swarm/index.ts';

export interface TwiceCircuits {
  readonly circuits: Circuits;
  readonly verdicts: readonly Verdict[];
  /** Who may be asked. */
  readonly here: ShardCandidate[];
  take(): Promise<CircuitUse>;
}

/** @param model SHA-256 of the model of 6 blocks that is at `file` */
export function twiceCircuits(
  parts: { readonly engine: Engine; readonly owner: Swarm; readonly model: string; readonly file: string },
  candidates: readonly ShardCandidate[],
  more: Partial<CircuitsOptions> = {},
): TwiceCircuits {
  const { engine, owner, model: sha256, file } = parts;
  const verdicts: Verdict[] = [];
  const here = [...candidates];
  const free = (without: ReadonlySet<string> = new Set()) => here.filter(({ peer }) => !without.has(peer));
  const circuits = openCircuits({
    ...{ engine, swarm: owner, redundancy: 2, limits: { lookMs: 0 } },
    choose({ span, cells, via, exclude }) {
      const named = via?.flatMap(({ peer }) => free().filter((one) => one.peer === peer)) ?? free(exclude);
      return { plan: planPath({ span, cells }, named), leftOut: [] };
    },
    substitute: ({ cells }, span, lost) => planSubstitute({ span, cells }, free(), lost),
    second: ({ cells }, span, without) => planSecond({ span, cells }, free(), without),
    unmet: () => null,
    ...{ clock: systemClock, random: systemRandom, log: silentLogger },
    ...more,
    audit: { share: 0, ...more.audit, onVerdict: (verdict) => verdicts.push(verdict) },
  });
  const model = { id: 'stories', sha256, blocks: 6, context: 256, template: null, ends: async () => file };
  const wish = { model, requirements: {}, own: 0, cells: 256, name: null, conversation: null };
  return { circuits, verdicts, here, take: () => circuits.take(wish, new AbortController().signal) };
}

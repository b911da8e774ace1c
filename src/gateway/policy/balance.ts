/**
 * Which of several equal nodes is asked next.
 *
 * @module gateway/policy/balance
 */
import type { Random } from '../../base/index.ts';
import type { Conditions } from '../resilience/index.ts';
import type { Balancing, Candidate } from './types.ts';

export interface BalancerOptions {
  readonly conditions: Conditions;
  readonly random: Pick<Random, 'float'>;
}

export interface Balancer {
  /**
   * Puts the nodes of one group in the order in which they are asked. Nothing is used up by it: the same call gives the
   * same order until `used`.
   */
  order(group: string, nodes: readonly Candidate[]): Candidate[];
  /** The order of this group was acted upon. */
  used(group: string): void;
}

/**
 * - `round-robin`: each in turn
 * - `least-connections`: the one with the fewest calls under way, in turn among equals
 * - `random`: each with the same chance
 * - `latency`: of two drawn at random the one with the lower expected wait, latency × (calls under way + 1): the power of
 *   two choices (Mitzenmacher 2001) with peak EWMA. It leaves a slow node quickly and never runs after a single fast one
 *
 * Those not asked first follow as a failure would be met: in turn, or by load.
 */
export function createBalancer(kind: Balancing, { conditions, random }: BalancerOptions): Balancer {
  /** Groups are those of the configuration, so there are few. */
  const turns = new Map<string, number>();
  const turnOf = (group: string): number => turns.get(group) ?? 0;
  // Drawn ahead, so that an explanation shows what the next request will meet.
  let first = random.float();
  let second = random.float();

  const inFlight = ({ backend }: Candidate): number => conditions.of(backend.name).inFlight;
  const load = ({ backend }: Candidate): number => conditions.of(backend.name).load;

  return {
    order(group, nodes) {
      const count = nodes.length;
      if (count < 2) return [...nodes];
      switch (kind) {
        case 'round-robin':
          return rotated(nodes, turnOf(group) % count);
        case 'least-connections': {
          const sorted = [...nodes].sort((a, b) => inFlight(a) - inFlight(b));
          const least = sorted.filter((node) => inFlight(node) === inFlight(sorted[0]!));
          // The turn is that of the equals: were it that of all, whoever follows a busy one would have two turns.
          return [...rotated(least, turnOf(group) % least.length), ...sorted.slice(least.length)];
        }
        case 'random':
          return rotated(nodes, Math.floor(first * count));
        case 'latency': {
          const one = Math.floor(first * count);
          const other = (one + 1 + Math.floor(second * (count - 1))) % count;
          const pick = load(nodes[other]!) < load(nodes[one]!) ? other : one;
          const rest = nodes.filter((_, index) => index !== pick).sort((a, b) => load(a) - load(b));
          return [nodes[pick]!, ...rest];
        }
      }
    },
    used(group) {
      if (kind === 'round-robin' || kind === 'least-connections')
        turns.set(group, (turnOf(group) + 1) % Number.MAX_SAFE_INTEGER);
      else {
        first = random.float();
        second = random.float();
      }
    },
  };
}

function rotated(nodes: readonly Candidate[], by: number): Candidate[] {
  return [...nodes.slice(by), ...nodes.slice(0, by)];
}

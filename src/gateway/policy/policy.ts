/**
 * The choice: hard filters, then groups by score, then balancing within a group, then what the conversation is used to.
 *
 * `decide` is on the path of every request; `explain` says the same with its reasons, and uses nothing up: it shows what
 * the next request like it will meet.
 *
 * @module gateway/policy/policy
 */
import type { Random } from '../../base/index.ts';
import type { Conditions } from '../resilience/index.ts';
import { type Balancer, createBalancer } from './balance.ts';
import { exclusionOf } from './filter.ts';
import { refusal } from './refusal.ts';
import { defaultWeights, partsOf, scoreOf } from './score.ts';
import { createStickiness, type Place, type Stickiness } from './stickiness.ts';
import type { Balancing, Candidate, Exclusion, Explanation, Needs, Verdict, Weights } from './types.ts';

export interface PolicyOptions {
  readonly conditions: Conditions;
  readonly random: Pick<Random, 'float'>;
  /** @default 'round-robin' */
  readonly balancing?: Balancing;
  /** @default defaultWeights */
  readonly weights?: Partial<Weights>;
  /** Conversations that are remembered. @default 10_000 */
  readonly conversations?: number;
}

export interface Policy {
  /**
   * Those that may answer, in the order in which to ask them.
   *
   * @throws KithError when none may: `privacy_unmet`, `region_unmet` (403), `capability_missing`,
   * `context_length_exceeded` (400), `budget_exceeded` (429), `backends_unavailable` (503, with retry-after)
   */
  decide(candidates: readonly Candidate[], needs: Needs): Candidate[];
  /** Never throws: a choice of none is explained too. */
  explain(candidates: readonly Candidate[], needs: Needs): Explanation;
  /** The candidate answered for the conversation. */
  remember(conversation: string | null, candidate: Candidate): void;
  readonly stickiness: Stickiness;
}

export function createPolicy(options: PolicyOptions): Policy {
  const { conditions, balancing = 'round-robin' } = options;
  const weights = { ...defaultWeights, ...options.weights };
  const balancer = createBalancer(balancing, options);
  const stickiness = createStickiness(options.conversations);

  const scoreFor = (needs: Needs) => (candidate: Candidate) =>
    scoreOf(partsOf(candidate, needs, conditions.of(candidate.backend.name)), weights);
  const placeOf = ({ conversation }: Needs): Place | null =>
    conversation === null ? null : stickiness.of(conversation);

  return {
    decide(candidates, needs) {
      const allowed: Candidate[] = [];
      for (const candidate of candidates) {
        const condition = conditions.of(candidate.backend.name);
        if (exclusionOf(candidate, needs, condition) === null) allowed.push(candidate);
      }
      if (allowed.length === 0)
        throw refusal(candidates, exclusionsOf(candidates, needs, conditions), conditions);
      const balanced = rankBalanced(allowed, scoreFor(needs), conditions, balancer);
      const ranked = settle(balanced, placeOf(needs), conditions);
      if (ranked[0] === balanced[0]) balancer.used(ranked[0]!.group);
      return ranked;
    },
    explain(candidates, needs) {
      const exclusions = exclusionsOf(candidates, needs, conditions);
      const allowed = candidates.filter((_, index) => exclusions[index] === null);
      const place = placeOf(needs);
      const balanced = rankBalanced(allowed, scoreFor(needs), conditions, balancer);
      const ranked = settle(balanced, place, conditions);
      const score = scoreFor(needs);
      const rows = candidates.map((candidate, index): Verdict => {
        const excluded = exclusions[index]!;
        const rank = ranked.indexOf(candidate);
        const parts =
          excluded === null ? partsOf(candidate, needs, conditions.of(candidate.backend.name)) : null;
        return {
          backend: candidate.backend.name,
          model: candidate.model,
          group: candidate.group,
          rank: excluded === null ? rank : null,
          excluded,
          score: excluded === null ? score(candidate) : null,
          parts,
          why: excluded?.reason ?? why(candidate, ranked, balanced, place, score, balancing, conditions),
        };
      });
      const chosen = ranked[0];
      return {
        chosen: chosen === undefined ? null : { backend: chosen.backend.name, model: chosen.model },
        balancing,
        weights,
        candidates: rows.sort((a, b) => (a.rank ?? Number.MAX_VALUE) - (b.rank ?? Number.MAX_VALUE)),
      };
    },
    remember(conversation, candidate) {
      if (conversation !== null) stickiness.remember(conversation, candidate);
    },
    stickiness,
  };
}

function exclusionsOf(
  candidates: readonly Candidate[],
  needs: Needs,
  conditions: Conditions,
): (Exclusion | null)[] {
  return candidates.map((candidate) => exclusionOf(candidate, needs, conditions.of(candidate.backend.name)));
}

/** Groups by their best score, nodes as the balancer says; those that failed lately behind all others. */
function rankBalanced(
  allowed: readonly Candidate[],
  score: (candidate: Candidate) => number,
  conditions: Conditions,
  balancer: Balancer,
): Candidate[] {
  const isWell = ({ backend }: Candidate): boolean => !conditions.of(backend.name).demoted;
  const well = allowed.every(isWell) ? allowed : allowed.filter(isWell);
  const ranked = inGroups(well, score, balancer);
  return well.length === allowed.length
    ? ranked
    : [
        ...ranked,
        ...inGroups(
          allowed.filter((one) => !isWell(one)),
          score,
          balancer,
        ),
      ];
}

function inGroups(
  candidates: readonly Candidate[],
  score: (candidate: Candidate) => number,
  balancer: Balancer,
): Candidate[] {
  const first = candidates[0];
  if (first === undefined) return [];
  if (candidates.every(({ group }) => group === first.group)) return balancer.order(first.group, candidates);
  // There are few groups: looking through them is faster than a map.
  const groups: { readonly name: string; readonly nodes: Candidate[]; best: number }[] = [];
  for (const candidate of candidates) {
    const own = score(candidate);
    const group = groups.find(({ name }) => name === candidate.group);
    if (group === undefined) groups.push({ name: candidate.group, nodes: [candidate], best: own });
    else {
      group.nodes.push(candidate);
      group.best = Math.min(group.best, own);
    }
  }
  groups.sort((a, b) => a.best - b.best);
  return groups.flatMap(({ name, nodes }) => balancer.order(name, nodes));
}

/** Keeps a conversation where it was, unless the choice is better; what is worse comes last. */
function settle(ranked: Candidate[], place: Place | null, conditions: Conditions): Candidate[] {
  if (place === null) return ranked;
  const notWorse = ranked.filter(({ quality }) => quality >= place.quality);
  const worse = ranked.filter(({ quality }) => quality < place.quality);
  const used = notWorse.findIndex((one) => isPlace(one, place) && !conditions.of(one.backend.name).demoted);
  if (used > 0 && notWorse[0]!.quality === place.quality) notWorse.unshift(...notWorse.splice(used, 1));
  return [...notWorse, ...worse];
}

function isPlace({ backend, model }: Candidate, place: Place): boolean {
  return backend.name === place.backend && model === place.model;
}

function why(
  candidate: Candidate,
  ranked: readonly Candidate[],
  balanced: readonly Candidate[],
  place: Place | null,
  score: (candidate: Candidate) => number,
  balancing: Balancing,
  conditions: Conditions,
): string {
  const first = ranked[0]!;
  if (candidate === first) {
    if (place !== null && isPlace(candidate, place)) return 'the conversation was answered by it before';
    const others = balanced.filter(({ group }) => group === candidate.group).length;
    return others > 1 ? `best group, and its turn by ${balancing}` : 'best score';
  }
  if (place !== null && candidate.quality < place.quality)
    return `the conversation has had better (quality ${place.quality}, this is ${candidate.quality})`;
  if (conditions.of(candidate.backend.name).demoted)
    return 'it failed lately and comes after those that did not';
  if (place !== null && isPlace(first, place)) return `the conversation keeps to '${first.backend.name}'`;
  if (candidate.group === first.group) return `not its turn by ${balancing}`;
  const own = score(candidate);
  return `score ${own.toFixed(3)} against ${score(first).toFixed(3)} of '${first.backend.name}', lower is better`;
}

/**
 * Who may answer at all. These are never weighed against anything.
 *
 * @module gateway/policy/filter
 */
import type { SpentBudget } from '../accounting/types.ts';
import type { Condition } from '../resilience/index.ts';
import type { Candidate, Exclusion, FilterName, Needs } from './types.ts';

/** The first filter that keeps the candidate out, or null. The owner's rules come before the machine's troubles. */
export function exclusionOf(candidate: Candidate, needs: Needs, condition: Condition): Exclusion | null {
  const privacy = needs.privacy(candidate);
  if (privacy !== null) return { filter: 'privacy', reason: privacy };
  const peer = needs.peer?.(candidate);
  if (peer) return out('peer', peer);
  const { regions } = needs;
  // Where a peer is, it says itself; where others are, their owner.
  if (
    regions !== null &&
    peer === undefined &&
    (candidate.region === null || !regions.includes(candidate.region))
  )
    return out(
      'region',
      `its region ${candidate.region ?? 'is unknown and'} is not among ${regions.join(', ')}`,
    );
  if (needs.tools && !candidate.tools) return out('tools', 'it does not call tools');
  if (needs.json && !candidate.json) return out('json', 'it does not hold answers to a JSON schema');
  if (needs.vision && !candidate.vision) return out('vision', 'it does not read images');
  const { context } = candidate;
  // The answer may be cut by the window; a prompt that leaves no room for one token of it cannot be answered.
  if (context !== null && needs.promptTokens !== null && needs.promptTokens >= context)
    return out('context', `the prompt has about ${needs.promptTokens} tokens and its window ${context}`);
  const budget = budgetExclusion(candidate, needs);
  if (budget !== null) return budget;
  if (condition.coolMs > 0) return out('cooling', `it asked for a pause, ${seconds(condition.coolMs)} more`);
  const { breaker } = condition;
  if (!breaker.admits)
    return out(
      'breaker',
      breaker.state === 'open'
        ? `its breaker is open, ${seconds(breaker.waitMs)} more`
        : 'its breaker is half open and a trial call is under way',
    );
  return null;
}

/** Expected money for the request; null when the price is unknown. */
export function costOf({ price }: Candidate, { promptTokens, completionTokens }: Needs): number | null {
  if (price === null) return null;
  return ((promptTokens ?? 0) * price.prompt + (completionTokens ?? 0) * price.completion) / 1e6;
}

function budgetExclusion(candidate: Candidate, needs: Needs): Exclusion | null {
  const left = needs.left?.(candidate) ?? null;
  if (left === 0) return spentExclusion(needs.spent?.(candidate) ?? null);
  const budget =
    left === null || needs.budget === null ? (left ?? needs.budget) : Math.min(left, needs.budget);
  if (budget === null) return null;
  const cost = costOf(candidate, needs);
  if (cost === null) return out('budget', 'its price is not known and there is a budget');
  if (cost === 0) return null;
  if (cost > budget) return out('budget', `it would cost about ${cost.toPrecision(2)}, ${budget} is left`);
  return null;
}

function spentExclusion(spent: SpentBudget | null): Exclusion {
  if (spent === null) return out('budget', 'a budget for it is spent');
  const { name, until } = spent;
  const anew = until === null ? '' : ` and begins anew at ${new Date(until).toISOString().slice(0, 16)}Z`;
  return { ...out('budget', `the budget '${name}' is spent${anew}`), spent };
}

function out(filter: FilterName, reason: string): Exclusion {
  return { filter, reason };
}

function seconds(ms: number): string {
  return `${Math.ceil(ms / 1000)} s`;
}

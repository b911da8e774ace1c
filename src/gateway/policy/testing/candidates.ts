/**
 * Candidates and needs for tests of the policy.
 *
 * @module gateway/policy/testing/candidates
 */
import { createManualClock, createSeededRandom } from '../../../base/index.ts';
import { createConditions, limitsFor } from '../../resilience/index.ts';
import type { Backend } from '../../types.ts';
import { type Candidate, createPolicy, type Needs, type PolicyOptions } from '../index.ts';

export function candidate(name: string, options: Partial<Candidate> = {}): Candidate {
  return {
    // The policy reads its name and nothing else.
    backend: { name } as Backend,
    model: 'm',
    context: null,
    continues: false,
    limits: limitsFor({ parameters: null }),
    group: name,
    order: 0,
    quality: 0,
    tools: true,
    json: true,
    vision: true,
    region: null,
    price: { prompt: 0, completion: 0 },
    ...options,
  };
}

/** Nodes of one group. */
export const nodes = (count: number): Candidate[] =>
  Array.from({ length: count }, (_, index) => candidate(`n${index}`, { group: 'g' }));

export const needs = (options: Partial<Needs> = {}): Needs => ({
  promptTokens: null,
  completionTokens: null,
  tools: false,
  json: false,
  vision: false,
  regions: null,
  budget: null,
  privacy: () => null,
  conversation: null,
  ...options,
});

export function createBench(options: Partial<PolicyOptions> = {}, seed = 1) {
  const clock = createManualClock();
  const conditions = createConditions({ now: clock.monotonic });
  const policy = createPolicy({ conditions, random: createSeededRandom(seed), ...options });
  return { clock, conditions, policy };
}

export const names = (candidates: readonly Candidate[]): string[] =>
  candidates.map(({ backend }) => backend.name);

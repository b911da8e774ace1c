/**
 * Which names of agents and models have rows of their own. Agents are named by callers: without a bound each request
 * could make a row.
 *
 * @module gateway/accounting/names
 */
import type { RowName } from './store.ts';
import type { Budget } from './types.ts';

/** Stands for the names beyond the bound. */
export const OTHER = 'other';
const maxLength = 200;

export interface Names {
  /** The name, or `other` when the day has its number of names. */
  agent(name: string): string;
  model(name: string): string;
  /** Begins a day on which these were named. */
  begin(agents: readonly string[], models: readonly string[]): void;
  /** Names under which rows are kept for good: those that budgets ask for. */
  lasting(row: RowName): RowName;
}

/** @param most different agents, and different models, besides those that budgets name */
export function createNames(most: number, budgets: readonly Budget[]): Names {
  const own = {
    agent: new Set(['', ...budgets.flatMap(({ agent }) => agent ?? [])]),
    model: new Set(budgets.flatMap(({ model }) => model ?? [])),
  };
  const seen = { agent: new Set<string>(), model: new Set<string>() };
  const bounded = (of: 'agent' | 'model', name: string): string => {
    if (seen[of].has(name) || own[of].has(name)) return name;
    const cut = name.slice(0, maxLength);
    if (seen[of].has(cut)) return cut;
    if (seen[of].size >= most) return OTHER;
    seen[of].add(cut);
    return cut;
  };
  return {
    agent: (name) => bounded('agent', name),
    model: (name) => bounded('model', name),
    begin(agents, models) {
      seen.agent = new Set(agents.filter((name) => !own.agent.has(name)).slice(0, most));
      seen.model = new Set(models.filter((name) => !own.model.has(name)).slice(0, most));
    },
    lasting: (row) => ({
      ...row,
      agent: own.agent.has(row.agent) ? row.agent : OTHER,
      model: own.model.has(row.model) ? row.model : OTHER,
    }),
  };
}

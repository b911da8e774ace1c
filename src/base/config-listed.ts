/**
 * The lists of the configuration put together from config.yaml, variables and the preset, with where each part came
 * from.
 *
 * @module base/config-listed
 */
import type { ConfigProblem } from './config-check.ts';
import { type Env, readAgentModels } from './config-env.ts';
import type { ReadList } from './config-lists.ts';
import type { AgentConfig, BackendConfig, BudgetConfig, ListName, Lists } from './settings/lists.ts';
import { PRESETS } from './settings/presets.ts';

/** One row of `kith config show` beside the keys: a backend, a field of an agent, a budget, a pattern. */
export interface ListedRow {
  /** `backends.home`, `agents.strategy.model`, `budgets[0]`. */
  readonly key: string;
  /** For people; without keys and headers. */
  readonly value: string;
  readonly origin: string;
}

export interface ListSources {
  readonly read: readonly ReadList[];
  /** Path of config.yaml. */
  readonly file: string;
  readonly env: Env;
  readonly preset: keyof typeof PRESETS;
  readonly problems: ConfigProblem[];
}

export function resolveLists(sources: ListSources): {
  readonly lists: Lists;
  readonly rows: readonly ListedRow[];
} {
  const { file, env, preset, problems } = sources;
  const rows: ListedRow[] = [];
  const given = <N extends ListName>(name: N) =>
    sources.read.find((list) => list.name === name) as (ReadList & { readonly value: Lists[N] }) | undefined;

  const backends = given('backends');
  checkNames(backends, file, problems);
  backends?.value.forEach((backend, index) => {
    rows.push({
      key: `backends.${backend.name}`,
      value: backendText(backend),
      origin: `${file}:${backends.line(['backends', index])}`,
    });
  });

  const inFile = given('agents');
  const ownAgents = byLowerName(inFile, file, problems);
  const models = readAgentModels(env, ownAgents.keys(), problems);
  const fromPreset = PRESETS[preset].agents;
  const agents: Record<string, AgentConfig> = {};
  for (const name of new Set([...ownAgents.keys(), ...models.keys(), ...Object.keys(fromPreset)])) {
    const { own, written } = ownAgents.get(name) ?? { own: {} as AgentConfig, written: name };
    const merged: Record<string, string> = {};
    for (const field of ['model', 'privacy', 'route'] as const) {
      const variable = field === 'model' ? models.get(name) : undefined;
      const usual = Object.hasOwn(fromPreset, name) ? fromPreset[name]![field] : undefined;
      const value = variable?.model ?? own[field] ?? usual;
      if (value === undefined) continue;
      merged[field] = value;
      const origin =
        variable?.origin ??
        (own[field] === undefined
          ? `preset:${preset}`
          : `${file}:${inFile!.line(['agents', written, field])}`);
      rows.push({ key: `agents.${name}.${field}`, value, origin });
    }
    agents[name] = merged;
  }

  const budgets = given('budgets');
  budgets?.value.forEach((budget, index) => {
    rows.push({
      key: `budgets.${budget.name ?? index}`,
      value: budgetText(budget),
      origin: `${file}:${budgets.line(['budgets', index])}`,
    });
  });

  const patterns = given('patterns');
  patterns?.value.forEach(({ name, pattern, class: found = 'other' }, index) => {
    rows.push({
      key: `patterns.${name}`,
      value: `${found} ${pattern}`,
      origin: `${file}:${patterns.line(['patterns', index])}`,
    });
  });

  const lists: Lists = {
    backends: backends?.value ?? [],
    agents,
    budgets: budgets?.value ?? [],
    patterns: patterns?.value ?? [],
  };
  deepFreeze(lists);
  return { lists, rows };
}

/** Names of agents compare without case; two that differ in nothing else would hide one another. */
function byLowerName(
  list: (ReadList & { readonly value: Lists['agents'] }) | undefined,
  file: string,
  problems: ConfigProblem[],
): Map<string, { readonly own: AgentConfig; readonly written: string }> {
  const found = new Map<string, { readonly own: AgentConfig; readonly written: string }>();
  for (const [written, own] of Object.entries(list?.value ?? {})) {
    const name = written.toLowerCase();
    const other = found.get(name);
    if (other === undefined) {
      found.set(name, { own, written });
      continue;
    }
    const key = `agents.${written}`;
    const message = `${key} and agents.${other.written} are one agent: names of agents have no case; write it once.`;
    problems.push({ key, origin: `${file}:${list!.line(['agents', written])}`, message });
  }
  return found;
}

function checkNames(
  list: (ReadList & { readonly value: readonly BackendConfig[] }) | undefined,
  file: string,
  problems: ConfigProblem[],
): void {
  const seen = new Map<string, string>([['local', "this machine's engine"]]);
  list?.value.forEach((backend, index) => {
    const place = `backends[${index}]`;
    const names = backend.nodes?.map((_, node) => `${backend.name}-${node + 1}`) ?? [backend.name];
    for (const name of names) {
      const other = seen.get(name);
      if (other !== undefined) {
        const origin = `${file}:${list.line(['backends', index, 'name'])}`;
        const message = `${place}.name makes a backend '${name}', and so does ${other}; give it another name.`;
        problems.push({ key: `${place}.name`, origin, message });
      }
      seen.set(name, place);
    }
  });
}

function backendText(backend: BackendConfig): string {
  const { name: _name, kind, url, nodes, key, headers, ...rest } = backend;
  const hidden = [...(key === undefined ? [] : ['key']), ...(headers === undefined ? [] : ['headers'])];
  const more = Object.entries(rest).map(
    ([field, value]) => `${field}=${typeof value === 'object' ? JSON.stringify(value) : value}`,
  );
  return [kind, ...(nodes ?? [url ?? '']), ...more, ...hidden.map((field) => `${field}=[secret]`)]
    .filter((part) => part !== '')
    .join(' ');
}

function budgetText({ name: _name, per, money, tokens, ...who }: BudgetConfig): string {
  const amounts = [
    ...(money === undefined ? [] : [`${money}`]),
    ...(tokens === undefined ? [] : [`${tokens} tokens`]),
  ];
  const whom = Object.entries(who).map(([field, value]) => `${field} ${value}`);
  const when = per === 'all' ? 'in all' : `per ${per}`;
  return `${amounts.join(' or ')} ${when} for ${whom.length === 0 ? 'all together' : whom.join(', ')}`;
}

function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const inner of Object.values(value)) deepFreeze(inner);
}

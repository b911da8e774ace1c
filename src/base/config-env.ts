/**
 * The environment as a layer of the configuration: the keys' own variables, and those of other programs.
 *
 * @module base/config-env
 */
import { type ConfigProblem, nearest, parseValue, showValue } from './config-check.ts';
import { CONFIG_KEYS, type ConfigKey, envName, settingOf } from './config-schema.ts';
import { isModelName } from './settings/forms.ts';
import type { OtherName } from './settings/setting.ts';

export type Env = Readonly<Record<string, string | undefined>>;

/** Variables that begin with KITH_ and are not settings: left to tests, benchmarks and development. */
const FREE_ENV = /^KITH_(TEST|BENCH|DEV)_/;

/** Agents whose model variable is documented by the programs they come from. */
export const KNOWN_AGENTS = ['kai', 'guardrail', 'genetic', 'wellness'] as const;

/** Variables of other programs, and the keys that they set. */
export const OTHER_NAMES: ReadonlyMap<string, { readonly key: ConfigKey; readonly other: OtherName }> =
  new Map(
    CONFIG_KEYS.flatMap((key) =>
      (settingOf(key).alsoEnv ?? []).map((other) => [other.name, { key, other }] as const),
    ),
  );

export interface FromEnv {
  readonly value: unknown;
  readonly origin: string;
}

/** Values that the environment sets. An empty variable is an unset one: that is how shells and service files unset them. */
export function readEnv(env: Env, problems: ConfigProblem[]): Map<ConfigKey, FromEnv> {
  const keys = new Map(CONFIG_KEYS.map((key) => [envName(key), key]));
  const found = new Map<ConfigKey, FromEnv>();
  const own = new Map<ConfigKey, FromEnv>();
  for (const [name, text] of Object.entries(env)) {
    if (text === undefined || text === '') continue;
    const origin = `env:${name}`;
    const known = OTHER_NAMES.get(name);
    if (known !== undefined) {
      const value = parseValue(known.key, text, origin, problems, known.other);
      if (value !== undefined) found.set(known.key, { value, origin });
      continue;
    }
    if (!name.startsWith('KITH_') || FREE_ENV.test(name)) continue;
    const key = keys.get(name);
    if (key === undefined) {
      const near = nearest(name, [...keys.keys()]);
      const hint = near === null ? 'Run "kith config list" to see every name.' : `Did you mean ${near}?`;
      problems.push({
        key: name,
        origin,
        message: `Unknown environment variable ${name.slice(0, 80)}. ${hint}`,
      });
      continue;
    }
    const value = parseValue(key, text, origin, problems);
    if (value !== undefined) own.set(key, { value, origin });
  }
  for (const [key, entry] of own) found.set(key, entry);
  return found;
}

/** `strategy` -> `STRATEGY_AGENT_MODEL`. */
export function agentVariable(agent: string): string {
  return `${agent.toUpperCase().replaceAll(/[.-]/g, '_')}_AGENT_MODEL`;
}

/** Models that variables give to agents. Only agents that are known are looked for: other programs have such names too. */
export function readAgentModels(
  env: Env,
  agents: Iterable<string>,
  problems: ConfigProblem[],
): Map<string, { readonly model: string; readonly origin: string }> {
  const found = new Map<string, { readonly model: string; readonly origin: string }>();
  for (const agent of new Set([...KNOWN_AGENTS, ...agents])) {
    const name = agentVariable(agent);
    const model = env[name];
    if (model === undefined || model === '') continue;
    const origin = `env:${name}`;
    if (isModelName(model)) found.set(agent, { model, origin });
    else {
      const message = `${showValue(model)} is not allowed for ${name}; allowed: a model or alias, at most 200 characters.`;
      problems.push({ key: `agents.${agent}.model`, origin, message });
    }
  }
  return found;
}

/**
 * The node's configuration: defaults, then `<home>/config.yaml`, then the environment, then flags. Every value
 * knows where it came from; everything wrong is reported at once, by name.
 *
 * @module base/config
 */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { type ConfigProblem, checkKey, configError, hideUserInfo, parseValue } from './config-check.ts';
import { readEnv } from './config-env.ts';
import { configFilePath, readConfigFile } from './config-file.ts';
import { type ListedRow, resolveLists } from './config-listed.ts';
import {
  CONFIG_KEYS,
  type Config,
  type ConfigKey,
  envName,
  flagName,
  isConfigKey,
  settingOf,
} from './config-schema.ts';
import type { Lists } from './settings/lists.ts';
import { PRESETS } from './settings/presets.ts';

/** `default`, `preset:<name>`, `<file>:<line>`, `env:NAME` or `flag:--name`. */
export type ConfigOrigin = string;

export interface ResolvedConfig {
  readonly config: Config;
  readonly origins: ReadonlyMap<ConfigKey, { readonly value: unknown; readonly origin: ConfigOrigin }>;
  /** What the lists hold, one row for each backend, agent and budget. */
  readonly listed: readonly ListedRow[];
  /** Where config.yaml is, or would be. */
  readonly file: string;
}

export interface ResolveConfigOptions {
  /** Values from the command line by config key (`{'server.port': '8080'}`); undefined entries are skipped. */
  readonly flags?: Readonly<Record<string, unknown>>;
  /** @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The home folder as given by `--home`: the same as `flags.home`. */
  readonly home?: string | undefined;
}

/** Throws InputError `config_invalid` that lists every problem. */
export function resolveConfig(options: ResolveConfigOptions = {}): ResolvedConfig {
  const env = options.env ?? process.env;
  const problems: ConfigProblem[] = [];
  const values = new Map<ConfigKey, { value: unknown; origin: ConfigOrigin }>();
  for (const key of CONFIG_KEYS) values.set(key, { value: settingOf(key).default, origin: 'default' });
  applyRegistryDefault(values, env);

  const fromEnv = readEnv(env, problems);
  const flags = { ...options.flags, ...(options.home === undefined ? {} : { home: options.home }) };
  const fromFlags = readFlags(flags, problems);
  // Home comes first, since it says where the file is.
  const home = resolveHome(fromFlags.get('home')?.value ?? fromEnv.get('home')?.value);
  const file = configFilePath(home);

  const contents = readConfigFile(file, problems);
  for (const { key, value, line } of contents.values) values.set(key, { value, origin: `${file}:${line}` });
  for (const layer of [fromEnv, fromFlags]) for (const [key, entry] of layer) values.set(key, entry);
  values.set('home', { value: home, origin: values.get('home')!.origin });
  const preset = values.get('gateway.preset')!.value as keyof typeof PRESETS;
  for (const [key, value] of Object.entries(PRESETS[preset].values) as [ConfigKey, unknown][])
    if (values.get(key)!.origin === 'default') values.set(key, { value, origin: `preset:${preset}` });
  const { lists, rows } = resolveLists({ read: contents.lists, file, env, preset, problems });
  checkTogether(values, problems);
  if (problems.length > 0) throw configError(problems);

  return { config: buildConfig(values, lists), origins: values, listed: rows, file };
}

/** What is wrong only with values beside one another. */
function checkTogether(
  values: ReadonlyMap<ConfigKey, { readonly value: unknown; readonly origin: ConfigOrigin }>,
  problems: ConfigProblem[],
): void {
  const min = values.get('gateway.complexityMin')!;
  const max = values.get('gateway.complexityMax')!;
  if ((min.value as number) > (max.value as number)) {
    const key = 'gateway.complexityMin';
    const message = `${key} is ${min.value} and gateway.complexityMax ${max.value}; the first must not be above the second.`;
    problems.push({ key, origin: min.origin === 'default' ? max.origin : min.origin, message });
  }
  // The key of a private network guards TCP alone.
  const webrtc = values.get('swarm.webrtc')!;
  if (webrtc.value === true && values.get('swarm.pskFile')!.value !== '') {
    const message =
      'swarm.webrtc is true and swarm.pskFile names a key: WebRTC would go around the private network. Set one of them back.';
    problems.push({ key: 'swarm.webrtc', origin: webrtc.origin, message });
  }
}

function resolveHome(given: unknown): string {
  if (typeof given !== 'string') return settingOf('home').default as string;
  // A shell expands ~ on the command line, but not in a service's environment file.
  return given === '~' || given.startsWith('~/') ? join(homedir(), given.slice(1)) : resolve(given);
}

/** npm's own setting is this machine's answer to "which registry", so it is the default here. */
function applyRegistryDefault(
  values: Map<ConfigKey, { value: unknown; origin: ConfigOrigin }>,
  env: Readonly<Record<string, string | undefined>>,
): void {
  const given = env.npm_config_registry;
  if (!given) return;
  const value = parseValue('models.registry', given, null, []);
  if (value !== undefined) values.set('models.registry', { value, origin: 'env:npm_config_registry' });
}

function readFlags(
  flags: Readonly<Record<string, unknown>>,
  problems: ConfigProblem[],
): Map<ConfigKey, { value: unknown; origin: ConfigOrigin }> {
  const found = new Map<ConfigKey, { value: unknown; origin: ConfigOrigin }>();
  for (const [name, raw] of Object.entries(flags)) {
    if (raw === undefined) continue;
    const origin = `flag:${isConfigKey(name) ? flagName(name) : `--${name}`}`;
    const key = checkKey(name, origin, problems);
    if (key === null) continue;
    const value = parseValue(key, raw, origin, problems);
    if (value !== undefined) found.set(key, { value, origin });
  }
  return found;
}

function buildConfig(values: ReadonlyMap<ConfigKey, { readonly value: unknown }>, lists: Lists): Config {
  const config: Record<string, unknown> = {};
  for (const [key, { value }] of values) {
    const [first, rest] = key.split('.') as [string, string?];
    if (rest === undefined) {
      config[first] = value;
      continue;
    }
    const section = (config[first] ?? {}) as Record<string, unknown>;
    section[rest] = value;
    config[first] = section;
  }
  for (const section of Object.values(config)) Object.freeze(section);
  Object.assign(config, lists);
  return Object.freeze(config) as unknown as Config;
}

/** One row of `kith config show` and `kith config keys`. */
export interface ConfigRow {
  readonly key: ConfigKey;
  /** Value as people write it, secrets masked; `auto` for null. */
  readonly value: string;
  readonly origin: ConfigOrigin;
  readonly description: string;
  /** Default as people write it. */
  readonly default: string;
  readonly allowed: string;
  readonly env: string;
  /** Variables of other programs that set it, too. */
  readonly alsoEnv: readonly string[];
  readonly flag: string;
}

/** Every key with its value, its origin and its documentation. Without `resolved`: the defaults. */
export function describeConfig(resolved?: ResolvedConfig): ConfigRow[] {
  return CONFIG_KEYS.map((key) => {
    const setting = settingOf(key);
    const entry = resolved?.origins.get(key) ?? { value: setting.default, origin: 'default' };
    return {
      key,
      value: showConfigValue(key, entry.value),
      origin: entry.origin,
      description: setting.description,
      default: setting.defaultNote ?? showConfigValue(key, setting.default),
      allowed: setting.allowed,
      env: envName(key),
      alsoEnv: (setting.alsoEnv ?? []).map(({ name }) => name),
      flag: flagName(key),
    };
  });
}

/** A value as it may be printed: secrets and passwords inside URLs are masked. */
export function showConfigValue(key: ConfigKey, value: unknown): string {
  if (value === null) return 'auto';
  if (settingOf(key).secret === true) return '[secret]';
  return hideUserInfo(String(value));
}

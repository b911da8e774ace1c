/**
 * The configuration as a command sees it: its options are the flags layer. Every config key is a flag of every
 * command that reads the configuration.
 *
 * @module cli/settings
 */
import { CONFIG_KEYS, type ConfigKey, flagName, type ResolvedConfig, resolveConfig } from '../base/index.ts';

/** Where commander puts the value of a key's flag: `--server-body-bytes` is `serverBodyBytes`. */
export function optionName(key: ConfigKey): string {
  // `--model` of commands that ask a model is about that one question, so the key's own flag goes by another name.
  if (key === 'models.default') return 'defaultModel';
  return flagName(key)
    .slice(2)
    .replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

export function settingsOf(
  options: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string | undefined>> = process.env,
): ResolvedConfig {
  const flags: Record<string, unknown> = {};
  for (const key of CONFIG_KEYS)
    if (options[optionName(key)] !== undefined) flags[key] = options[optionName(key)];
  return resolveConfig({ flags, env });
}

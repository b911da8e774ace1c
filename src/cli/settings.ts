/**
 * The configuration as a command sees it: its options are the flags layer.
 *
 * @module cli/settings
 */
import { type ResolvedConfig, resolveConfig } from '../base/index.ts';

const flags: Readonly<Record<string, string>> = {
  port: 'server.port',
  host: 'server.host',
  threads: 'engine.threads',
  device: 'engine.device',
  logLevel: 'log.level',
};

/** @param withModel the command's --model names the default model of the node */
export function settingsOf(
  options: Readonly<Record<string, unknown>>,
  withModel = false,
  env: Readonly<Record<string, string | undefined>> = process.env,
): ResolvedConfig {
  const given: Record<string, unknown> = {};
  for (const [option, key] of Object.entries(flags))
    if (options[option] !== undefined) given[key] = options[option];
  if (withModel && options.model !== undefined) given['models.default'] = options.model;
  return resolveConfig({ flags: given, env, home: options.home as string | undefined });
}

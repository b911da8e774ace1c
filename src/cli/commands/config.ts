/** `kith config show|get|set|unset|path|keys`. @module cli/commands/config */
import {
  CONFIG_KEYS,
  type ConfigKey,
  describeConfig,
  InputError,
  isConfigKey,
  nearest,
  type ResolvedConfig,
  setInFile,
} from '../../base/index.ts';
import { paint, print, printJson, say, table } from '../output.ts';
import type { Handler } from '../program.ts';
import { settingsOf } from '../settings.ts';

export const show: Handler = async ({ options }) => {
  const resolved = settingsOf(options);
  // What a start would refuse, or warn of. The node's code is loaded for it alone.
  const { checkBackendNames, configWarnings } = await import('../../node/index.ts');
  checkBackendNames(resolved.config);
  for (const warning of configWarnings(resolved.config))
    say(`${paint('yellow', 'warning', process.stderr)}: ${warning}`);
  const rows = describeConfig(resolved);
  if (options.json) {
    printJson({
      file: resolved.file,
      values: [
        ...rows.map(({ key, value, origin }) => ({ key, value: plainValue(resolved, key, value), origin })),
        ...resolved.listed,
      ],
    });
    return;
  }
  print(
    table([...rows, ...resolved.listed].map(({ key, value, origin }) => [key, value, paint('dim', origin)])),
  );
};

/** For programs: numbers, booleans and lists as such, anything else as people see it (`auto`, secrets masked). */
function plainValue({ origins }: ResolvedConfig, key: ConfigKey, shown: string) {
  const value = origins.get(key)?.value;
  return typeof value === 'number' || typeof value === 'boolean' || Array.isArray(value) ? value : shown;
}

function keyOf(text: string): ConfigKey {
  if (isConfigKey(text)) return text;
  const near = nearest(text, CONFIG_KEYS);
  throw new InputError(
    'config_invalid',
    `There is no key '${text.slice(0, 80)}'. ${near ? `Did you mean ${near}?` : '`kith config keys` lists them.'}`,
  );
}

export const get: Handler = async ({ args, options }) => {
  const resolved = settingsOf(options);
  const listed = resolved.listed.find((each) => each.key === args[0]);
  if (listed !== undefined) {
    if (options.json) printJson(listed);
    else print(listed.value);
    return;
  }
  const key = keyOf(args[0] as string);
  const row = describeConfig(resolved).find((each) => each.key === key)!;
  if (options.json) printJson({ key, value: plainValue(resolved, key, row.value), origin: row.origin });
  else print(row.value);
};

export const set: Handler = async ({ args, options }) => {
  const [key, value] = args as [string, string];
  const { config } = settingsOf(options);
  const { path } = await setInFile(config.home, keyOf(key), value);
  say(`Wrote ${key} to ${path}. A running node reads it at its next start.`);
};

export const unset: Handler = async ({ args, options }) => {
  const key = keyOf(args[0] as string);
  const { config } = settingsOf(options);
  const { path } = await setInFile(config.home, key, null);
  say(`Removed ${key} from ${path}; its default counts.`);
};

export const path: Handler = async ({ options }) => {
  print(settingsOf(options).file);
};

export const keys: Handler = async ({ options }) => {
  const rows = describeConfig();
  if (options.json) {
    printJson(
      rows.map(({ key, description, default: initial, allowed, env, alsoEnv, flag }) => ({
        key,
        description,
        default: initial,
        allowed,
        env,
        also_env: alsoEnv,
        flag,
      })),
    );
    return;
  }
  for (const { key, description, default: initial, allowed, env, alsoEnv, flag } of rows) {
    print(paint('bold', key));
    print(`  ${description}`);
    print(
      paint('dim', `  default ${initial}; allowed: ${allowed}; ${[env, ...alsoEnv].join(', ')}; ${flag}`),
    );
  }
};

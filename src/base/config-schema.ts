/**
 * The one schema of the node's configuration: every key with its type, default, meaning and names.
 *
 * The environment name of a key is mechanical: `KITH_` and the key in upper snake case (`server.bodyBytes` is
 * `KITH_SERVER_BODY_BYTES`). So is its flag (`--server-body-bytes`); the common ones are shorter. The keys stand in
 * `settings/`, one file for each part of the node.
 *
 * @module base/config-schema
 */
import { engineSettings } from './settings/engine.ts';
import { gatewaySettings } from './settings/gateway.ts';
import { identitySettings } from './settings/identity.ts';
import { knowledgeSettings } from './settings/knowledge.ts';
import type { Lists } from './settings/lists.ts';
import { nodeSettings } from './settings/node.ts';
import { providerSettings } from './settings/providers.ts';
import type { Setting } from './settings/setting.ts';
import { shardSettings } from './settings/shards.ts';
import { storageSettings } from './settings/storage.ts';
import { swarmSettings } from './settings/swarm.ts';
import { trustSettings } from './settings/trust.ts';
import { vaultSettings } from './settings/vault.ts';
import { watchingSettings } from './settings/watching.ts';

export type { Setting } from './settings/setting.ts';

export const SETTINGS = {
  ...nodeSettings,
  ...identitySettings,
  ...engineSettings,
  ...gatewaySettings,
  ...providerSettings,
  ...swarmSettings,
  ...shardSettings,
  ...storageSettings,
  ...vaultSettings,
  ...knowledgeSettings,
  ...trustSettings,
  ...watchingSettings,
} as const;

export type ConfigKey = keyof typeof SETTINGS;
export type ConfigValue<K extends ConfigKey> = (typeof SETTINGS)[K] extends Setting<infer T> ? T : never;

type Section<Name extends string> = {
  readonly [K in ConfigKey as K extends `${Name}.${infer Rest}` ? Rest : never]: ConfigValue<K>;
};

/** The whole configuration, frozen. `config.server.port` is the key `server.port`. */
export interface Config extends Lists {
  /** Absolute path. */
  readonly home: string;
  readonly server: Section<'server'>;
  readonly identity: Section<'identity'>;
  readonly models: Section<'models'>;
  readonly engine: Section<'engine'>;
  readonly gateway: Section<'gateway'>;
  readonly kwaai: Section<'kwaai'>;
  readonly llm: Section<'llm'>;
  readonly openrouter: Section<'openrouter'>;
  readonly openai: Section<'openai'>;
  readonly anthropic: Section<'anthropic'>;
  readonly swarm: Section<'swarm'>;
  readonly shards: Section<'shards'>;
  readonly storage: Section<'storage'>;
  readonly vault: Section<'vault'>;
  readonly knowledge: Section<'knowledge'>;
  readonly trust: Section<'trust'>;
  readonly log: Section<'log'>;
  readonly telemetry: Section<'telemetry'>;
  readonly alerts: Section<'alerts'>;
}

export const CONFIG_KEYS = Object.keys(SETTINGS) as readonly ConfigKey[];

export function isConfigKey(key: string): key is ConfigKey {
  return Object.hasOwn(SETTINGS, key);
}

/** Whether the key takes several values: a list in config.yaml, written with commas everywhere else. */
export function isListKey(key: ConfigKey): boolean {
  return Array.isArray(settingOf(key).default);
}

/** The setting behind a key, with its type opened up for code that handles any of them. */
export function settingOf(key: ConfigKey): Setting {
  return SETTINGS[key] as unknown as Setting;
}

/** `server.bodyBytes` -> `KITH_SERVER_BODY_BYTES`. */
export function envName(key: ConfigKey): string {
  return `KITH_${words(key, '_').toUpperCase()}`;
}

/** `server.bodyBytes` -> `--server-body-bytes`, or the short name the key has. */
export function flagName(key: ConfigKey): string {
  return settingOf(key).flag ?? `--${words(key, '-')}`;
}

function words(key: string, separator: string): string {
  return key.replace(/[A-Z]/g, (letter) => separator + letter.toLowerCase()).replaceAll('.', separator);
}

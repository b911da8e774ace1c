/**
 * The base room: what every other room stands on. Errors, log, configuration, limits, time, randomness and ids as
 * parameters, canonical JSON, SQLite, files and locks, numbers for people.
 *
 * Values in, values out; nothing here knows a model, a request or a peer, and nothing here imports another room.
 *
 * @module base
 */

export { isLoopback, isPublicAddress, plainHost } from './addresses.ts';
export * as assembler from './assembler.ts';
export * from './canonical-json.ts';
export { type CborLimits, type CborMap, type CborValue, decodeCbor, encodeCbor } from './cbor.ts';
export { Chain, type Linked } from './chain.ts';
export { type Child, type ChildOptions, ProcessLost, startChild } from './child-process.ts';
export * from './clock.ts';
export { compileCache, compileCacheFolder } from './compile-cache.ts';
export {
  type ConfigOrigin,
  type ConfigRow,
  describeConfig,
  type ResolveConfigOptions,
  type ResolvedConfig,
  resolveConfig,
  showConfigValue,
} from './config.ts';
export { nearest } from './config-check.ts';
export { agentVariable, KNOWN_AGENTS, OTHER_NAMES } from './config-env.ts';
export { CONFIG_FILE_MAX_BYTES, configFilePath, setInFile } from './config-file.ts';
export type { ListedRow } from './config-listed.ts';
export {
  CONFIG_KEYS,
  type Config,
  type ConfigKey,
  type ConfigValue,
  envName,
  flagName,
  isConfigKey,
} from './config-schema.ts';
export * from './entry.ts';
export * from './errors.ts';
export { Fields, isMap } from './fields.ts';
export * from './files.ts';
export * from './folders.ts';
export * from './format.ts';
export * from './hex.ts';
export { Histogram, isExactBound, RecentHistogram } from './histogram.ts';
export * from './ids.ts';
export * from './limits.ts';
export * from './lock.ts';
export {
  createLogger,
  type LogFields,
  type Logger,
  type LoggerOptions,
  type LogLevel,
  type LogStream,
  type RootLogger,
  silentLogger,
} from './log.ts';
export * from './one-at-a-time.ts';
export * from './random.ts';
export { type RedactOptions, redact, redactText } from './redact.ts';
export * from './requirements.ts';
export { PRIVACY_LEVELS } from './settings/forms.ts';
export {
  type AgentConfig,
  BACKEND_KINDS,
  type BackendConfig,
  type BackendKind,
  type BudgetConfig,
  PATTERN_CLASSES,
  type PatternConfig,
  VENDOR_URLS,
} from './settings/lists.ts';
export { isPeerAddress, isPeerId } from './settings/multiaddr.ts';
export { PRESETS } from './settings/presets.ts';
export * from './sqlite.ts';
export { type SteadyTime, startedAt, ticked } from './steady-time.ts';
export * from './tiers.ts';
export * from './totals.ts';

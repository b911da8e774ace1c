/**
 * The table of limits: what is bounded, by how much, and what happens over it. A `LimitError` carries the name
 * that stands here; a configurable limit has the name of its config key.
 *
 * @module base/limits
 */
import { CANONICAL_JSON_MAX_DEPTH } from './canonical-json.ts';
import { CONFIG_FILE_MAX_BYTES } from './config-file.ts';
import { type Config, type ConfigKey, settingOf } from './config-schema.ts';
import { LimitError } from './errors.ts';

export interface Limit {
  readonly name: string;
  /** Null: chosen by the node from the machine (`auto`). */
  readonly default: number | null;
  readonly unit: 'bytes' | 'ms' | 'tokens' | 'requests' | 'connections' | 'cells' | 'levels';
  /** What is counted. */
  readonly what: string;
  /** What happens over it. */
  readonly over: string;
  /** HTTP status of the answer over it, or null where the limit is never a refusal over HTTP. */
  readonly status: number | null;
  /** Key that changes it, or null when it is fixed. */
  readonly config: ConfigKey | null;
}

function configurable(
  key: ConfigKey,
  unit: Limit['unit'],
  what: string,
  over: string,
  status: number | null,
): Limit {
  return {
    name: key,
    default: settingOf(key).default as number | null,
    unit,
    what,
    over,
    status,
    config: key,
  };
}

export const LIMITS: readonly Limit[] = [
  configurable('server.bodyBytes', 'bytes', 'size of a request body', 'refused with 413', 413),
  configurable('gateway.cacheBytes', 'bytes', 'answers that are kept', 'the least used are forgotten', null),
  configurable(
    'server.headersTimeoutMs',
    'ms',
    'time to send the headers',
    'answered 408, connection closed',
    408,
  ),
  configurable(
    'server.requestTimeoutMs',
    'ms',
    'time to send the request',
    'answered 408, connection closed',
    408,
  ),
  configurable(
    'server.maxConnections',
    'connections',
    'connections open at once',
    'the new one is closed',
    null,
  ),
  configurable(
    'server.maxConnectionsPerPeer',
    'connections',
    'connections open at once from one other machine',
    'the new one is closed',
    null,
  ),
  configurable(
    'server.requestsPerMinute',
    'requests',
    'requests per minute without a key',
    'refused with 429 and retry-after',
    429,
  ),
  configurable(
    'server.tokensPerMinute',
    'tokens',
    'tokens per minute without a key',
    'refused with 429 and retry-after',
    429,
  ),
  configurable('server.drainMs', 'ms', 'time to end requests at shutdown', 'they are aborted', null),
  configurable(
    'engine.maxActive',
    'requests',
    'sequences decoded together',
    'the request waits in the queue',
    null,
  ),
  configurable('engine.maxQueue', 'requests', 'requests that wait', 'refused with 429 and retry-after', 429),
  configurable('engine.maxWaitMs', 'ms', 'time in the queue', 'refused with 503 and retry-after', 503),
  configurable('engine.maxRunMs', 'ms', 'time one request runs', 'ends with finish_reason "length"', null),
  configurable(
    'engine.maxTokens',
    'tokens',
    'tokens one request generates',
    'ends with finish_reason "length"',
    null,
  ),
  configurable('engine.context', 'tokens', 'prompt and answer together', 'refused with 400, or slides', 400),
  configurable(
    'engine.kvCells',
    'cells',
    'tokens held by all sequences',
    'the request waits in the queue',
    null,
  ),
  configurable(
    'engine.prefillChunk',
    'tokens',
    'prompt rows in one pass',
    'the prompt goes in several passes',
    null,
  ),
  configurable(
    'engine.memoryBytes',
    'bytes',
    'memory of weights and KV cache',
    'the model is not loaded: 503',
    503,
  ),
  configurable('log.maxBytes', 'bytes', 'size of a log file', 'it is rotated', null),
  {
    name: 'config.fileBytes',
    default: CONFIG_FILE_MAX_BYTES,
    unit: 'bytes',
    what: 'size of config.yaml',
    over: 'the node does not start',
    status: null,
    config: null,
  },
  {
    name: 'json.depth',
    default: CANONICAL_JSON_MAX_DEPTH,
    unit: 'levels',
    what: 'nesting of a value in canonical JSON',
    over: 'refused with 400',
    status: 400,
    config: null,
  },
];

/** The limit of that name; asking for one that is not in the table is a mistake in the code. */
export function limitOf(name: string): Limit {
  const limit = LIMITS.find((entry) => entry.name === name);
  if (limit === undefined) throw new TypeError(`There is no limit named ${name}.`);
  return limit;
}

/** Value in force under `config`; null when the node chooses it. */
export function limitValue(name: string, config: Config): number | null {
  const limit = limitOf(name);
  if (limit.config === null) return limit.default;
  const [section, key] = limit.config.split('.') as [keyof Config, string];
  return (config[section] as unknown as Record<string, number | null>)[key] ?? null;
}

/** The error for going over a limit: names it, its value, and how to change it. `retryAfter` is in seconds. */
export function overLimit(name: string, value: number, retryAfter?: number): LimitError {
  const limit = limitOf(name);
  const remedy = limit.config === null ? 'It is fixed.' : `It is set by ${limit.config}.`;
  const message = `Over the limit ${name} = ${value} ${limit.unit} (${limit.what}). ${remedy}`;
  return new LimitError(name, value, message, {
    ...(limit.status === null ? {} : { status: limit.status }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  });
}

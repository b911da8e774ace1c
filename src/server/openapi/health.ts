/**
 * The health routes in the document. The shapes are those of `health/types.ts`.
 *
 * @module server/openapi/health
 */

import { PRIVACY_LEVELS } from '../../base/index.ts';
import { REACHES, SWARM_STATES } from '../swarm/types.ts';
import { type Answer, type Api, answer, type Operation } from './operation.ts';
import { array, choice, count, milliseconds, nullable, object, ref, type Schema, string } from './schema.ts';

const state = choice('ok', 'starting', 'degraded', 'stopping');
const backendState = choice('ok', 'starting', 'degraded');
const breakerState = choice('closed', 'open', 'half_open');
const positive: Schema = { type: 'integer', minimum: 1 };
const perSecond: Schema = { type: 'number', minimum: 0 };
const quantiles = object({ p50: perSecond, p95: perSecond, p99: perSecond });

const schemas: Readonly<Record<string, Schema>> = {
  Health: object({
    status: state,
    message: nullable(string),
    version: string,
    uptime_s: count,
    llm: object({
      status: backendState,
      latency_ms: nullable(milliseconds),
      models_available: count,
      models_loaded: count,
      circuit_breaker_state: breakerState,
      circuit_breaker_failures: count,
      default_model: nullable(string),
    }),
    requests: ref('HealthRequests'),
  }),
  HealthRequests: object({ active: count, total: count, refused: count }),
  DetailedHealth: object({
    status: state,
    message: nullable(string),
    version: string,
    pid: positive,
    url: { type: 'string', pattern: '^https?://' },
    started_at: { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z$' },
    uptime_s: count,
    default_models: object({ chat: nullable(string), embedding: nullable(string) }),
    backends: array(ref('BackendStatus')),
    policy: object({
      privacy: choice(...PRIVACY_LEVELS),
      route: choice('auto', 'local', 'frontier'),
      cache: choice('off', 'auto', 'keep', 'similar'),
      degrade: choice('none', 'search', 'stale', 'explain'),
    }),
    engine: object({
      state: choice('idle', 'starting', 'running', 'waiting', 'broken', 'closed'),
      pid: nullable(positive),
      restarts: count,
      last_cause: nullable(string),
    }),
    models: array(ref('LoadedModel')),
    progress: nullable(object({ phase: string, done_bytes: count, total_bytes: nullable(count) })),
    requests: ref('HealthRequests'),
    memory: object({
      node_bytes: count,
      engine_bytes: nullable(count),
      total_bytes: count,
      free_bytes: count,
    }),
    disk: object({ free_bytes: nullable(count) }),
    swarm: object({
      state: choice(...SWARM_STATES),
      message: nullable(string),
      peer: string,
      reach: choice(...REACHES),
      connections: count,
      peers: count,
      unread: count,
    }),
    log_level: string,
    threads: count,
    limits: object({
      max_active: count,
      max_queue: count,
      max_wait_ms: count,
      max_run_ms: count,
      max_tokens: count,
      body_bytes: count,
      connections: count,
    }),
    recent: nullable(ref('HealthFigures')),
  }),
  SwarmMessageEvent: object({
    id: string,
    from: string,
    received_at: { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z$' },
  }),
  HealthFigures: object({
    window_s: count,
    models: array(ref('HealthRow'), { maxItems: 20 }),
    agents: array(ref('HealthRow'), { maxItems: 20 }),
    backends: array(ref('HealthRow'), { maxItems: 20 }),
    attempts: array(object({ backend: string, outcome: string, error: string, count }), { maxItems: 100 }),
  }),
  HealthRow: object({
    name: string,
    answers: count,
    duration_ms: nullable(quantiles),
    time_to_first_token_ms: nullable(quantiles),
    tokens_per_second: nullable(quantiles),
    errors: array(object({ code: string, count }), { maxItems: 10 }),
  }),
  BackendStatus: object({
    name: string,
    where: choice('this_machine', 'owned', 'peer', 'provider'),
    link: nullable(choice('encrypted', 'owned_network', 'open')),
    status: backendState,
    latency_ms: nullable(milliseconds),
    models_available: count,
    models_loaded: count,
    breaker: object({ state: breakerState, failures: count }),
    message: nullable(string),
  }),
  LoadedModel: object({
    id: string,
    task: choice('text', 'embedding', 'rerank'),
    architecture: string,
    runner: choice('kith', 'node-llama-cpp'),
    device: string,
    blocks: count,
    context: count,
    weight_bytes: count,
    kv_bytes: count,
    kv_cells: nullable(object({ total: count, used: count, cached: count })),
    active: nullable(count),
    waiting: nullable(count),
    tokens_per_second: nullable(perSecond),
  }),
};

/** 503 carries the state too; or an error, when the node cannot tell its state in time. */
const answers = (name: string): Readonly<Record<string, Answer>> => ({
  '200': answer('Requests are answered, now or after a bounded wait.', ref(name)),
  '503': answer('No request can be answered now.', { anyOf: [ref(name), ref('OpenAiError')] }, [
    'retry-after',
    'retry-after-ms',
  ]),
});

const health = (path: string, id: string): Operation => ({
  method: 'get',
  path,
  id,
  summary: 'Say whether the node answers',
  scope: 'monitor',
  answers: answers('Health'),
  error: 'OpenAiError',
});

const operations: readonly Operation[] = [
  health('/health', 'health'),
  health('/api/health', 'apiHealth'),
  {
    method: 'get',
    path: '/health/detailed',
    id: 'detailedHealth',
    summary: 'Say how the node is in detail',
    scope: 'monitor',
    answers: answers('DetailedHealth'),
    error: 'OpenAiError',
  },
  {
    method: 'get',
    path: '/kith/v1/events',
    id: 'nodeEvents',
    summary: "Follow the node's state",
    description:
      'One `status` event on connection, then one when something changed, at most once a second. A `swarm_message` event for each message of a peer that comes in between.',
    scope: 'read',
    answers: {
      '200': {
        description: 'Events named `status` and `swarm_message`.',
        content: {
          'text/event-stream': {
            schema: ref('DetailedHealth'),
            'x-events': { status: ref('DetailedHealth'), swarm_message: ref('SwarmMessageEvent') },
          },
        },
      },
    },
    error: 'OpenAiError',
  },
];

export const healthApi: Api = {
  tag: 'Health',
  description: 'Whether and how the node is. Sizes are bytes; null means unknown.',
  schemas,
  operations,
};

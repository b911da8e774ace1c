/**
 * Every metric of the node: its name, type, labels and meaning. docs/observability.md lists exactly these.
 *
 * Times are seconds and sizes bytes, as Prometheus' conventions want them; `process_` and `nodejs_` names are those that
 * dashboards for Node programs know.
 *
 * @module server/metrics/families
 */
import type { Family, MetricType } from './exposition.ts';

const answer = ['model', 'backend', 'agent', 'route'] as const;
const recent = ['by', 'name', 'quantile'] as const;

function family(type: MetricType, name: string, help: string, labels: readonly string[] = []): Family {
  return { name, type, help, labels };
}

export const families = {
  requests: family(
    'counter',
    'kith_http_requests_total',
    'Requests by route, method, status and error code.',
    ['route', 'method', 'status', 'code'],
  ),
  requestDuration: family(
    'histogram',
    'kith_http_request_duration_seconds',
    'Time from the arrival of a request to the end of its answer.',
    ['route', 'method'],
  ),
  received: family('counter', 'kith_http_received_bytes_total', 'Bytes received with requests.', [
    'route',
    'method',
  ]),
  sent: family('counter', 'kith_http_sent_bytes_total', 'Bytes sent with answers.', ['route', 'method']),
  active: family('gauge', 'kith_http_requests_active', 'Requests of clients being answered now.'),
  limited: family('counter', 'kith_rate_limited_total', 'Requests answered with 429, by error code.', [
    'code',
  ]),

  answers: family('counter', 'kith_answers_total', 'Answers of models by outcome.', [...answer, 'outcome']),
  answerDuration: family(
    'histogram',
    'kith_answer_duration_seconds',
    'Time from the call to the end of answers that came to their end.',
    answer,
  ),
  firstToken: family(
    'histogram',
    'kith_time_to_first_token_seconds',
    'Time from the call to the first piece of text or tool call.',
    answer,
  ),
  interToken: family(
    'histogram',
    'kith_inter_token_latency_seconds',
    'Time between two pieces of the same choice; a piece is one token, rarely more.',
    answer,
  ),
  tokenRate: family(
    'histogram',
    'kith_tokens_per_second',
    'Decoding speed of one answer, all its choices together.',
    answer,
  ),
  queueWait: family(
    'histogram',
    'kith_queue_wait_seconds',
    'Time an answer waited for its place in the batch.',
    answer,
  ),
  prefill: family(
    'histogram',
    'kith_prefill_seconds',
    'Time from admission to the first token: the computing of the prompt.',
    answer,
  ),
  decode: family('histogram', 'kith_decode_seconds', 'Time from the first to the last token.', answer),
  promptTokens: family(
    'counter',
    'kith_prompt_tokens_total',
    'Tokens of prompts and embedding inputs.',
    answer,
  ),
  cachedTokens: family(
    'counter',
    'kith_cached_tokens_total',
    'Of the prompt tokens: those taken from the prefix cache.',
    answer,
  ),
  completionTokens: family('counter', 'kith_completion_tokens_total', 'Tokens generated.', answer),
  uncounted: family(
    'counter',
    'kith_answers_uncounted_total',
    'Answers that are missing from the counts of tokens: the backend did not say how many.',
    answer,
  ),

  cost: family(
    'counter',
    'kith_cost_total',
    'Money that answers cost, in the unit of the prices of backends.',
    answer,
  ),
  unpriced: family(
    'counter',
    'kith_answers_unpriced_total',
    'Answers that are missing from the cost: their price or their tokens are not known.',
    answer,
  ),

  recentDuration: family(
    'gauge',
    'kith_recent_answer_duration_seconds',
    'Quantiles of the duration of answers over the last 5 minutes.',
    recent,
  ),
  recentFirstToken: family(
    'gauge',
    'kith_recent_time_to_first_token_seconds',
    'Quantiles of the time to first token over the last 5 minutes.',
    recent,
  ),
  recentInterToken: family(
    'gauge',
    'kith_recent_inter_token_latency_seconds',
    'Quantiles of the inter-token latency over the last 5 minutes.',
    recent,
  ),
  recentTokenRate: family(
    'gauge',
    'kith_recent_tokens_per_second',
    'Quantiles of the decoding speed over the last 5 minutes.',
    recent,
  ),
  recentQueueWait: family(
    'gauge',
    'kith_recent_queue_wait_seconds',
    'Quantiles of the wait for a place in the batch over the last 5 minutes.',
    recent,
  ),
  recentRequests: family(
    'gauge',
    'kith_recent_http_request_duration_seconds',
    'Quantiles of the duration of requests over the last 5 minutes.',
    ['route', 'method', 'quantile'],
  ),

  sequencesActive: family('gauge', 'kith_sequences_active', 'Sequences in the batch now.', ['model']),
  sequencesWaiting: family('gauge', 'kith_sequences_waiting', 'Sequences that wait for a place.', ['model']),
  kvCells: family('gauge', 'kith_kv_cells', 'KV cells of a loaded model; one holds one token.', ['model']),
  kvCellsUsed: family('gauge', 'kith_kv_cells_used', 'KV cells held by sequences in the batch.', ['model']),
  kvCellsCached: family(
    'gauge',
    'kith_kv_cells_cached',
    'KV cells held by finished sequences only, for prompts that begin alike.',
    ['model'],
  ),
  modelsLoaded: family('gauge', 'kith_models_loaded', 'Models in memory.'),
  modelBytes: family('gauge', 'kith_model_memory_bytes', 'Memory of a loaded model, by what it holds.', [
    'model',
    'kind',
  ]),
  engineUp: family('gauge', 'kith_engine_up', '1 while the engine process runs, else 0.'),
  engineAnswers: family(
    'gauge',
    'kith_engine_status_ok',
    '1 when the figures of the engine below are fresh, 0 when it did not tell them in time.',
  ),
  engineRestarts: family(
    'counter',
    'kith_engine_restarts_total',
    'Times the engine process was started again after it died.',
  ),
  engineMemory: family(
    'gauge',
    'kith_engine_resident_memory_bytes',
    'Resident memory of the engine process.',
  ),
  attempts: family(
    'counter',
    'kith_backend_attempts_total',
    'Times a backend was asked or passed over, by what became of it and by class of error.',
    ['backend', 'outcome', 'error'],
  ),
  breaker: family(
    'gauge',
    'kith_breaker_state',
    'Breaker of a backend: 0 closed, 1 half open, 2 open (requests are refused).',
    ['backend'],
  ),
  nodeState: family('gauge', 'kith_node_state', '1 for the state the node is in, 0 for the others.', [
    'state',
  ]),
  diskFree: family('gauge', 'kith_disk_free_bytes', "Free space on the disk that holds the node's home."),

  swarmUp: family('gauge', 'kith_swarm_up', '1 while the swarm runs, else 0.'),
  swarmConnections: family('gauge', 'kith_swarm_connections', 'Connections to peers.'),
  swarmBytesInFlight: family(
    'gauge',
    'kith_swarm_bytes_in_flight',
    'Bytes of peers that wait in the node; swarm.bytesInFlight bounds them.',
  ),
  swarmRecords: family('gauge', 'kith_swarm_records', 'Announcements in the registry.'),
  swarmPeers: family('gauge', 'kith_swarm_peers', 'Peers whose announcements are in the registry.'),
  swarmUnread: family(
    'gauge',
    'kith_swarm_messages_unread',
    'Messages of peers that the owner has not read.',
  ),
  swarmBytes: family('counter', 'kith_swarm_bytes_total', 'Bytes of calls and sessions, by direction.', [
    'direction',
  ]),
  swarmFrames: family('counter', 'kith_swarm_frames_total', 'Frames of calls and sessions, by direction.', [
    'direction',
  ]),
  swarmCalls: family('counter', 'kith_swarm_calls_total', 'Calls of peers (in) and to peers (out).', [
    'direction',
  ]),
  swarmSessions: family(
    'counter',
    'kith_swarm_sessions_total',
    'Sessions that peers (in) or this node (out) opened.',
    ['direction'],
  ),
  swarmLanes: family(
    'counter',
    'kith_swarm_lanes_total',
    'Lanes that peers (in) or this node (out) opened.',
    ['direction'],
  ),
  swarmRefused: family(
    'counter',
    'kith_swarm_refused_total',
    'What was refused: connections, requests over their rate or tier, gossip that is not valid.',
    ['what'],
  ),
  swarmGossip: family('counter', 'kith_swarm_gossip_total', 'Gossip messages that came.'),
  swarmMisbehaviours: family(
    'counter',
    'kith_swarm_misbehaviours_total',
    'Times a peer broke the protocol or flooded this node.',
  ),
  swarmRestarts: family(
    'counter',
    'kith_swarm_restarts_total',
    'Times the swarm thread was started again after it died.',
  ),

  storageCapacity: family(
    'gauge',
    'kith_storage_capacity_bytes',
    'Bytes that this node lends to peers at most.',
  ),
  storagePromised: family('gauge', 'kith_storage_promised_bytes', 'Bytes that were promised to tenants.'),
  storageUsed: family('gauge', 'kith_storage_used_bytes', 'Bytes that the files of tenants take.'),
  storageTenants: family('gauge', 'kith_storage_tenants', 'Tenants of peers on this disk.'),
  storageWaiting: family(
    'gauge',
    'kith_storage_calls_waiting',
    'Calls of peers that wait for the storage, the one that it works at included.',
  ),
  storageAnswered: family(
    'counter',
    'kith_storage_answered_total',
    'Calls of peers that the storage answered.',
  ),
  storageRefused: family(
    'counter',
    'kith_storage_refused_total',
    'Calls of peers that the storage refused, by error code; storage_busy is back-pressure.',
    ['code'],
  ),
  storageBytes: family(
    'counter',
    'kith_storage_bytes_total',
    'Bytes of payloads that peers brought (in) and took (out).',
    ['direction'],
  ),
  vaultCalls: family(
    'counter',
    'kith_vault_calls_total',
    'Calls to Eves by what was asked and what became of it: answered, refused, failed, or ended since another was faster.',
    ['op', 'outcome'],
  ),
  vaultFaults: family(
    'counter',
    'kith_vault_faults_total',
    'Times an Eve did not give a block that she took: missing, damaged, or no answer (failed).',
    ['fault'],
  ),
  vaultBytes: family(
    'counter',
    'kith_vault_bytes_total',
    'Bytes of payloads that came from Eves (in) and went to them (out).',
    ['direction'],
  ),

  logLines: family('counter', 'kith_log_lines_total', 'Log lines written, by level.', ['level']),
  alertsFiring: family('gauge', 'kith_alert_firing', '1 while the alert fires, else 0.', [
    'rule',
    'severity',
  ]),
  webhookDropped: family(
    'counter',
    'kith_alert_webhook_failures_total',
    'Notifications that could not be delivered to the webhook.',
  ),
  spansLost: family(
    'counter',
    'kith_trace_export_failures_total',
    'Batches of spans that could not be delivered to the collector.',
  ),

  build: family('gauge', 'kith_build_info', 'Always 1; the labels tell the versions.', ['version', 'node']),
  startTime: family('gauge', 'process_start_time_seconds', 'When the process started, Unix time.'),
  cpu: family('counter', 'process_cpu_seconds_total', "CPU time of the node's process."),
  memory: family('gauge', 'process_resident_memory_bytes', "Resident memory of the node's process."),
  heapUsed: family('gauge', 'nodejs_heap_size_used_bytes', 'JavaScript heap in use.'),
  heapTotal: family('gauge', 'nodejs_heap_size_total_bytes', 'JavaScript heap reserved.'),
  external: family('gauge', 'nodejs_external_memory_bytes', 'Memory outside the heap that JavaScript holds.'),
  loopP50: family('gauge', 'nodejs_eventloop_lag_p50_seconds', 'Median delay of the event loop.'),
  loopP99: family(
    'gauge',
    'nodejs_eventloop_lag_p99_seconds',
    '99th percentile of the delay of the event loop.',
  ),
  loopMax: family('gauge', 'nodejs_eventloop_lag_max_seconds', 'Greatest delay of the event loop.'),
} as const satisfies Readonly<Record<string, Family>>;

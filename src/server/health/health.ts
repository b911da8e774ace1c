/**
 * What the node says of itself, as the health routes answer it.
 *
 * @module server/health/health
 */
import { KithError } from '../../base/index.ts';
import type { LoadedModelStatus, NodeStatus, ServerContext } from '../types.ts';
import type {
  BackendStatus,
  BreakerState,
  DetailedHealth,
  Health,
  HealthFigures,
  HealthState,
  LoadedModelHealth,
} from './types.ts';

/** The node's own parts answer within 2 s; a store on a disk that hangs may not. */
const withinMs = 3_000;

/** Throws `health_timeout` (503) when the node cannot say in time how it is. */
export async function statusWithin(context: ServerContext): Promise<NodeStatus> {
  const done = new AbortController();
  const late = context.clock.sleep(withinMs, done.signal).then(
    () => null,
    () => null,
  );
  try {
    const status = await Promise.race([context.control.status(), late]);
    if (status !== null) return status;
    throw new KithError(
      'health_timeout',
      `The node could not tell its state within ${withinMs} ms: the disk of its home may hang.`,
      { status: 503, retryAfter: 5 },
    );
  } finally {
    done.abort();
  }
}

/** 200 when some request can be answered now or after a wait that is bounded; 503 when none can. */
export function httpStatus({ state, backends }: NodeStatus): number {
  const answers = backends.length === 0 || backends.some(wouldAnswer);
  return state !== 'stopping' && answers ? 200 : 503;
}

type Backend = NodeStatus['backends'][number];

function wouldAnswer({ answers, breaker }: Backend): boolean {
  return answers !== false && breaker.state !== 'open';
}

/** That of the backend which is best off: as long as one would answer, no breaker stands before all requests. */
function breakerState(backends: readonly Backend[]): BreakerState {
  const left = backends.filter(wouldAnswer).map(({ breaker }) => breaker.state);
  if (left.length > 0) return left.includes('closed') ? 'closed' : 'half_open';
  // One that hangs or cannot be reached has no open breaker yet.
  return backends.some(({ breaker }) => breaker.state === 'open') ? 'open' : 'closed';
}

export function healthOf(status: NodeStatus): Health {
  const { backends } = status;
  const first = backends[0];
  const sum = (count: (backend: Backend) => number) =>
    backends.reduce((total, backend) => total + count(backend), 0);
  const worst = (['degraded', 'starting'] as const).find((each) =>
    backends.some((backend) => backend.status === each),
  );
  return {
    status: stateOf(status),
    message: status.message,
    version: status.version,
    uptime_s: Math.floor(status.uptimeMs / 1000),
    llm: {
      status: worst ?? 'ok',
      latency_ms: tenths(first?.latencyMs ?? null),
      models_available: sum((backend) => backend.modelsAvailable),
      models_loaded: sum((backend) => backend.modelsLoaded),
      circuit_breaker_state: breakerState(backends),
      circuit_breaker_failures: sum(({ breaker }) => breaker.failures),
      default_model: status.defaultModel,
    },
    requests: status.requests,
  };
}

/** @param recent figures of the last minutes; null: none are told */
export function detailedHealthOf(status: NodeStatus, recent: HealthFigures | null = null): DetailedHealth {
  const { engine, memory, progress } = status;
  return {
    status: stateOf(status),
    message: status.message,
    version: status.version,
    pid: status.pid,
    url: status.url,
    started_at: new Date(status.startedAt).toISOString(),
    uptime_s: Math.floor(status.uptimeMs / 1000),
    default_models: { chat: status.defaultModel, embedding: status.embeddingModel },
    backends: status.backends.map(
      (backend): BackendStatus => ({
        name: backend.backend,
        where: backend.where,
        link: backend.link,
        status: backend.status,
        latency_ms: tenths(backend.latencyMs),
        models_available: backend.modelsAvailable,
        models_loaded: backend.modelsLoaded,
        breaker: { state: backend.breaker.state, failures: backend.breaker.failures },
        message: backend.message,
      }),
    ),
    policy: status.policy,
    engine: {
      state: engine.state,
      pid: engine.pid,
      restarts: engine.restarts,
      last_cause: engine.lastCause,
    },
    models: status.loaded.map(modelOf),
    progress:
      progress === null
        ? null
        : { phase: progress.phase, done_bytes: progress.doneBytes, total_bytes: progress.totalBytes },
    requests: status.requests,
    memory: {
      node_bytes: memory.node,
      engine_bytes: memory.engine,
      total_bytes: memory.total,
      free_bytes: memory.free,
    },
    disk: { free_bytes: status.diskFree },
    swarm: {
      state: status.swarm.state,
      message: status.swarm.message,
      peer: status.swarm.peer,
      reach: status.swarm.reach,
      connections: status.swarm.counters?.connections ?? 0,
      peers: status.swarm.peers,
      unread: status.swarm.unread,
    },
    log_level: status.logLevel,
    threads: status.threads,
    limits: status.limits,
    recent,
  };
}

/** What is beyond tenths of a millisecond is noise. */
function tenths(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms * 10) / 10;
}

function stateOf({ state }: NodeStatus): HealthState {
  return state === 'ready' ? 'ok' : state;
}

function modelOf({ work, ...model }: LoadedModelStatus): LoadedModelHealth {
  const known = work !== null && work.usedCells !== null && work.cachedCells !== null;
  return {
    id: model.id,
    task: model.task,
    architecture: model.architecture,
    runner: model.runner,
    device: model.device,
    blocks: model.blocks,
    context: model.context,
    weight_bytes: model.weightBytes,
    kv_bytes: model.kvBytes,
    kv_cells: known ? { total: model.kvCells, used: work.usedCells!, cached: work.cachedCells! } : null,
    active: work?.active ?? null,
    waiting: work?.waiting ?? null,
    tokens_per_second: work?.tokensPerSecond == null ? null : Math.round(work.tokensPerSecond * 10) / 10,
  };
}

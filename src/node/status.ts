/**
 * What a node says of itself: the rooms' own figures put together, each asked within a bound.
 *
 * @module node/status
 */
import { totalmem } from 'node:os';
import { type Config, freeBytes } from '../base/index.ts';
import type { EngineStatus, LoadedModel } from '../engine/index.ts';
import type { OpenedIdentity } from '../identity/index.ts';
import type { LoadedModelStatus, NodeStatus, Server, SwarmSummary } from '../server/index.ts';
import type { Rooms } from './rooms.ts';

/** What only the node itself knows. */
export type NodeFacts = Pick<
  NodeStatus,
  'state' | 'message' | 'version' | 'startedAt' | 'uptimeMs' | 'progress'
>;

export async function nodeStatus(
  facts: NodeFacts,
  config: Config,
  { identity, isProtected }: OpenedIdentity,
  rooms: Rooms,
  server: Server,
  swarm: SwarmSummary,
): Promise<NodeStatus> {
  const { engine, gateway, log, models, home } = config;
  const [backends, running, known, diskFree] = await Promise.all([
    rooms.gateway.health(),
    rooms.local.engineStatus(),
    rooms.gateway.models(),
    freeBytes(home).catch(() => null),
  ]);
  const places = new Map(rooms.gateway.backends().map((report) => [report.name, report]));
  const state = rooms.engineState();
  // One that the owner's own settings keep the node from is no trouble of the moment: the start and the list tell it.
  const asked = backends.filter(({ backend }) => places.get(backend)?.reachable !== false);
  const able = asked.length === 0 ? backends : asked;
  const ill = able.filter(({ status }) => status === 'degraded');
  // What is wrong with the engine, or with all backends, is wrong with a node whose start went well.
  const grave =
    ill.find(({ backend }) => backend === 'local') ?? (ill.length === able.length ? ill[0] : undefined);
  const now =
    facts.state !== 'ready'
      ? {}
      : grave !== undefined
        ? { state: 'degraded' as const, message: messageOf(grave) }
        : swarm.state === 'failed'
          ? { state: 'degraded' as const, message: `The swarm does not run: ${swarm.message ?? 'unknown'}` }
          : ill.length > 0
            ? { message: messageOf(ill[0]!) }
            : {};
  return {
    ...facts,
    ...now,
    pid: process.pid,
    url: server.url,
    home,
    identity: { peerId: identity.peerId, did: identity.did, protected: isProtected },
    defaultModel: models.default,
    embeddingModel: models.embedding,
    models: known.map(({ id, task, state, context }) => ({ id, task, state, context })),
    loaded: state.state === 'running' ? loadedNow(rooms.engine.models(), running) : [],
    backends: backends.map((health) => {
      const { where, link } = places.get(health.backend)!;
      return { ...health, where, link };
    }),
    policy: {
      privacy: gateway.privacy,
      route: gateway.route,
      cache: gateway.cache,
      degrade: gateway.degrade,
    },
    requests: { active: server.active, total: server.total, refused: server.refused },
    engine: state,
    memory: {
      node: process.memoryUsage.rss(),
      engine: running?.rssBytes ?? rooms.engineMemory(),
      total: Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY),
      free: process.availableMemory(),
    },
    diskFree,
    swarm,
    logLevel: log.level,
    threads: engine.threads,
    limits: {
      max_active: engine.maxActive,
      max_queue: engine.maxQueue,
      max_wait_ms: engine.maxWaitMs,
      max_run_ms: engine.maxRunMs,
      max_tokens: engine.maxTokens,
      body_bytes: config.server.bodyBytes,
      connections: config.server.maxConnections,
    },
  };
}

/** The engine speaks for itself; of another backend it has to be said which one it is. */
function messageOf({ backend, message }: { readonly backend: string; readonly message: string | null }) {
  return backend === 'local' || message === null ? message : `${backend}: ${message}`;
}

/** Models of an earlier life of the engine process are not in memory, though the next request finds them by name. */
function loadedNow(loaded: readonly LoadedModel[], running: EngineStatus | null): LoadedModelStatus[] {
  const list: LoadedModelStatus[] = [];
  for (const model of loaded) {
    const now = running?.models.find(({ id }) => id === model.id);
    if (running !== null && now === undefined) continue;
    const { id, task, architecture, runner, device, blocks, context, kvCells, weightBytes, kvBytes } = model;
    const count = (name: string): number | null => now?.counters[name] ?? null;
    const free = count('freeCells');
    const cachedCells = count('cachedCells');
    list.push({
      ...{ id, task, architecture, runner, device, blocks, context, kvCells, weightBytes, kvBytes },
      work:
        now === undefined
          ? null
          : {
              active: now.active,
              waiting: now.queued,
              usedCells: free === null || cachedCells === null ? null : kvCells - free - cachedCells,
              cachedCells,
              tokensPerSecond: count('decodeTokensPerSecond'),
            },
    });
  }
  return list;
}

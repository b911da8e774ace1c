/**
 * One running Kith: takes the home's lock, opens the rooms, listens, and makes the default model ready in the
 * background.
 *
 * The server listens before any model is there: `/health` says `starting`, and requests wait for their model.
 *
 * @module node/node
 */
import { randomBytes } from 'node:crypto';
import {
  acquireLock,
  type Config,
  createIds,
  isKithError,
  KithError,
  type Lock,
  type Logger,
  messageOf,
  systemClock,
  systemRandom,
} from '../base/index.ts';
import type { EngineStatus } from '../engine/index.ts';
import type { Receipts } from '../gateway/index.ts';
import type { AskPassphrase, OpenedIdentity } from '../identity/index.ts';
import type { Progress } from '../models/index.ts';
import {
  createObservability,
  createServer,
  defaultServerLimits,
  type NodeStatus,
  type Observability,
  type Server,
  type ServerLimits,
} from '../server/index.ts';
import { type NodeAccess, openAccess } from './access.ts';
import { usePeers } from './found-peers.ts';
import { foundProviders } from './found-providers.ts';
import { openNodeIdentity } from './identity.ts';
import type { NodeKnowledge } from './knowledge/desk.ts';
import { lateKnowledge } from './knowledge/late.ts';
import { questionsThatLeave } from './knowledge/share-privacy.ts';
import { openRooms, type Rooms } from './rooms.ts';
import { makeRunFolder, nodeLockPath, readRunFile, removeRunFile, writeRunFile } from './run-file.ts';
import { nodeStatus } from './status.ts';
import { keepStatusLists } from './status-lists.ts';
import { createNodeStorage, type NodeStorage } from './storage.ts';
import { createNodeSwarm, type NodeSwarm } from './swarm.ts';
import { type BoundNetwork, createPeerNetwork } from './swarm-asking.ts';
import { noReceipts, openNodeReceipts } from './swarm-receipts.ts';
import { tlsFiles } from './tls-files.ts';
import { watchVault } from './vault-watch.ts';

/** A node has to be gone this long after Ctrl-C; what is left after draining goes to closing the rooms. */
const closeWithinMs = 5_000;
const closeRoomsMs = 1_000;

export interface NodeOptions {
  readonly config: Config;
  readonly log: Logger;
  /** Of this package: shown in `/health` and to the command line. */
  readonly version: string;
  /** Progress of the default model's start. */
  readonly onProgress?: (model: string, progress: Progress) => void;
  /** Gives the passphrase of the node's key. @default what the configuration and the service manager say */
  readonly passphrase?: AskPassphrase;
  /** Called when something outside asks the node to end (`kith stop`). */
  readonly onShutdown?: () => void;
}

export interface Node extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly defaultModel: string;
  /** Settles when the default model answers; rejects with what went wrong. The node stays up either way. */
  readonly ready: Promise<void>;
  status(): Promise<NodeStatus>;
  /** The engine process and what the scheduler of each loaded model counts, for tests and diagnosis. */
  engineStatus(): Promise<EngineStatus>;
  /** Drains requests, closes every room, removes the run file. Takes at most 5 s. Safe to call twice. */
  close(): Promise<void>;
}

export async function createNode(options: NodeOptions): Promise<Node> {
  const { config, log, version } = options;
  const { home } = config;
  await makeRunFolder(home).catch((error: unknown) => {
    throw new KithError(
      'home_not_writable',
      `The home folder ${home} cannot be written: ${messageOf(error)}`,
      {
        param: 'home',
        cause: error,
      },
    );
  });
  const startedAt = systemClock.now();
  const began = systemClock.monotonic();
  const lock = await takeLock(home);
  let identity: OpenedIdentity | null = null;
  let rooms: Rooms | null = null;
  let server: Server | null = null;
  let observability: Observability | null = null;
  let doors: NodeAccess | null = null;
  let swarm: NodeSwarm | null = null;
  let knowledge: NodeKnowledge | null = null;
  let storage: NodeStorage | null = null;
  let statusLists: AsyncDisposable | null = null;
  let peers: BoundNetwork | null = null;
  let found: AsyncDisposable | null = null;
  let receipts: (Receipts & Disposable) | null = null;
  const stopping = new AbortController();
  let phase: NodeStatus['progress'] = null;
  let state: NodeStatus['state'] = 'starting';
  let message: string | null = null;
  let closed: Promise<void> | null = null;

  const close = (): Promise<void> => {
    closed ??= (async () => {
      state = 'stopping';
      message = 'The node is shutting down.';
      stopping.abort();
      // The run file goes first: nobody should be sent to a node that is leaving.
      await removeRunFile(home);
      const closingKnowledge = closeInTime('knowledge bases were', knowledge?.[Symbol.asyncDispose](), log);
      await server?.close(Math.min(config.server.drainMs, closeWithinMs - closeRoomsMs));
      peers?.[Symbol.dispose]();
      // Before the engine that makes its vectors.
      await closingKnowledge;
      await Promise.all([
        found?.[Symbol.asyncDispose](),
        rooms?.[Symbol.asyncDispose](),
        observability?.close(closeRoomsMs),
        closeInTime('the swarm was', swarm?.close(), log),
        closeInTime('the storage was', storage?.[Symbol.asyncDispose](), log),
        statusLists?.[Symbol.asyncDispose](),
      ]);
      receipts?.[Symbol.dispose]();
      doors?.[Symbol.dispose]();
      await lock.release();
    })();
    return closed;
  };

  /** A default model that could not be loaded at the start may have been by a later request. */
  const recover = (): void => {
    if (state !== 'degraded' || !rooms!.engine.models().some((model) => model.id === config.models.default))
      return;
    state = 'ready';
    message = null;
  };

  const status = (): Promise<NodeStatus> => {
    recover();
    const uptimeMs = Math.round(systemClock.monotonic() - began);
    return nodeStatus(
      { state, message, version, startedAt, uptimeMs, progress: phase },
      config,
      identity!,
      rooms!,
      server!,
      swarm!.summary(),
    );
  };

  try {
    identity = await openNodeIdentity(config, log, options.passphrase);
    if (config.swarm.enabled) receipts = openNodeReceipts(home, systemClock, log.child('peers'));
    peers = createPeerNetwork(identity.identity.peerId, receipts);
    rooms = await openRooms(
      config,
      log,
      (model, progress) => {
        if (model === config.models.default && state === 'starting')
          phase = { phase: progress.phase, doneBytes: progress.doneBytes, totalBytes: progress.totalBytes };
        options.onProgress?.(model, progress);
      },
      (attempts) => observability?.attempts(attempts),
      peers,
    );
    statusLists = await keepStatusLists({
      ...{ home, identity: identity.identity, clock: systemClock, random: systemRandom },
      log: log.child('identity'),
    });
    const foundSlot = foundProviders(rooms.gateway);
    const [foundPeers, foundPaths] = [foundSlot(), foundSlot()];
    storage = createNodeStorage({ config, peers, log: log.child('storage') });
    swarm = createNodeSwarm({
      config,
      identity: identity.identity,
      engine: rooms.local,
      receipts: receipts ?? noReceipts,
      models: rooms.store,
      shards: { engine: rooms.engine, models: rooms.store, found: foundPaths.setFound },
      rag: (call) => knowledge!.answerPeer(call),
      ...(storage.answerPeer === null ? {} : { storage: storage.answerPeer, space: storage.space }),
      clock: systemClock,
      random: systemRandom,
      log: log.child('swarm'),
    });
    const watch = watchVault(peers);
    knowledge = lateKnowledge({
      ...{ config, clock: systemClock, random: systemRandom, log: log.child('knowledge') },
      ...{ engine: rooms.engine, local: rooms.local, models: rooms.store, gateway: rooms.gateway },
      watches: config.knowledge.watch,
      activity: () => (server?.total ?? 0) * 1000 + (server?.active ?? 0),
      sharing: {
        ...{ identity: identity.identity, peers: watch.peers, mayLeave: questionsThatLeave(config, peers) },
        onVaultFault: watch.fault,
      },
    });
    const ids = createIds(systemClock, systemRandom);
    const token = randomBytes(32).toString('base64url');
    doors = openAccess(config, token, log.child('server'));
    const tellWhere = async (fingerprint: string | null) =>
      writeRunFile(home, {
        pid: process.pid,
        url: server!.url,
        port: server!.port,
        version,
        startedAt,
        token,
        ...(fingerprint === null ? {} : { fingerprint }),
      });
    observability = await createObservability({
      version,
      clock: systemClock,
      ids,
      log: log.child('server'),
      access: config.log.access,
      status,
      models: [config.models.default, config.models.embedding],
      alerts: config.alerts,
      telemetry: config.telemetry,
      vault: () => ({ lent: storage?.figures() ?? null, asked: watch.figures() }),
    });
    server = await createServer({
      gateway: rooms.gateway,
      control: {
        status,
        shutdown: () => options.onShutdown?.(),
        unload: (model) => rooms!.local.unload(model),
        load: async (model, signal) => void (await rooms!.local.prepare(model, signal)),
      },
      host: config.server.host,
      port: config.server.port,
      log: log.child('server'),
      clock: systemClock,
      ids,
      randomSeed: () => systemRandom.uint32(),
      limits: serverLimits(config),
      version,
      token,
      access: doors.access,
      tls: tlsFiles(config),
      onCertificate: tellWhere,
      // Figures come first: what a budget refuses is counted too.
      observers: [observability.observer, doors.access.budgets],
      observability,
      swarm: swarm.desk,
      shards: swarm.shards,
      knowledge: knowledge.desk,
      storage: storage.desk,
    });
    observability.start();
    swarm.start();
    knowledge
      .resume()
      .catch((error: unknown) => log.warn('jobs of knowledge bases do not go on', { err: messageOf(error) }));
    peers.bind(swarm);
    if (config.swarm.enabled && config.swarm.use !== 'nobody')
      found = usePeers({
        ...{ config, peers },
        gateway: foundPeers,
        clock: systemClock,
        random: systemRandom,
        log: log.child('peers'),
      });
    await tellWhere(server.fingerprint);
  } catch (error) {
    await close();
    throw error;
  }

  // An engine that is no backend stays out of memory.
  const preparing = config.gateway.localEngine
    ? rooms.local.prepare(config.models.default, stopping.signal)
    : Promise.resolve();
  const ready = preparing.then(
    () => {
      if (state === 'starting') state = 'ready';
      phase = null;
    },
    (error: unknown) => {
      phase = null;
      if (state !== 'starting') return;
      state = 'degraded';
      message = `The default model '${config.models.default}' is not ready: ${messageOf(error)}`;
      log.error('default model failed', { err: messageOf(error), model: config.models.default });
      throw error;
    },
  );
  // Callers that do not wait for it read the outcome in `status`.
  ready.catch(() => {});

  return {
    url: server.url,
    port: server.port,
    defaultModel: config.models.default,
    ready,
    status,
    engineStatus: () => rooms!.engine.status(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The swarm tells its peers that the node leaves, jobs end their step: for as long as there is time. */
async function closeInTime(what: string, work: PromiseLike<void> | undefined, log: Logger): Promise<void> {
  if (work === undefined) return;
  const patience = new AbortController();
  const late = systemClock.sleep(closeRoomsMs, patience.signal).catch(() => {});
  const closing = Promise.resolve(work).catch((error: unknown) => {
    log.warn(`${what} not closed well`, { err: messageOf(error) });
  });
  await Promise.race([closing, late]);
  patience.abort();
}

/** One node per home. The error says which process has it and where it answers. */
async function takeLock(home: string): Promise<Lock> {
  try {
    return await acquireLock(nodeLockPath(home), { purpose: 'the running node' });
  } catch (error) {
    if (!isKithError(error) || error.code !== 'locked') throw error;
    const run = await readRunFile(home);
    const where = run ? ` as process ${run.pid} at ${run.url}` : '';
    throw new KithError(
      'already_running',
      `A node already runs on ${home}${where}. Use it, stop it with \`kith stop\`, or start another one with --home DIR --port N.`,
      { status: 409, details: run ? { pid: run.pid, port: run.port } : {}, cause: error },
    );
  }
}

function serverLimits(config: Config): ServerLimits {
  const { server, engine } = config;
  return {
    ...defaultServerLimits,
    bodyBytes: server.bodyBytes,
    headersMs: server.headersTimeoutMs,
    bodyMs: server.requestTimeoutMs,
    connections: server.maxConnections,
    connectionsPerPeer: server.maxConnectionsPerPeer,
    bodiesBytes: Math.max(defaultServerLimits.bodiesBytes, 4 * server.bodyBytes),
    // A stream that waits for its turn keeps its status open for as long as a 503 may still come.
    commitMs: engine.maxWaitMs + 1_000,
  };
}

/**
 * Opens the rooms that answer requests: model store, engine, gateway. The node does this to serve; the command line
 * does it to answer without a node.
 *
 * @module node/rooms
 */
import { type Config, isKithError, type Logger, systemClock, systemRandom } from '../base/index.ts';
import { createEngine, type Engine, supportedArchitectures } from '../engine/index.ts';
import {
  createLocalBackend,
  type Gateway,
  type GatewayOptions,
  type LocalBackend,
} from '../gateway/index.ts';
import { createModelStore, type ModelStore, type Progress } from '../models/index.ts';
import type { NodeStatus } from '../server/index.ts';
import { openGateway, type TextEmbedder } from './gateway.ts';
import { enginePackages } from './home-files.ts';
import type { PeerNetwork } from './swarm-asking.ts';

/** ms the engine process gets to end by itself when it is told to. */
const engineDrainMs = 500;

/** What computes on this machine. */
export interface EngineRooms extends AsyncDisposable {
  readonly store: ModelStore;
  readonly engine: Engine;
  readonly local: LocalBackend;
}

export interface Rooms extends EngineRooms {
  readonly gateway: Gateway;
  engineState(): NodeStatus['engine'];
  /** Resident bytes of the engine process, null when unknown. */
  engineMemory(): number | null;
}

type OnProgress = (model: string, progress: Progress) => void;

/** Opens no gateway: what that keeps belongs to the node that runs. */
export function openEngineRooms(config: Config, log: Logger, onProgress: OnProgress = () => {}): EngineRooms {
  const engine = createEngine({
    ...config.engine,
    log: log.child('engine'),
    clock: systemClock,
    random: systemRandom,
    // Requests were drained before the rooms close; what is left has to go within the node's 5 s.
    supervision: { drainMs: engineDrainMs },
    libraryRoots: [enginePackages(config.home)],
  });
  const store = createModelStore({
    home: config.home,
    registry: config.models.registry,
    hubUrl: config.models.hubUrl,
    clock: systemClock,
    random: systemRandom,
    log: log.child('models'),
    architectures: supportedArchitectures,
  });
  const local = createLocalBackend({
    engine,
    models: store,
    defaults: { chat: config.models.default, embedding: config.models.embedding },
    overflow: config.engine.overflow,
    maxWaitMs: config.engine.maxWaitMs,
    clock: systemClock,
    random: systemRandom,
    onProgress,
  });
  return {
    store,
    engine,
    local,
    async [Symbol.asyncDispose]() {
      await Promise.all([engine[Symbol.asyncDispose](), store[Symbol.asyncDispose]()]);
    },
  };
}

export async function openRooms(
  config: Config,
  log: Logger,
  onProgress?: OnProgress,
  onAttempts?: GatewayOptions['onAttempts'],
  peers?: PeerNetwork,
): Promise<Rooms> {
  const machine = openEngineRooms(config, log, onProgress);
  const { store, engine, local } = machine;
  const opened = await openGateway({
    config,
    local,
    embedder: await embedderOf(config.models.embedding, store, local),
    clock: systemClock,
    random: systemRandom,
    log: log.child('gateway'),
    ...(onAttempts === undefined ? {} : { onAttempts }),
    ...(peers === undefined ? {} : { peers }),
  }).catch(async (error: unknown) => {
    await machine[Symbol.asyncDispose]();
    throw error;
  });
  return {
    ...machine,
    gateway: opened.gateway,
    engineState() {
      const { state, pid, restarts, lastCause } = engine.state();
      return { state, pid, restarts, lastCause };
    },
    engineMemory: () => engine.state().rssBytes,
    async [Symbol.asyncDispose]() {
      await opened[Symbol.asyncDispose]();
      await machine[Symbol.asyncDispose]();
    },
  };
}

/** Null when the model is not known here: then nothing is compared by meaning. */
async function embedderOf(
  model: string,
  store: ModelStore,
  local: LocalBackend,
): Promise<TextEmbedder | null> {
  const entry = await store.get(model).catch((error: unknown) => {
    if (isKithError(error)) return null;
    throw error;
  });
  if (entry === null || entry.manifest.task !== 'embedding') return null;
  const dimension = entry.manifest.embedding;
  return {
    model,
    dimension,
    async embed(texts, signal = new AbortController().signal) {
      const { vectors } = await local.embed({ model, inputs: texts, truncate: true, signal });
      return texts.map((_, row) => vectors.subarray(row * dimension, (row + 1) * dimension));
    },
  };
}

/**
 * Opens the rooms that answer requests: model store, engine, gateway. The node does this to serve; the command line
 * does it to answer without a node.
 *
 * @module node/rooms
 */
import { join } from 'node:path';
import { type Config, type Logger, systemClock, systemRandom } from '../base/index.ts';
import { createEngine, type Engine, supportedArchitectures } from '../engine/index.ts';
import {
  createGateway,
  createLocalBackend,
  type Gateway,
  type LocalBackend,
  localProvider,
} from '../gateway/index.ts';
import { createModelStore, type ModelStore, type Progress } from '../models/index.ts';
import type { NodeStatus } from '../server/index.ts';

/** ms the engine process gets to end by itself when it is told to. */
const engineDrainMs = 500;

export interface Rooms extends AsyncDisposable {
  readonly store: ModelStore;
  readonly engine: Engine;
  readonly gateway: Gateway;
  readonly local: LocalBackend;
  engineState(): NodeStatus['engine'];
  /** Resident bytes of the engine process, null when unknown. */
  engineMemory(): number | null;
}

export async function openRooms(
  config: Config,
  log: Logger,
  onProgress: (model: string, progress: Progress) => void = () => {},
): Promise<Rooms> {
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
  const gateway = createGateway({
    providers: [localProvider(local)],
    clock: systemClock,
    random: systemRandom,
    log: log.child('gateway'),
  });
  return {
    store,
    engine,
    gateway,
    local,
    engineState() {
      const { state, pid, restarts, lastCause } = engine.state();
      return { state, pid, restarts, lastCause };
    },
    engineMemory: () => engine.state().rssBytes,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await Promise.all([engine[Symbol.asyncDispose](), store[Symbol.asyncDispose]()]);
    },
  };
}

/** Folder laid out like node_modules that holds the GPU packages added by `kith calibrate --install`. */
export function enginePackages(home: string): string {
  return join(home, 'engine', 'backends');
}

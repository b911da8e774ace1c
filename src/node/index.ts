/**
 * The node room: composes every other room into one running Kith, and finds a node that already runs.
 *
 * What composes is loaded by its first call: most commands only look for a node and ask it, and its nine hundred files
 * would be two thirds of their time.
 *
 * @module node
 * @example
 * await using node = await createNode({ config: resolveConfig().config, log, version: '1.0.0' });
 * console.log(node.url);
 */
import type { openBackends as OpenBackends } from './backends.ts';
import type { createNodeKnowledge as CreateNodeKnowledge, NodeKnowledge } from './knowledge/desk.ts';
import type { serveKnowledge as ServeKnowledge } from './knowledge/serve.ts';
import type { createNode as CreateNode } from './node.ts';
import type { EngineRooms, openEngineRooms as OpenEngineRooms, openRooms as OpenRooms } from './rooms.ts';
import type { calibrate as Calibrate } from './shards/calibrate.ts';
import type {
  keepCalibrations as KeepCalibrations,
  readCalibrations as ReadCalibrations,
} from './shards/calibration-file.ts';
import type { vaultBench as VaultBench } from './vault-bench/bench.ts';

export type { Backends } from './backends.ts';
export type { CheckupFacts } from './checkups.ts';
export { checkBackendNames, configWarnings } from './config-sense.ts';
export { enginePackages, knowledgeFolder, ledgerPath, storageFolder } from './home-files.ts';
export type { NodeKnowledge } from './knowledge/desk.ts';
export { checkKbNames } from './knowledge/names.ts';
export type { Node, NodeOptions } from './node.ts';
export type { EngineRooms, Rooms } from './rooms.ts';
export { findNode, type RunFile, type RunningNode, readRunFile, whileStopped } from './run-file.ts';
export type { CalibrateParts } from './shards/calibrate.ts';
export { forgetLentPlace } from './storage-place.ts';
export {
  networkKeyPath,
  networkName,
  newNetworkKey,
  parseNetworkKey,
  readNetworkKey,
  writeNetworkKey,
} from './swarm-psk.ts';
export { tlsFiles } from './tls-files.ts';

export const createNode: typeof CreateNode = async (...given) =>
  (await import('./node.ts')).createNode(...given);

export const createNodeKnowledge = async (
  ...given: Parameters<typeof CreateNodeKnowledge>
): Promise<NodeKnowledge> => (await import('./knowledge/desk.ts')).createNodeKnowledge(...given);

export const serveKnowledge: typeof ServeKnowledge = async (...given) =>
  (await import('./knowledge/serve.ts')).serveKnowledge(...given);

export const openBackends: typeof OpenBackends = async (...given) =>
  (await import('./backends.ts')).openBackends(...given);

/** Opens no gateway: what that keeps belongs to the node that runs. */
export const openEngineRooms = async (...given: Parameters<typeof OpenEngineRooms>): Promise<EngineRooms> =>
  (await import('./rooms.ts')).openEngineRooms(...given);

export const openRooms: typeof OpenRooms = async (...given) =>
  (await import('./rooms.ts')).openRooms(...given);

export const calibrate: typeof Calibrate = async (...given) =>
  (await import('./shards/calibrate.ts')).calibrate(...given);

export const keepCalibrations: typeof KeepCalibrations = async (...given) =>
  (await import('./shards/calibration-file.ts')).keepCalibrations(...given);

export const readCalibrations: typeof ReadCalibrations = async (...given) =>
  (await import('./shards/calibration-file.ts')).readCalibrations(...given);
export {
  type BenchRow,
  FEW_QUERIES,
  type KnownPairsRow,
  LEARNS,
  LEARNS_HEAD,
} from './vault-bench/types.ts';
export const vaultBench = async (...given: Parameters<typeof VaultBench>): ReturnType<typeof VaultBench> =>
  (await import('./vault-bench/bench.ts')).vaultBench(...given);

/**
 * The node room: composes every other room into one running Kith, and finds a node that already runs.
 *
 * @module node
 * @example
 * await using node = await createNode({ config: resolveConfig().config, log, version: '1.0.0' });
 * console.log(node.url);
 */
export { tlsFiles } from './access.ts';
export { type Backends, openBackends } from './backends.ts';
export type { CheckupFacts } from './checkups.ts';
export { checkBackendNames, configWarnings } from './config-sense.ts';
export { ledgerPath } from './gateway.ts';
export { createNode, type Node, type NodeOptions } from './node.ts';
export { type EngineRooms, enginePackages, openEngineRooms, openRooms, type Rooms } from './rooms.ts';
export { findNode, type RunFile, type RunningNode, readRunFile, whileStopped } from './run-file.ts';
export { type CalibrateParts, calibrate } from './shards/calibrate.ts';
export { keepCalibrations, readCalibrations } from './shards/calibration-file.ts';
export {
  networkKeyPath,
  networkName,
  newNetworkKey,
  parseNetworkKey,
  readNetworkKey,
  writeNetworkKey,
} from './swarm-psk.ts';

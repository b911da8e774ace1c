/**
 * Adapters to engines that owners run themselves.
 *
 * @module vault/adapters
 */
export { engineAddress } from './address.ts';
export { openVectorEngine } from './open.ts';
export { type EngineSealer, engineSealer } from './sealing.ts';
export { type EngineSyncReport, type OwnPoint, syncEngine } from './sync.ts';
export * from './types.ts';

/**
 * The backend over paths: models whose blocks peers compute, with the ends on this machine.
 *
 * @module gateway/backends/paths
 */
export { createPathBackend, FORCE_PATH, type OfferedModel, type PathBackendOptions } from './backend.ts';
export { type PathProviderOptions, pathProvider } from './provider.ts';

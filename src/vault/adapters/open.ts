/**
 * Opens a collection in whatever engine an address names.
 *
 * @module vault/adapters/open
 */
import type { EngineOptions, VectorEngine } from './types.ts';

/**
 * The collection, made unless it is there. The client of an engine is loaded when one is opened.
 *
 * @throws KithError `engine_unreachable`, `engine_refused`, `engine_extension`, `engine_dimension`, `engine_full`, `engine_timeout`,
 * `engine_failed`; InputError `engine_bounds`
 */
export async function openVectorEngine(options: EngineOptions): Promise<VectorEngine> {
  return options.address.kind === 'postgres'
    ? (await import('./postgres.ts')).openPostgres(options)
    : (await import('./qdrant.ts')).openQdrant(options);
}

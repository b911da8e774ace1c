/**
 * The cache of compiled code that the engine's child processes share with their parent.
 *
 * @module engine/compile-cache
 */
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';

/** Environment for a child process: the parent's cache, when it has one. Node adds a folder per version below it. */
export function compileCache(): { NODE_COMPILE_CACHE?: string } {
  const folder = getCompileCacheDir();
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: dirname(folder) };
}

/**
 * The cache of compiled code that a node's processes and threads share.
 *
 * @module base/compile-cache
 */
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';

/** The folder to give others, when this process has a cache: Node adds a folder per version below it. */
export function compileCacheFolder(): string | undefined {
  const folder = getCompileCacheDir();
  return folder === undefined ? undefined : dirname(folder);
}

/** Environment for a child process: the parent's cache, when it has one. */
export function compileCache(): { NODE_COMPILE_CACHE?: string } {
  const folder = compileCacheFolder();
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: folder };
}

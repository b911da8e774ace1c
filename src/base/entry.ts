/**
 * Where the node's own threads and processes begin: at files beside those who start them, in the source tree or in the build of it.
 *
 * Each start resolves and links hundreds of modules, which takes most of its time (a swarm thread: 0.6 s of processor, 0.3 s as one
 * bundle). Tests start hundreds: they make bundles and name their folder in `KITH_DEV_ENTRIES`.
 *
 * @module base/entry
 */
import { existsSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Of the source tree, or of the build. */
const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * @param name of the file without its suffix, beside `base`: `./child`
 * @param base `import.meta.url` of who starts it
 */
export function entryBeside(name: string, base: string): URL {
  // The build turns .ts into .js, but not inside URLs.
  const entry = new URL(`${name}${base.endsWith('.ts') ? '.ts' : '.js'}`, base);
  const bundles = process.env.KITH_DEV_ENTRIES;
  if (bundles === undefined) return entry;
  const bundle = join(bundles, `${bundleName(relative(ROOT, fileURLToPath(entry)))}.mjs`);
  return existsSync(bundle) ? pathToFileURL(bundle) : entry;
}

/** @param path of an entry below the sources */
export const bundleName = (path: string): string => path.replace(/\.[jt]s$/, '').replaceAll(sep, '-');

/**
 * Bundles of what tests start hundreds of: most of such a start is resolving and linking hundreds of modules.
 *
 * @module scripts/test-bundles
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vite';
import { bundleName } from '../src/base/index.ts';

/** Entries that start nothing themselves, below src/. */
const ENTRIES = [
  ...['swarm/thread/entry.ts', 'engine/process/child.ts', 'engine/text/child.ts'],
  ...['vault/eve/thread.ts', 'vault/split/sealing-thread.ts', 'vault/compact/coding-thread.ts'],
];
/** What finds its own files by where it lies. */
const WHOLE = ['koffi', 'pino', 'yaml', 'node-datachannel', 'node-llama-cpp'];

/** The folder to give in `KITH_DEV_ENTRIES`, with bundles of the sources as they are now. */
export async function bundleEntries(root: string): Promise<string> {
  const outDir = join(root, 'node_modules', '.cache', 'kith-entries');
  rmSync(outDir, { recursive: true, force: true });
  const input = Object.fromEntries(
    ENTRIES.map((path) => [bundleName(join(...path.split('/'))), join(root, 'src', path)]),
  );
  await build({
    ...{ root, configFile: false, logLevel: 'error', publicDir: false },
    ssr: { noExternal: true, external: WHOLE },
    build: {
      ...{ ssr: true, outDir, target: 'node20', minify: false, emptyOutDir: false },
      rollupOptions: { input, output: { entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs' } },
    },
  });
  return outDir;
}

/**
 * `npm run interop`: Kith's swarm with peers of other implementations, live. Runs every `*.test.ts` below this folder.
 *
 * `npm run interop -- go rust` runs those whose path contains one of the words; `--test-...` options go to Node. What a
 * machine has no toolchain for is skipped and said. Ends with 1 when something failed, 0 otherwise.
 *
 * @module interop/run
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';

const words = process.argv.slice(2);
const options = words.filter((word) => word.startsWith('-'));
const parts = words.filter((word) => !word.startsWith('-'));
const files = globSync('**/*.test.ts', {
  cwd: import.meta.dirname,
  exclude: (path) => /^(target|build|node_modules)$/.test(path.split(/[\\/]/).at(-1)!),
})
  .filter((path) => parts.length === 0 || parts.some((part) => path.includes(part)))
  .sort()
  .map((path) => join(import.meta.dirname, path));
if (files.length === 0) {
  console.error(`No suite of interop/ has ${parts.join(' or ')} in its path.`);
  process.exit(1);
}
// One after the other: each suite starts many nodes.
const { status } = spawnSync(
  process.execPath,
  ['--test', '--test-concurrency=1', '--test-timeout=600000', '--test-reporter=spec', ...options, ...files],
  { stdio: 'inherit' },
);
process.exit(status === 0 ? 0 : 1);

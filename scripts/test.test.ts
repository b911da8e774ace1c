import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { isInstallStale, parseArguments, testFiles } from './test.ts';

const root = mkdtempSync(join(tmpdir(), 'kith-scripts-'));
after(() => rmSync(root, { recursive: true, force: true }));
function put(path: string, text = ''): string {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
  return join(root, path);
}

test('the first word is the mode, the others filter files, --test- options go to Node', () => {
  assert.deepEqual(parseArguments([]), { mode: 'all', filters: [], nodeOptions: [] });
  assert.deepEqual(parseArguments(['unit', '--', 'kv', '--test-name-pattern=x']), {
    mode: 'unit',
    filters: ['kv'],
    nodeOptions: ['--test-name-pattern=x'],
  });
  assert.throws(() => parseArguments(['--watch']), /Unknown option --watch/);
});

test('each mode has its files, and packages are never searched', () => {
  for (const path of [
    'src/a/x.test.ts',
    'src/a/x.ts',
    'scripts/s.test.ts',
    'test/t.test.ts',
    'test/long/l.test.ts',
  ]) {
    put(path);
  }
  put('test/models/node_modules/p/p.test.ts');
  assert.deepEqual(testFiles(root, 'all', []), ['scripts/s.test.ts', 'src/a/x.test.ts', 'test/t.test.ts']);
  assert.deepEqual(testFiles(root, 'unit', []), ['src/a/x.test.ts']);
  assert.deepEqual(testFiles(root, 'long', []), ['test/long/l.test.ts']);
  assert.deepEqual(testFiles(root, 'all', ['./src/a', 't.test']), ['src/a/x.test.ts', 'test/t.test.ts']);
});

test('an install is stale when a package of the lock file is missing or has another version', () => {
  const lock = (version: string) =>
    JSON.stringify({
      packages: { '': {}, 'node_modules/a': { version }, 'node_modules/b': { version: '1', optional: true } },
    });
  assert.equal(isInstallStale(join(root, 'models')), false);
  put('models/package-lock.json', lock('1.0.0'));
  assert.equal(isInstallStale(join(root, 'models')), true);
  put('models/node_modules/.package-lock.json', lock('1.0.0'));
  assert.equal(isInstallStale(join(root, 'models')), false);
  put('models/package-lock.json', lock('1.0.1'));
  assert.equal(isInstallStale(join(root, 'models')), true);
});

test('the reporter prints failures in full, reasons of skips and the counts, and the exit code says failure', () => {
  const file = put(
    'reported.test.mjs',
    `import assert from 'node:assert/strict';
     import { describe, test } from 'node:test';
     test('passes', () => {});
     test('waits', { skip: 'no model here' }, () => {});
     describe('group', () => test('breaks', () => assert.equal(1, 2)));`,
  );
  const reporter = new URL('./test-reporter.ts', import.meta.url).href;
  // Without this the inner run would report to the outer one.
  const { NODE_TEST_CONTEXT: _outer, ...env } = process.env;
  const run = spawnSync(process.execPath, ['--test', `--test-reporter=${reporter}`, file], {
    encoding: 'utf8',
    env,
  });
  assert.equal(run.status, 1);
  assert.match(run.stdout, /✖ .*reported\.test\.mjs \(3 tests, /);
  assert.match(run.stdout, /waits: no model here/);
  assert.match(run.stdout, /breaks\n {2}AssertionError[\s\S]*1 !== 2/);
  assert.equal(run.stdout.match(/AssertionError \[/g)?.length, 1);
  assert.match(run.stdout, /ℹ tests 3\nℹ suites 1\nℹ pass 1\nℹ fail 1\nℹ cancelled 0\nℹ skipped 1\n/);
});

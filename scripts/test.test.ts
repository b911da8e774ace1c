import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { isInstallStale, parseArguments, testFiles } from './test.ts';
import { groupTests, writeGroups } from './test-groups.ts';

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

function report(file: string) {
  const reporter = new URL('./test-reporter.ts', import.meta.url).href;
  // Without this the inner run would report to the outer one.
  const { NODE_TEST_CONTEXT: _outer, ...env } = process.env;
  return spawnSync(process.execPath, ['--test', `--test-reporter=${reporter}`, file], {
    encoding: 'utf8',
    env,
  });
}

test('files of the sources share processes, those that deal with processes or time and those of crossing tests do not', () => {
  const plain = Array.from({ length: 45 }, (_, n) => `src/a/${n}.test.ts`);
  const others = [
    'scripts/s.test.ts',
    'src/b/clock.test.ts',
    'src/b/env.test.ts',
    'src/b/far.test.ts',
    'test/t.test.ts',
  ];
  const texts: Record<string, string> = {
    'src/b/env.test.ts': 'process.env.HOME',
    'src/b/clock.test.ts': 'performance.now()',
    'src/b/hooked.test.ts': "import { home } from './testing/home.ts';",
    'src/b/testing/home.ts': 'after(() => rmSync(home));',
    'src/a/0.test.ts': 'after(() => rmSync(home));',
    'src/b/far.test.ts': "import { made } from './testing/made.ts';",
    'src/b/testing/made.ts': "export * from '../slow.ts';",
    'src/b/slow.ts': "import './far.test.ts';\nexport const made = await make();",
  };
  const read = (file: string) => texts[file] ?? 'assert.equal(1, 1)';
  const { alone, groups } = groupTests([...plain, ...others], read);
  assert.deepEqual(alone, others);
  assert.deepEqual(groups.flat(), plain);
  assert.ok(groups.length > 1 && groups.every((group) => group.length > 1));
  const few = [...plain.slice(0, 5), ...others];
  assert.deepEqual(groupTests(few, read), { alone: few, groups: [] });
});

test('a file of a group has its hooks to itself and a line of its own, and what breaks is told in full', () => {
  // Both wait for it, and whose hooks are whose must not depend on who waits first.
  put(
    'src/shared.ts',
    "export const start: string = await new Promise((done) => setImmediate(done, 'start'));",
  );
  for (const name of ['first', 'second'])
    put(
      `src/${name}.test.ts`,
      `import assert from 'node:assert/strict';
       import { after, afterEach, before, test } from 'node:test';
       const seen: string[] = ['start'];
       console.log('${name} loaded');
       before(async () => {
         await new Promise((resolve) => setImmediate(resolve));
         seen.push('before');
       });
       afterEach(() => void seen.push('each'));
       after(() => console.log('${name}', seen.join()));
       test('one', () => new Promise((resolve) => setImmediate(resolve)));
       test('two', () => assert.notEqual('${name}', last));
       const last = 'second';`,
    );
  using written = writeGroups(root, [['src/first.test.ts', 'src/second.test.ts']]);
  const run = report(written.files[0]!);
  assert.equal(run.status, 1);
  const lines = [
    'first loaded',
    'first start,before,each,each',
    'second loaded',
    'second start,before,each,each',
  ];
  assert.match(run.stdout, /✔ src\/first\.test\.ts \(/);
  assert.match(run.stdout, /✖ src\/second\.test\.ts \(/);
  let at = 0;
  for (const line of [...lines, 'second.test.ts:12 two', 'AssertionError']) {
    at = run.stdout.indexOf(line, at);
    assert.ok(at >= 0, `${line} in ${run.stdout}`);
  }
  // Node counts the file itself, too, when it sees that its process failed before it has read all that it said.
  assert.match(run.stdout, /ℹ tests [67]\nℹ suites 2\nℹ pass 4\nℹ fail [23]\n/);
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
  const run = report(file);
  assert.equal(run.status, 1);
  assert.match(run.stdout, /✖ .*reported\.test\.mjs \(3 tests, /);
  assert.match(run.stdout, /waits: no model here/);
  assert.match(run.stdout, /breaks\n {2}AssertionError[\s\S]*1 !== 2/);
  assert.equal(run.stdout.match(/AssertionError \[/g)?.length, 1);
  assert.match(run.stdout, /ℹ tests 3\nℹ suites 1\nℹ pass 1\nℹ fail 1\nℹ cancelled 0\nℹ skipped 1\n/);
});

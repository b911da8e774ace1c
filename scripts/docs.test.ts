import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CONFIGURATION_DOC, configurationDoc } from './docs.ts';
import { TEST_PACKAGES } from './test.ts';

const read = (...path: string[]) => readFileSync(join(import.meta.dirname, '..', ...path), 'utf8');

test('docs/configuration.md is what scripts/docs.ts writes', () => {
  assert.equal(readFileSync(CONFIGURATION_DOC, 'utf8'), configurationDoc(), 'run: node scripts/docs.ts');
});

test('docs/dependencies.md has a row for every direct dependency, with its version', () => {
  const { dependencies, optionalDependencies, devDependencies } = JSON.parse(read('package.json')) as Record<
    'dependencies' | 'optionalDependencies' | 'devDependencies',
    Record<string, string>
  >;
  const tests = Object.keys(TEST_PACKAGES).map(
    (folder) =>
      (JSON.parse(read(folder, 'package.json')) as { dependencies: Record<string, string> }).dependencies,
  );
  const doc = read('docs', 'dependencies.md');
  const rows = [...doc.matchAll(/^\| `([^`]+)` \| ([^ ]+) \|/gm)].map(
    ([, name, version]) => `${name}@${version}`,
  );
  const wanted = Object.entries({ ...dependencies, ...optionalDependencies, ...devDependencies }).concat(
    tests.flatMap((each) => Object.entries(each)),
  );
  assert.deepEqual(rows.sort(), wanted.map(([name, version]) => `${name}@${version}`).sort());
});

test('NOTICE names every direct dependency that is shipped, and the models', () => {
  const { dependencies, optionalDependencies } = JSON.parse(read('package.json')) as Record<
    'dependencies' | 'optionalDependencies',
    Record<string, string>
  >;
  const notice = read('NOTICE');
  for (const name of [
    ...Object.keys({ ...dependencies, ...optionalDependencies }),
    'TinyLlama-1.1B-Chat-v1.0',
    'all-MiniLM-L6-v2',
    'llama.cpp',
  ]) {
    assert.ok(notice.includes(name), name);
  }
});

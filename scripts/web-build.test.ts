import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fingerprint, sourceFiles } from './web-build.ts';

test('the build is renewed when a source or the version of a package it uses changes, and only then', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'kith-build-'));
  t.after(() => rm(root, { recursive: true }));
  const web = join(root, 'web');
  const lock = join(root, 'package-lock.json');
  const put = async (path: string, text: string) => {
    await mkdir(join(web, path, '..'), { recursive: true });
    await writeFile(join(web, path), text);
  };
  const lockWith = (solid: string, other: string) =>
    writeFile(
      lock,
      JSON.stringify({
        packages: { 'node_modules/solid-js': { version: solid }, 'node_modules/zod': { version: other } },
      }),
    );
  await put('index.html', '<!doctype html>');
  await put('src/a.ts', '1');
  await lockWith('1.0.0', '1.0.0');
  const first = fingerprint(web, lock);
  await put('dist/index.html', 'built');
  await put('.dist-12/index.html', 'half built');
  await put('src/a.test.ts', 'a test');
  await lockWith('1.0.0', '2.0.0');
  assert.equal(fingerprint(web, lock), first);
  assert.deepEqual(sourceFiles(web), ['index.html', 'src/a.ts']);
  await lockWith('1.0.1', '2.0.0');
  const second = fingerprint(web, lock);
  assert.notEqual(second, first);
  await put('src/a.ts', '2');
  assert.notEqual(fingerprint(web, lock), second);
});

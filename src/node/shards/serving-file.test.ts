import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openServingFile, type WantedRange } from './serving-file.ts';

const RANGE: WantedRange = { model: 'tiny', sha256: 'ab'.repeat(32), from: 2, to: 5, auto: true, most: null };

async function inHome(work: (home: string, path: string) => Promise<void>): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'kith-serving-'));
  try {
    await mkdir(join(home, 'shards'));
    await work(home, join(home, 'shards', 'serving.json'));
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

test('what was served is there again, and the last of several writes counts', () =>
  inHome(async (home) => {
    const file = await openServingFile(home);
    assert.deepEqual([file.wanted, file.problem], [[], null]);
    await Promise.all([file.write([RANGE, { ...RANGE, from: 7, to: 9 }]), file.write([RANGE])]);
    assert.deepEqual((await openServingFile(home)).wanted, [RANGE]);
  }));

test('a file that is damaged serves nothing, says so, and stays as it is', () =>
  inHome(async (home, path) => {
    for (const text of [
      'not json',
      '{"version":2,"served":[]}',
      JSON.stringify({ version: 1, served: [{ ...RANGE, to: 2 }] }),
      JSON.stringify({ version: 1, served: [{ ...RANGE, model: '../../etc' }] }),
      JSON.stringify({ version: 1, served: Array(17).fill(RANGE) }),
      ' '.repeat(70_000),
    ]) {
      await writeFile(path, text);
      const file = await openServingFile(home);
      assert.deepEqual(file.wanted, []);
      assert.match(file.problem!, /serving\.json/);
      assert.equal(await readFile(path, 'utf8'), text);
    }
  }));

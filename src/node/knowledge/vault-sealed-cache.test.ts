import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createSeededRandom } from '../../base/index.ts';
import { openReadCache } from './vault-sealed-cache.ts';

test('wherever the file of what was read is damaged, it can be opened and used, and gives nothing that is not there', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kith-reads-'));
  const path = join(folder, 'read.sqlite');
  const random = createSeededRandom(5);
  const [pages, stretch] = [4096, { at: 0, length: 4000 }] as const;
  const objects = Array.from({ length: 60 }, () => random.bytes(stretch.length));
  try {
    {
      using cache = openReadCache(path);
      for (const [i, object] of objects.entries()) cache.of('kb').put(`b${i}`, stretch, object);
    }
    const sound = readFileSync(path);
    for (let at = 0; at < sound.length; at += 5 * pages) {
      const bytes = Buffer.from(sound);
      bytes.set(random.bytes(3 * pages), Math.min(at, bytes.length - 3 * pages));
      writeFileSync(path, bytes);
      using cache = openReadCache(path);
      const own = cache.of('kb');
      for (const i of objects.keys()) assert.doesNotThrow(() => own.get(`b${i}`, stretch));
      own.put('new', stretch, objects[0]!);
      cache.forget('kb');
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

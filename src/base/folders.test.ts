import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeFolder, makeFolderSync } from './folders.ts';

const ways = [
  ['at once', (path: string, mode?: number) => Promise.resolve().then(() => makeFolderSync(path, mode))],
  ['later', makeFolder],
] as const;

for (const [name, make] of ways)
  test(`folders are made with those above them, ${name}, and what cannot be made is said`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kith-folders-'));
    try {
      const deep = join(folder, 'a', 'b', 'c');
      await make(deep, 0o700);
      await make(deep, 0o700);
      assert.ok(statSync(deep).isDirectory());
      if (process.platform !== 'win32') assert.equal(statSync(deep).mode & 0o777, 0o700);
      await Promise.all(Array.from({ length: 8 }, () => make(join(folder, 'x', 'y', 'z'))));
      writeFileSync(join(folder, 'file'), '');
      for (const bad of [join(folder, 'file'), join(folder, 'file', 'below'), join(folder, 'n'.repeat(300))])
        await assert.rejects(async () => make(bad));
      // Node's own way never comes back from this.
      if (process.platform === 'linux')
        await assert.rejects(async () => make('/proc/nope/below'), { code: 'ENOENT' });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

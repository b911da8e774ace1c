import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { RememberedFiles } from './remembered.ts';

function scene(t: { after(end: () => void): void }) {
  const folder = mkdtempSync(join(tmpdir(), 'kith-remembered-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const clock = { now: BigInt(Date.now()) * 1_000_000n };
  let parsed = 0;
  const files = new RememberedFiles<string>(
    100,
    (text) => {
      parsed++;
      if (text === 'bad') throw new Error('bad file');
      return `<${text}>`;
    },
    () => clock.now,
  );
  return { path: join(folder, 'file'), files, clock, parsed: () => parsed };
}

test('a file that has rested is parsed once, and again when it has changed', async (t) => {
  const { path, files, clock, parsed } = scene(t);
  writeFileSync(path, 'one');
  clock.now += 10_000_000_000n;
  assert.equal(await files.read(path), '<one>');
  assert.equal(await files.read(path), '<one>');
  assert.equal(parsed(), 1);

  // The same length, by a rename, as atomic writes do it.
  writeFileSync(`${path}.new`, 'two');
  renameSync(`${path}.new`, path);
  assert.equal(await files.read(path), '<two>');
  assert.equal(parsed(), 2);
});

test('a file that was just written is read anew each time', async (t) => {
  const { path, files, clock, parsed } = scene(t);
  writeFileSync(path, 'one');
  clock.now = statSync(path, { bigint: true }).ctimeNs;
  await files.read(path);
  writeFileSync(path, 'two');
  assert.equal(await files.read(path), '<two>');
  assert.equal(parsed(), 2);
});

test('a file that is gone, too large or cannot be parsed is an error each time', async (t) => {
  const { path, files, clock } = scene(t);
  writeFileSync(path, 'one');
  clock.now += 10_000_000_000n;
  await files.read(path);
  rmSync(path);
  await assert.rejects(files.read(path), { code: 'file_not_found' });
  writeFileSync(path, 'bad');
  await assert.rejects(files.read(path), /bad file/);
  await assert.rejects(files.read(path), /bad file/);
  writeFileSync(path, 'x'.repeat(101));
  await assert.rejects(files.read(path), { limit: 'file.bytes' });
});

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Appender } from './appender.ts';
import { digestFiles } from './digest.ts';

const folder = await mkdtemp(join(tmpdir(), 'kith-disk-'));
after(() => rm(folder, { recursive: true }));

test('a digest is over all files in order, and the copy has the same bytes', async () => {
  const [a, b] = [Buffer.alloc(5_000_000, 'ab'), Buffer.from('the end')];
  await writeFile(join(folder, 'a'), a);
  await writeFile(join(folder, 'b'), b);
  const target = join(folder, 'copy');
  const seen: number[] = [];
  const files = [join(folder, 'a'), join(folder, 'b')];
  const { hex, base64, bytes } = await digestFiles(files, {
    target,
    algorithm: 'sha512',
    onBytes: (n) => seen.push(n),
  });
  const whole = Buffer.concat([a, b]);
  assert.equal(hex, createHash('sha512').update(whole).digest('hex'));
  assert.equal(base64, createHash('sha512').update(whole).digest('base64'));
  assert.deepEqual([bytes, seen.at(-1)], [whole.length, whole.length]);
  assert.ok((await readFile(target)).equals(whole));
});

test('a longer file that was at the target before leaves nothing behind', async () => {
  await writeFile(join(folder, 'short'), 'short');
  await writeFile(join(folder, 'old'), 'something longer');
  await digestFiles([join(folder, 'short')], { target: join(folder, 'old') });
  assert.equal(await readFile(join(folder, 'old'), 'utf8'), 'short');
});

test('a missing file and a target that cannot be written are told apart', async () => {
  await assert.rejects(digestFiles([join(folder, 'none')]), { code: 'file_unreadable' });
  const target = join(folder, 'no/such/folder');
  await assert.rejects(digestFiles([join(folder, 'short')], { target }), { code: 'write_failed' });
});

test('an aborted digest rejects with the abort', async () => {
  const controller = new AbortController();
  const running = digestFiles([join(folder, 'a')], { signal: controller.signal });
  controller.abort();
  await assert.rejects(running, { code: 'aborted' });
});

test('an appender keeps what is there, cuts what is asked, and counts what is gathered', async () => {
  const path = join(folder, 'appended');
  await writeFile(path, 'abcdef');
  {
    await using file = await Appender.open(path, 3);
    assert.equal(file.length, 3);
    await file.append(Buffer.from('XY'));
    assert.equal(file.length, 5);
    await file.cut(4);
    assert.equal(file.length, 4);
    await file.append(Buffer.from('Z'));
  }
  assert.equal(await readFile(path, 'utf8'), 'abcXZ');
  assert.equal((await stat(path)).size, 5);
});

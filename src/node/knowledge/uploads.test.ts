import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { acquireLock, createSeededRandom, KithError } from '../../base/index.ts';
import { receiveUpload } from './uploads.ts';

const folder = await mkdtemp(join(tmpdir(), 'kith-uploads-'));
after(() => rm(folder, { recursive: true, force: true }));
const options = { folder, most: 100_000, random: createSeededRandom(1) };

async function* pieces(count: number, end?: Error): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < count; i++) yield new Uint8Array(1000).fill(i);
  if (end !== undefined) throw end;
}

test('an upload is whole on the disk, and one that breaks off or is too large leaves nothing', async () => {
  const name = await receiveUpload({ bytes: null, pieces: pieces(50) }, options);
  const kept = await readFile(join(folder, name));
  assert.deepEqual([kept.length, kept[0], kept[49_999]], [50_000, 0, 49]);

  const gone = new KithError('aborted', 'The client went.');
  await assert.rejects(receiveUpload({ bytes: 50_000, pieces: pieces(20, gone) }, options), gone);
  const large = { code: 'parse_too_large', status: 413 };
  await assert.rejects(receiveUpload({ bytes: null, pieces: pieces(101) }, options), large);
  let asked = false;
  const never = (async function* (): AsyncGenerator<Uint8Array> {
    asked = true;
    yield new Uint8Array(1);
  })();
  await assert.rejects(receiveUpload({ bytes: 100_001, pieces: never }, options), large);
  assert.equal(asked, false, 'what is announced as too large is not read');
  await assert.rejects(receiveUpload({ bytes: 2 ** 60, pieces: never }, { ...options, most: 2 ** 61 }), {
    code: 'disk_full',
    status: 507,
  });
  assert.deepEqual(await readdir(folder), [name]);
});

test('folders that Kith makes are for their owner alone, and one that it made wider is narrowed', {
  skip: process.platform === 'win32',
}, async () => {
  const modeOf = async (path: string) => (await stat(path)).mode & 0o777;
  const made = join(folder, 'knowledge', 'uploads');
  await receiveUpload({ bytes: null, pieces: pieces(1) }, { ...options, folder: made });
  assert.deepEqual([await modeOf(made), await modeOf(join(folder, 'knowledge'))], [0o700, 0o700]);
  await chmod(made, 0o755);
  await receiveUpload({ bytes: null, pieces: pieces(1) }, { ...options, folder: made });
  assert.equal(await modeOf(made), 0o700);
  await using _lock = await acquireLock(join(folder, 'other', 'registry.lock'), { purpose: 'a test' });
  assert.equal(await modeOf(join(folder, 'other')), 0o700);
});

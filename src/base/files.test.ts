import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fc } from '../../test/property.ts';
import {
  freeBytes,
  joinInside,
  pathError,
  readFileBounded,
  requireDiskSpace,
  resolveInside,
  writeFileAtomic,
} from './files.ts';

const root = mkdtempSync(join(tmpdir(), 'kith-files-'));
after(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;
const folder = () => {
  const path = join(root, String(folders++));
  mkdirSync(path);
  return path;
};

test('an atomic write makes folders, replaces content, and leaves nothing else behind', async () => {
  const dir = folder();
  const path = join(dir, 'a', 'b', 'file.txt');
  await writeFileAtomic(path, 'one');
  await writeFileAtomic(path, new TextEncoder().encode('two'));
  assert.equal(readFileSync(path, 'utf8'), 'two');
  assert.deepEqual(readdirSync(join(dir, 'a', 'b')), ['file.txt']);
});

test('a new file is private, and a replaced one keeps its mode', {
  skip: process.platform === 'win32',
}, async () => {
  const path = join(folder(), 'file');
  await writeFileAtomic(path, 'x');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  chmodSync(path, 0o664);
  await writeFileAtomic(path, 'y');
  assert.equal(statSync(path).mode & 0o777, 0o664);
  await writeFileAtomic(path, 'z', { mode: 0o640 });
  assert.equal(statSync(path).mode & 0o777, 0o640);
});

test('a write that fails leaves the target and the folder as they were', async () => {
  const dir = folder();
  mkdirSync(join(dir, 'target'));
  writeFileSync(join(dir, 'target', 'inside'), 'x');
  await assert.rejects(writeFileAtomic(join(dir, 'target'), 'data'), { code: 'write_failed' });
  assert.deepEqual(readdirSync(dir), ['target']);
  await assert.rejects(writeFileAtomic(join(dir, 'target', 'inside', 'deeper'), 'data'), {
    code: 'write_failed',
  });
});

test("what is wrong with a caller's path is the caller's to mend, and says how; a full disk is not", async () => {
  const dir = folder();
  mkdirSync(join(dir, 'target'));
  writeFileSync(join(dir, 'target', 'inside'), 'x');
  const failure = (path: string) =>
    writeFileAtomic(path, 'data').then(
      () => assert.fail('it was written'),
      (error: unknown) => pathError(path, error),
    );
  const long = join(dir, 'n'.repeat(300));
  for (const [path, status, what] of [
    [long, 400, /nnn cannot be written: a name in it is longer than its disk takes/],
    [join(dir, 'target', 'inside', 'deeper'), 409, /a file stands in its way/],
  ] as const) {
    const error = await failure(path);
    assert.deepEqual([error.code, error.status], ['path_unusable', status]);
    assert.match(error.message, what);
  }
  const closed = pathError('/x', Object.assign(new Error('no'), { code: 'EACCES' }));
  assert.deepEqual([closed.code, closed.status], ['path_unusable', 403]);
  const full = pathError('/x', Object.assign(new Error('no'), { code: 'ENOSPC' }));
  assert.deepEqual([full.code, full.status], ['disk_full', 507]);
  const broken = pathError('/x', Object.assign(new Error('no'), { code: 'EIO' }));
  assert.deepEqual([broken.code, broken.status], ['write_failed', 500]);
});

test('writes at the same time leave one whole version', async () => {
  const path = join(folder(), 'file');
  const versions = Array.from({ length: 8 }, (_, index) => String(index).repeat(100_000));
  await Promise.all(versions.map((version) => writeFileAtomic(path, version)));
  assert.ok(versions.includes(readFileSync(path, 'utf8')));
});

test('a bounded read takes what fits and refuses the rest before it fills memory', async () => {
  const path = join(folder(), 'file');
  writeFileSync(path, 'x'.repeat(100));
  assert.equal((await readFileBounded(path, 100)).length, 100);
  await assert.rejects(readFileBounded(path, 99), { code: 'limit_reached', limit: 'file.bytes', value: 99 });
  await assert.rejects(readFileBounded(`${path}.none`, 99), { code: 'file_not_found', status: 400 });
  await assert.rejects(readFileBounded(root, 99_999_999), { code: 'file_unreadable' });
});

test('a file without an end is cut off at the bound', {
  skip: !existsSync('/dev/zero') && 'no /dev/zero',
}, async () => {
  await assert.rejects(readFileBounded('/dev/zero', 1_000_000), { code: 'limit_reached' });
});

test('free space is asked of the nearest folder that exists', async () => {
  const path = join(root, 'not', 'yet', 'there');
  assert.ok((await freeBytes(path)) > 0);
  await requireDiskSpace(path, 1, 0);
  await assert.rejects(requireDiskSpace(path, 2 ** 60), { code: 'disk_full', status: 507 });
  const free = await freeBytes(root);
  await assert.rejects(requireDiskSpace(root, free / 2, free), { code: 'disk_full' });
});

test('paths from outside stay inside their folder', () => {
  assert.equal(joinInside('/r', 'a/b', 'c.txt'), join('/r', 'a', 'b', 'c.txt'));
  const bad = [
    '..',
    '../x',
    'a/../../x',
    '/etc/passwd',
    '',
    'a//b',
    'a\\..\\b',
    'C:/x',
    'a\0b',
    'file:stream',
    'a/..',
  ];
  for (const path of bad) assert.throws(() => joinInside('/r', path), { code: 'path_outside' }, path);
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('..', '.', '/', '\\', 'a', '\0', '~', ':'), { maxLength: 12 }),
      (pieces) => {
        try {
          const path = joinInside('/r/oot', pieces.join(''));
          assert.ok(path === '/r/oot' || path === '/r/oot/' || path.startsWith('/r/oot/'), path);
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'path_outside');
        }
      },
    ),
  );
});

test('links that lead out of the folder are seen', { skip: process.platform === 'win32' }, async () => {
  const dir = folder();
  const inside = join(dir, 'inside');
  mkdirSync(join(inside, 'sub'), { recursive: true });
  symlinkSync(dir, join(inside, 'out'));
  symlinkSync(join(inside, 'sub'), join(inside, 'in'));
  symlinkSync(join(dir, 'nowhere'), join(inside, 'dangling'));
  assert.equal(await resolveInside(inside, 'in/new/file'), join(inside, 'in', 'new', 'file'));
  for (const path of ['out/file', 'out', 'dangling', 'dangling/file']) {
    await assert.rejects(resolveInside(inside, path), { code: 'path_outside' }, path);
  }
});

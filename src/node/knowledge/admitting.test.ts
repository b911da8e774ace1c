import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { systemClock } from '../../base/index.ts';
import { openKnowledgeStore } from '../../knowledge/index.ts';
import { admitFile } from './admitting.ts';
import { setFolders } from './kbs.ts';

const root = await mkdtemp(join(tmpdir(), 'kith-admitting-'));
after(() => rm(root, { recursive: true, force: true }));
const create = { name: 'test', clock: systemClock };
const admit = (path: string, keepFolders = false) =>
  admitFile(path, { create, keepFolders, before: async () => {} });

test('a file that is there says nothing of what this machine reads, unless its owner wants it to', async () => {
  const path = join(root, 'there.sqlite');
  assert.deepEqual(await admit(path), []);
  const folders = [{ folder: '/home/other', under: 'other/' }];
  {
    using store = openKnowledgeStore({ path });
    setFolders(store, folders);
    store.setSettings({ ...store.settings, taken: [{ path: '/etc', under: '' }] });
  }
  assert.deepEqual(await admit(path, true), []);
  assert.deepEqual(await admit(path), folders);
  assert.deepEqual(await admit(path), []);
  using store = openKnowledgeStore({ path });
  assert.deepEqual(store.settings, {});
});

test('what is no knowledge base is left as it is, and refused', async () => {
  const path = join(root, 'letter.sqlite');
  await writeFile(path, 'Dear Ada');
  await assert.rejects(admit(path), { code: 'backup_invalid', status: 422 });
  const folder = join(root, 'folder.sqlite');
  await mkdir(folder);
  await assert.rejects(admit(folder), { code: 'path_unusable', status: 400 });
  await assert.rejects(admit(join(root, `${'n'.repeat(300)}.sqlite`)), {
    code: 'path_unusable',
    status: 400,
  });
  await assert.rejects(admit(join(root, 'none', 'kb.sqlite')), { code: 'path_unusable', status: 404 });
});

test('where the disk has no room a file is refused, and nothing of it is left', {
  skip: process.platform === 'win32' ? 'files are limited by a shell of Unix' : false,
}, async () => {
  const script = `
    import { admitFile } from ${JSON.stringify(join(import.meta.dirname, 'admitting.ts'))};
    const create = { name: 'full', clock: { now: () => 0 } };
    await admitFile(process.argv[1], { create, keepFolders: false, before: async () => {} }).then(
      () => console.log('made'),
      (error) => console.log(error.code, error.status, error.message),
    );`;
  const folder = join(root, 'full');
  await mkdir(folder);
  // Blocks of 512 bytes: room for a page or two.
  const told = execFileSync(
    'sh',
    [
      ...['-c', 'ulimit -f 16 && exec "$0" --no-warnings --input-type=module-typescript -e "$1" "$2"'],
      ...[process.execPath, script, join(folder, 'kb.sqlite')],
    ],
    { encoding: 'utf8' },
  );
  assert.match(told, /^disk_(?:full 507|failed 503) .*free/, told);
  assert.deepEqual(await readdir(folder), [], told);
});

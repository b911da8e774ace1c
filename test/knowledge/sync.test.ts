import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rename, rm, rmdir, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createSeededRandom, systemClock } from '../../src/base/index.ts';
import {
  type KnowledgeStore,
  openKnowledgeStore,
  type SyncEvent,
  type SyncOptions,
  sync,
  walk,
  watchFolder,
} from '../../src/knowledge/index.ts';
import { assertSameDerived, derive } from './same-graph.ts';
import { assertSame, plainPool, remembering, startEmbedder, type TestEmbedder } from './support.ts';
import { QUESTIONS, Tree } from './tree.ts';

let real: TestEmbedder;
before(async () => {
  real = await startEmbedder();
});
after(() => real[Symbol.asyncDispose]());

async function folderFor(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'kith-sync-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
const openStore = (): KnowledgeStore =>
  openKnowledgeStore({ path: ':memory:', create: { name: 'Test', clock: systemClock } });
const optionsFor = (store: KnowledgeStore, folder: string, more: Partial<SyncOptions> = {}): SyncOptions => ({
  ...{ store, folder, pool: plainPool, embedder: real.embedder, clock: systemClock },
  ...more,
});
async function syncAll(options: SyncOptions): Promise<SyncEvent[]> {
  const events: SyncEvent[] = [];
  for await (const event of sync(options)) events.push(event);
  return events;
}
const totalsOf = (events: readonly SyncEvent[]) => {
  const last = events.at(-1)!;
  assert.equal(last.kind, 'end');
  return (last as SyncEvent & { kind: 'end' }).totals;
};
const pathsOf = (store: KnowledgeStore) => store.documents({ limit: 1000 }).map(({ path }) => path);

test('a tree that changed at random is what taking it in anew makes of it', async () => {
  await using folder = await folderFor();
  const tree = new Tree(folder.path, createSeededRandom(4));
  await tree.grow(12);
  using store = openStore();
  const embedder = remembering(real.embedder);
  await using derived = derive(store, embedder);
  const stamps = new Map<string, string>();
  await syncAll(optionsFor(store, folder.path, { stamps, embedder }));
  for (let round = 0; round < 4; round++) {
    const kinds: string[] = [];
    for (let i = 0; i < 6; i++) kinds.push(await tree.change());
    await syncAll(optionsFor(store, folder.path, { stamps, embedder }));
    await derived.graph.current();
    await derived.facts.current();
    using fresh = openStore();
    if (round % 2 === 0) continue;
    await syncAll(optionsFor(fresh, folder.path, { embedder }));
    assertSame(store, fresh);
    await using anew = derive(fresh, embedder);
    const compared = await assertSameDerived(derived, anew, QUESTIONS, ['words', 'both', 'graph']);
    assert.ok(compared.names > 5 && compared.edges > 20 && compared.hits > 20, JSON.stringify(compared));
    assert.deepEqual(
      store.files({ limit: 1000 }).map(({ path, stage }) => `${path} ${stage}`),
      fresh.files({ limit: 1000 }).map(({ path, stage }) => `${path} ${stage}`),
      kinds.join(' '),
    );
    assert.deepEqual(store.check(), []);
  }
});

test('a file that moved keeps its chunks, ids and vectors, and nothing is embedded', async () => {
  await using folder = await folderFor();
  await mkdir(join(folder.path, 'old'));
  await writeFile(join(folder.path, 'old', 'note.txt'), 'The text of a note.');
  using store = openStore();
  await syncAll(optionsFor(store, folder.path, { prefix: 'docs/' }));
  const [chunk] = store.chunksOf('docs/old/note.txt');
  await rename(join(folder.path, 'old'), join(folder.path, 'new'));
  const planned = await syncAll(optionsFor(store, folder.path, { prefix: 'docs/', dryRun: true }));
  assert.deepEqual(pathsOf(store), ['docs/old/note.txt']);
  const events = await syncAll(optionsFor(store, folder.path, { prefix: 'docs/' }));
  const moved = { kind: 'renamed', from: 'docs/old/note.txt', to: 'docs/new/note.txt' };
  for (const list of [planned, events])
    assert.deepEqual(
      list.filter(({ kind }) => kind === 'renamed'),
      [moved],
    );
  assert.deepEqual(store.chunksOf('docs/new/note.txt'), [{ ...chunk, path: 'docs/new/note.txt' }]);
  assert.equal(totalsOf(events).embedded, 0);
});

test('nothing is removed of a folder that is missing or cannot be read', async (t) => {
  await using home = await folderFor();
  const folder = join(home.path, 'drive');
  await mkdir(join(folder, 'closed'), { recursive: true });
  await writeFile(join(folder, 'a.txt'), 'One.');
  await writeFile(join(folder, 'closed', 'b.txt'), 'Two.');
  using store = openStore();
  await syncAll(optionsFor(store, folder));
  await rename(folder, `${folder}-away`);
  await assert.rejects(syncAll(optionsFor(store, folder)), { code: 'folder_missing', status: 404 });
  assert.deepEqual(pathsOf(store), ['a.txt', 'closed/b.txt']);
  // The place where a drive was.
  await mkdir(folder);
  await assert.rejects(syncAll(optionsFor(store, folder)), { code: 'folder_empty', status: 409 });
  assert.deepEqual(pathsOf(store), ['a.txt', 'closed/b.txt']);
  using other = openStore();
  await syncAll(optionsFor(other, `${folder}-away`));
  await syncAll(optionsFor(other, folder, { allowEmpty: true }));
  assert.deepEqual(pathsOf(other), []);
  await rmdir(folder);
  await rename(`${folder}-away`, folder);
  if (process.getuid?.() === 0) return t.diagnostic('root reads every folder: the closed one was not tried');
  await chmod(join(folder, 'closed'), 0);
  const events = await syncAll(optionsFor(store, folder));
  await chmod(join(folder, 'closed'), 0o700);
  assert.ok(events.some((event) => event.kind === 'unread' && event.path === 'closed/'));
  assert.deepEqual(pathsOf(store), ['a.txt', 'closed/b.txt']);
});

test('only what is under the prefix is compared with the folder', async () => {
  await using folder = await folderFor();
  for (const name of ['a.txt', 'b.txt']) await writeFile(join(folder.path, name), 'One.');
  using store = openStore();
  await syncAll(optionsFor(store, folder.path, { prefix: 'first/' }));
  await syncAll(optionsFor(store, folder.path, { prefix: 'second/' }));
  await rm(join(folder.path, 'a.txt'));
  const events = await syncAll(optionsFor(store, folder.path, { prefix: 'first/' }));
  assert.deepEqual(
    events.filter(({ kind }) => kind === 'removed'),
    [{ kind: 'removed', path: 'first/a.txt' }],
  );
  assert.deepEqual(pathsOf(store), ['first/b.txt', 'second/a.txt', 'second/b.txt']);
  assert.equal(store.file('first/a.txt'), null);
});

test('ignore files leave out and bring back as git does, hidden files stay out, and links are not followed', async () => {
  await using folder = await folderFor();
  const write = async (path: string, text = 'x') => {
    const full = join(folder.path, path);
    await mkdir(join(full, '..'), { recursive: true });
    await writeFile(full, text);
  };
  await write('.gitignore', '*.log\n/build/\n');
  await write('.hidden/a.txt');
  await write('node_modules/a.txt');
  await write('build/a.txt');
  await write('src/build/a.txt');
  await write('a.log');
  await write('keep/b.log');
  await write('keep/.kithignore', '!b.log\nc.txt\n');
  await write('keep/c.txt');
  await write('~$open.docx');
  await symlink(folder.path, join(folder.path, 'keep', 'round'));
  await symlink('/etc/hosts', join(folder.path, 'hosts.txt'));
  const found: string[] = [];
  for await (const file of walk(folder.path))
    found.push('unread' in file ? `unread ${file.unread}` : file.path);
  assert.deepEqual(found, ['keep/b.log', 'src/build/a.txt']);
});

test('files whose stamps are known are not read again, and those that were just written are', async () => {
  await using folder = await folderFor();
  for (const name of ['old.txt', 'fresh.txt']) await writeFile(join(folder.path, name), 'Text.');
  await utimes(join(folder.path, 'old.txt'), 1_700_000_000, 1_700_000_000);
  using store = openStore();
  const stamps = new Map<string, string>();
  await syncAll(optionsFor(store, folder.path, { stamps }));
  assert.deepEqual([...stamps.keys()], ['old.txt']);
  assert.equal(totalsOf(await syncAll(optionsFor(store, folder.path, { stamps }))).files, 1);
  await writeFile(join(folder.path, 'old.txt'), 'Next');
  await utimes(join(folder.path, 'old.txt'), 1_700_000_000, 1_700_000_000);
  assert.equal(totalsOf(await syncAll(optionsFor(store, folder.path, { stamps }))).done, 1);
});

test('a watched folder is followed, also when it goes away and comes back', async () => {
  await using home = await folderFor();
  const folder = join(home.path, 'notes');
  await mkdir(folder);
  await writeFile(join(folder, 'a.txt'), 'One.');
  using store = openStore();
  const controller = new AbortController();
  const { signal } = controller;
  const events = watchFolder({ ...optionsFor(store, folder, { signal }), quietMs: 20, againMs: 200 });
  const until = async (holds: () => boolean) => {
    while (!holds()) assert.notEqual((await events.next()).done, true);
  };
  await until(() => pathsOf(store).length === 1);
  await writeFile(join(folder, 'b.txt'), 'Two.');
  await until(() => pathsOf(store).length === 2);
  await rename(join(folder, 'b.txt'), join(folder, 'c.txt'));
  await writeFile(join(folder, '.kithignore'), 'a.txt');
  await until(() => pathsOf(store).join() === 'c.txt');
  await rename(folder, `${folder}-away`);
  for (;;) {
    const { value } = await events.next();
    if (value !== undefined && value.kind === 'problem') {
      assert.equal(value.code, 'folder_missing');
      break;
    }
  }
  await rename(`${folder}-away`, folder);
  await writeFile(join(folder, 'd.txt'), 'Three.');
  await until(() => pathsOf(store).join() === 'c.txt,d.txt');
  controller.abort();
  await assert.rejects(async () => {
    for (;;) if ((await events.next()).done) return;
  });
});

test('files whose names are no UTF-8, or look like another one, are told of and not passed over', async () => {
  await using folder = await folderFor();
  const named = (bytes: string) =>
    Buffer.concat([Buffer.from(`${folder.path}/`), Buffer.from(bytes, 'latin1')]);
  try {
    await writeFile(named('caf\xe9.txt'), 'Latin letters.');
  } catch {
    return; // Disks of macOS and Windows have no such names.
  }
  await mkdir(named('fold\xe9r'));
  await writeFile(join(folder.path, 'e\u0301te.txt'), 'With an accent of its own.');
  await writeFile(join(folder.path, '\u00e9te.txt'), 'With the accent in the letter.');
  await writeFile(join(folder.path, 'plain.txt'), 'Plain.');
  using store = openStore();
  const events = await syncAll(optionsFor(store, folder.path));
  assert.deepEqual(pathsOf(store), ['plain.txt', '\u00e9te.txt']);
  assert.deepEqual(
    events.flatMap((event) => (event.kind === 'unread' ? [[event.path, event.message]] : [])),
    [
      ['caf\ufffd.txt', 'its name is not valid UTF-8; rename it'],
      [
        '\u00e9te.txt',
        'another here has the same name but for how its accents are written; rename one of them',
      ],
      ['fold\ufffdr/', 'its name is not valid UTF-8; rename it'],
    ],
  );
});

test('a page whose file is forgotten is not taken for a file that moved', async () => {
  await using folder = await folderFor();
  await writeFile(join(folder.path, 'all.dump'), '=== Page 1\nThe only page of it.\n');
  using store = openStore();
  await syncAll(optionsFor(store, folder.path));
  assert.deepEqual(pathsOf(store), ['all.dump/Page 1']);
  // As a kill may have left it while what was gone went.
  store.forgetFile('all.dump');
  await mkdir(join(folder.path, 'pages'));
  await rename(join(folder.path, 'all.dump'), join(folder.path, 'pages', 'Page 1'));
  const events = await syncAll(optionsFor(store, folder.path));
  assert.deepEqual(
    events.filter(({ kind }) => kind === 'renamed'),
    [],
  );
  using fresh = openStore();
  await syncAll(optionsFor(fresh, folder.path));
  assertSame(store, fresh);
});

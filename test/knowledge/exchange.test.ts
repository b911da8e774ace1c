/** Knowledge bases out of a node and back: notes, copies, folders that are watched, large uploads. */
import assert from 'node:assert/strict';
import { copyFile, mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { scheduler } from 'node:timers/promises';
import type { ImportReport } from '../../src/knowledge/index.ts';
import type { Node } from '../../src/node/index.ts';
import type { JobView, KbView, SearchView } from '../../src/server/index.ts';
import { createHome, startNode, type TestHome } from '../node-support.ts';
import { type Rag, ragOf, writeNotes } from './rag-support.ts';

/** Smaller than usual, so that little is large. */
const BODY_BYTES = 20_000;
const FILE_BYTES = 300_000;

let home: TestHome;
let node: Node;
let rag: Rag;
let notes: string;
before(async () => {
  home = await createHome();
  notes = join(home.path, 'notes');
  await writeNotes(notes);
  await writeFile(join(notes, 'ada.md'), '# Ada Lovelace\n\nAda Lovelace met Charles Babbage in London.\n');
  node = await startNode(home, {
    ...{ 'knowledge.watch': true, 'server.bodyBytes': BODY_BYTES, 'knowledge.fileBytes': FILE_BYTES },
  });
  rag = await ragOf(node, home.path);
  await rag('POST', '', { name: 'notes' });
  const [job] = (await rag<{ jobs: JobView[] }>('POST', '/notes/sync', { folder: notes })).jobs;
  assert.equal((await rag.ended(job!)).state, 'done');
});
after(async () => {
  await node.close();
  await home.remove();
});

/** Of an export that has ended well. */
async function exported(path: string, order: object): Promise<JobView['progress']> {
  const { state, error, progress } = await rag.ended(await rag<JobView>('POST', path, order));
  assert.equal(state, 'done', JSON.stringify(error));
  return progress;
}

const refused = async (path: string, body: object): Promise<string> => {
  const response = await rag.raw('POST', path, {
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });
  assert.ok(response.status >= 400 && response.status < 500, String(response.status));
  return ((await response.json()) as { error: { code: string } }).error.code;
};

test('notes are written into the folder that is followed without becoming documents, and an edit comes back', async () => {
  const folder = join(notes, 'Kith');
  const order = { folder, least: 1 };
  const first = (await exported('/notes/export/notes', order)).notes!;
  assert.equal(first.leftCount, 0, JSON.stringify(first.left));
  assert.equal(first.written, first.entities + first.sources + 1);
  const ada = join(folder, 'Entities', 'Ada Lovelace.md');
  const text = await readFile(ada, 'utf8');
  assert.match(text, /kith-id: ada lovelace\n/);
  assert.ok(
    (await readFile(join(folder, 'Sources', 'ada.md'), 'utf8')).includes(`file://`),
    'leads to the file',
  );
  await writeFile(ada, text.replace('# Ada Lovelace\n', '# Ada Lovelace\n\nWrote the first program.\n'));
  const told = await rag<ImportReport>('POST', '/notes/import/notes', { folder });
  assert.deepEqual(
    told.changes.map(({ what }) => what),
    ['summary: Wrote the first program.'],
  );
  const again = (await exported('/notes/export/notes', order)).notes!;
  assert.deepEqual([again.written, again.leftCount], [1, 0], 'the note alone, since its seal is old');
  const [job] = (await rag<{ jobs: JobView[] }>('POST', '/notes/sync', {})).jobs;
  assert.equal((await rag.ended(job!)).progress.totals.done, 0);

  await writeFile(join(folder, '.kithignore'), '# mine\n');
  assert.equal(await refused('/notes/export/notes', order), 'export_ignored');
  assert.equal(
    await refused('/notes/import/notes', { folder: join(home.path, 'knowledge') }),
    'export_missing',
  );
});

test('a whole copy becomes a knowledge base again, and is written over only when told', async () => {
  const file = join(home.path, 'copy.sqlite');
  const { bytes } = (await exported('/notes/export/file', { file })).copy!;
  assert.equal((await stat(file)).size, bytes);
  assert.equal(await refused('/notes/export/file', { file }), 'export_exists');
  await exported('/notes/export/file', { file, replace: true });
  const own = (await rag<KbView>('GET', '/notes')).path;
  const dotted = own.replace('/knowledge/', '/knowledge/../knowledge/');
  for (const used of [own, dotted, `${own}-wal`])
    assert.equal(await refused('/notes/export/file', { file: used, replace: true }), 'export_exists');
  for (const path of [join(home.path, `${'n'.repeat(300)}.sqlite`), join(notes, 'tea.md', 'copy.sqlite')]) {
    assert.equal(await refused('/notes/export/file', { file: path }), 'path_unusable');
    assert.equal(await refused('/notes/export/notes', { folder: path }), 'path_unusable');
  }
  assert.equal(await refused('/notes/export/file', { file: home.path, replace: true }), 'file_invalid');

  assert.equal(await refused('/notes/import/file', { file }), 'kb_exists');
  const made = await rag<KbView>('POST', '/back/import/file', { file });
  assert.equal(made.contents!.documents, (await rag<KbView>('GET', '/notes')).contents!.documents);
  assert.deepEqual(made.contents!.folders, [], 'whoever made the file does not say which folders are read');
  const found = await rag<SearchView>('POST', '/back/search', { query: 'tram', mode: 'words' });
  assert.equal(found.hits[0]!.path, 'notes/trips/lisbon.txt');
  const twice = await Promise.allSettled(
    [file, file].map((from) => rag<KbView>('POST', '/twice/import/file', { file: from })),
  );
  assert.deepEqual(twice.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  assert.match(String(twice.find((each) => each.status === 'rejected')!.reason), /kb_exists/);
  await writeFile(join(home.path, 'broken.sqlite'), 'no copy at all');
  assert.equal(
    await refused('/other/import/file', { file: join(home.path, 'broken.sqlite') }),
    'backup_invalid',
  );
  for (const hostile of [
    "UPDATE meta SET settings = '[['",
    "UPDATE chunk SET place = 'null'",
    'UPDATE document SET title = hex(zeroblob(100000))',
    'CREATE TRIGGER more AFTER UPDATE ON meta BEGIN DELETE FROM document; END',
  ]) {
    const from = join(home.path, 'hostile.sqlite');
    await copyFile(file, from);
    const database = new DatabaseSync(from);
    database.exec(hostile);
    database.close();
    assert.equal(await refused('/other/import/file', { file: from }), 'backup_invalid', hostile);
  }
  await writeFile(join(home.path, 'empty.sqlite'), '');
  assert.equal(
    await refused('/other/import/file', { file: join(home.path, 'empty.sqlite') }),
    'backup_invalid',
  );
  const left = (await readdir(join(home.path, 'knowledge'))).filter((name) => name.includes('.tmp'));
  assert.deepEqual(left, []);
});

test('a file that is there is taken after it was checked, and does not say which folders are read', async () => {
  const folder = join(home.path, 'drive');
  await mkdir(folder);
  const files = ['mine', 'theirs', 'broken'].map((name) => join(folder, `${name}.sqlite`));
  await exported('/notes/export/file', { file: files[0]! });
  for (const file of files.slice(1)) await copyFile(files[0]!, file);
  const theirs = await rag<KbView>('POST', '', { name: 'theirs', folder });
  assert.deepEqual([theirs.contents!.folders, theirs.unfollowed], [[], [{ folder: notes, under: 'notes/' }]]);
  const mine = await rag<KbView>('POST', '', { name: 'mine', folder, keepFolders: true });
  assert.deepEqual([mine.contents!.folders.length, mine.unfollowed], [1, undefined]);
  assert.equal(mine.contents!.documents, theirs.contents!.documents);
  const database = new DatabaseSync(files[2]!);
  database.exec('UPDATE sqlite_sequence SET seq = 9223372036854775807');
  database.close();
  assert.equal(await refused('', { name: 'broken', folder }), 'backup_invalid');
  // Another's file in the place of one that is known already.
  const [other, own] = [join(folder, 'other.sqlite'), files[0]!];
  await rag('POST', '', { name: 'other', folder });
  await rename(own, `${own}.away`);
  await copyFile(other, own);
  const replaced = await rag<KbView>('GET', '/mine');
  assert.deepEqual([replaced.contents, replaced.trouble?.code], [null, 'kb_replaced']);
  await rename(`${own}.away`, own);
  assert.equal((await rag<KbView>('GET', '/mine')).contents!.folders.length, 1);
  for (const name of ['mine', 'theirs', 'other']) await rag('DELETE', `/${name}?keep=false`);

  await writeFile(join(folder, 'a-file'), '');
  assert.equal(await refused('', { name: 'new', folder: join(folder, 'a-file') }), 'path_unusable');
  assert.equal(await refused('', { name: 'new', folder: join(folder, 'n'.repeat(300)) }), 'path_unusable');
  await mkdir(join(folder, 'taken.sqlite'));
  assert.equal(await refused('', { name: 'taken', folder }), 'path_unusable');
  assert.deepEqual((await readdir(folder)).toSorted(), ['a-file', 'broken.sqlite', 'taken.sqlite']);
});

/** Asks until the answer fits; a test that waits too long is ended from outside. */
async function until(fits: () => Promise<boolean>): Promise<void> {
  while (!(await fits())) await scheduler.wait(50);
}
const watchOf = async () => (await rag<KbView>('GET', '/notes')).contents!.folders[0]!.watch;
const isDone = async (path: string): Promise<boolean> => (await rag.raw('GET', `/notes/files/${path}`)).ok;

test('a folder that is followed is watched: files that come are taken in, and while it is away nothing goes', async () => {
  await until(async () => (await watchOf())?.by === 'events');
  await writeFile(join(notes, 'fresh.md'), '# Fresh\n\nThe ferry leaves at noon.\n');
  await until(() => isDone('notes/fresh.md'));
  const { jobs } = await rag<{ jobs: JobView[] }>('GET', '/notes/jobs');
  assert.equal((await rag.ended(jobs[0]!)).state, 'done');

  const documents = (await rag<KbView>('GET', '/notes')).contents!.documents;
  await rename(notes, `${notes}-away`);
  await until(async () => (await watchOf())?.why === 'it is away');
  assert.equal((await rag<KbView>('GET', '/notes')).contents!.documents, documents);
  await rename(`${notes}-away`, notes);
  await writeFile(join(notes, 'again.md'), '# Again\n\nThe ferry is back.\n');
  await until(() => isDone('notes/again.md'));
});

test('a file that is larger than any other body is uploaded, up to the limit of files', async () => {
  const send = (path: string, bytes: Uint8Array<ArrayBuffer>) =>
    rag.raw('POST', `/notes/ingest?path=${path}`, { body: bytes });
  const text = new TextEncoder().encode('The lighthouse keeper counts ships. '.repeat(3000));
  assert.ok(text.length > BODY_BYTES);
  const sent = await send('lighthouse.txt', text);
  assert.equal(sent.status, 200);
  const ended = await rag.ended((await sent.json()) as JobView);
  assert.deepEqual([ended.state, ended.progress.totals.done], ['done', 1]);
  const refusal = await send('large.txt', new Uint8Array(FILE_BYTES + 1));
  assert.equal(refusal.status, 413);
  assert.equal(((await refusal.json()) as { error: { code: string } }).error.code, 'parse_too_large');
  assert.deepEqual(await readdir(join(home.path, 'knowledge', 'uploads')), []);
});

test('a folder is followed no longer when its owner says so, also when it is gone, and its documents go or stay', async () => {
  const unfollow = (kb: string, keep: boolean) =>
    rag<JobView>('DELETE', `/${kb}/folders?folder=${encodeURIComponent(notes)}&keep=${keep}`);
  const count = async (kb: string) => (await rag<KbView>('GET', `/${kb}`)).contents!;
  const { jobs } = await rag<{ jobs: JobView[] }>('POST', '/back/sync', { folder: notes });
  assert.equal((await rag.ended(jobs[0]!)).state, 'done');
  const before = (await count('back')).documents;
  assert.equal((await rag.ended(await unfollow('back', true))).state, 'done');
  const kept = await count('back');
  assert.deepEqual([kept.documents, kept.folders], [before, []]);

  await rename(notes, `${notes}-gone`);
  const job = await rag.ended(await unfollow('notes', false));
  assert.equal(job.state, 'done', JSON.stringify(job.error));
  assert.ok(job.progress.removed > 0);
  const left = await count('notes');
  assert.deepEqual(
    [left.documents, left.folders, left.files.failed],
    [1, [], undefined],
    'what was uploaded',
  );
  const again = await rag.raw('DELETE', `/notes/folders?folder=${encodeURIComponent(notes)}`);
  assert.equal(again.status, 404);
  assert.equal(((await again.json()) as { error: { code: string } }).error.code, 'folder_not_followed');
});

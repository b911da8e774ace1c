import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { plainPool } from '../../../test/knowledge/support.ts';
import { systemClock } from '../../base/index.ts';
import { openKnowledgeStore } from '../store/index.ts';
import type { Embedder } from '../types.ts';
import { PLAN_ENTRIES, previewSync } from './preview.ts';
import { type SyncEvent, type SyncOptions, sync } from './sync.ts';

/** Counts words, and gives every text the same vector: what is compared here are files. */
const embedder: Embedder = {
  ...{ id: 'e', hash: 'h', dimension: 2, window: 200 },
  countTokens: async (texts) => texts.map((text) => text.split(/\s+/).length),
  embed: async (texts) => Float32Array.from({ length: 2 * texts.length }, (_, i) => 1 - (i % 2)),
};

async function folderWith(files: Readonly<Record<string, string>>) {
  const path = await mkdtemp(join(tmpdir(), 'kith-plan-'));
  const folder = join(path, 'notes');
  const write = async (name: string, text: string) => {
    await mkdir(join(folder, name, '..'), { recursive: true });
    await writeFile(join(folder, name), text);
  };
  for (const [name, text] of Object.entries(files)) await write(name, text);
  const file = join(path, 'kb.sqlite');
  const store = openKnowledgeStore({ path: file, create: { name: 'notes', clock: systemClock } });
  const options: Omit<SyncOptions, 'dryRun'> = {
    ...{ store, folder, prefix: 'notes/', pool: plainPool, embedder, clock: systemClock },
  };
  const all = async (more: Partial<SyncOptions> = {}): Promise<SyncEvent[]> => {
    const events: SyncEvent[] = [];
    for await (const event of sync({ ...options, ...more })) events.push(event);
    return events;
  };
  const end = async () => {
    store.close();
    await rm(path, { recursive: true });
  };
  return { path, folder, file, store, options, write, all, [Symbol.asyncDispose]: end };
}

test('a plan names what a sync would do with its sizes and why files are left out, writes nothing, and is what the sync then does', async () => {
  await using kb = await folderWith({
    ...{ 'same.txt': 'As it was.', 'edit.txt': 'Before.', 'gone.txt': 'To go.', 'old/name.txt': 'It moves.' },
    ...{
      'bad.txt': 'no \0 text',
      'sub/.gitignore': '*.log\n!keep.log\n',
      'sub/a.log': 'x',
      'sub/keep.log': 'Kept.',
    },
    ...{ 'node_modules/x.js': 'x', '.hidden': 'x' },
  });
  const stamps = new Map<string, string>();
  await kb.all({ stamps });
  await kb.write('edit.txt', 'After that.');
  await kb.write('new.txt', 'A new one.');
  await rm(join(kb.folder, 'gone.txt'));
  await mkdir(join(kb.folder, 'moved'));
  await rename(join(kb.folder, 'old', 'name.txt'), join(kb.folder, 'moved', 'name.txt'));
  await symlink('same.txt', join(kb.folder, 'link.txt'));

  const bytesOf = async () => {
    const files = [kb.file, `${kb.file}-wal`];
    const facts = await Promise.all(files.map((file) => stat(file, { bigint: true })));
    return [await Promise.all(files.map((file) => readFile(file))), facts.map(({ mtimeNs }) => mtimeNs)];
  };
  const before = await bytesOf();
  const stampsBefore = [...stamps];
  const plan = await previewSync({ ...kb.options, stamps });
  assert.deepEqual(await bytesOf(), before);
  assert.deepEqual([...stamps], stampsBefore);

  assert.deepEqual(plan.added, { count: 1, bytes: 10, files: [{ path: 'notes/new.txt', bytes: 10 }] });
  assert.deepEqual(plan.changed, { count: 1, bytes: 11, files: [{ path: 'notes/edit.txt', bytes: 11 }] });
  assert.deepEqual(plan.removed, { count: 1, bytes: 6, files: [{ path: 'notes/gone.txt', bytes: 6 }] });
  const move = { from: 'notes/old/name.txt', to: 'notes/moved/name.txt', bytes: 9 };
  assert.deepEqual(plan.renamed, { count: 1, bytes: 9, files: [move] });
  assert.equal(plan.recut.count, 0);
  assert.deepEqual(
    plan.unreadable.files.map(({ path, code }) => [path, code]),
    [['notes/bad.txt', 'parse_broken']],
  );
  assert.equal(plan.unchanged, 2);
  assert.deepEqual(
    new Set(plan.ignored.files.map(({ path, rule, by }) => `${path} ${rule} ${by}`)),
    new Set([
      'notes/.hidden .* null',
      'notes/link.txt null null',
      'notes/node_modules/ node_modules/ null',
      'notes/sub/.gitignore .* null',
      'notes/sub/a.log *.log sub/.gitignore',
    ]),
  );

  const events = await kb.all({ stamps });
  const told = (kind: 'done' | 'failed') =>
    events.flatMap((event) => (event.kind === 'file' && event.stage === kind ? [event.path] : [])).sort();
  assert.deepEqual(told('done'), ['notes/edit.txt', 'notes/new.txt']);
  assert.deepEqual(told('failed'), ['notes/bad.txt']);
  assert.deepEqual(
    events.filter(({ kind }) => kind === 'renamed' || kind === 'removed'),
    [
      { kind: 'renamed', from: move.from, to: move.to },
      { kind: 'removed', path: 'notes/gone.txt' },
    ],
  );
  const again = await previewSync({ ...kb.options, stamps });
  assert.deepEqual(
    [again.unchanged, again.added.count, again.changed.count, again.removed.count],
    [5, 0, 0, 0],
  );
});

test('what was cut by other settings is planned to be cut anew, though its stamp is as it was, and the sync does that', async () => {
  const text = Array.from({ length: 60 }, (_, i) => `Sentence number ${i} says a little more.`).join(' ');
  await using kb = await folderWith({ 'long.txt': text, 'short.txt': 'One line.' });
  const stamps = new Map<string, string>();
  const clock = { ...systemClock, now: () => Date.now() + 60_000 };
  await kb.all({ stamps, clock, chunking: { size: 100 } });
  assert.equal(stamps.size, 2);
  const [short] = kb.store.chunksOf('notes/short.txt');
  const before = kb.store.chunksOf('notes/long.txt').length;
  const settings = { stamps, clock, chunking: { size: 40 } };
  const plan = await previewSync({ ...kb.options, ...settings });
  assert.deepEqual([plan.recut.count, plan.changed.count, plan.unchanged], [2, 0, 0]);
  const events = await kb.all(settings);
  assert.ok(kb.store.chunksOf('notes/long.txt').length > before);
  assert.deepEqual(kb.store.chunksOf('notes/short.txt'), [short], 'what is equal keeps its id and row');
  const end = events.at(-1)!;
  assert.ok(end.kind === 'end' && end.totals.embedded === kb.store.chunksOf('notes/long.txt').length);
  assert.equal((await previewSync({ ...kb.options, ...settings })).unchanged, 2);
});

test('of many files a plan names the first, and counts all', async () => {
  const files = Object.fromEntries(
    Array.from({ length: PLAN_ENTRIES + 5 }, (_, i) => [`${String(i).padStart(5, '0')}.txt`, 'x']),
  );
  await using kb = await folderWith(files);
  const { added } = await previewSync(kb.options);
  assert.deepEqual(
    [added.count, added.bytes, added.files.length],
    [PLAN_ENTRIES + 5, PLAN_ENTRIES + 5, PLAN_ENTRIES],
  );
});

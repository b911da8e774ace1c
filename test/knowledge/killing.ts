/**
 * Kills runs that take files in, at random moments, and holds what they leave to what they said.
 *
 * @module test/knowledge/killing
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Random, systemClock } from '../../src/base/index.ts';
import { ingest, type KnowledgeStore, openKnowledgeStore, sync } from '../../src/knowledge/index.ts';
import { assertSameDerived, derive } from './same-graph.ts';
import { assertSame, eventsOf, filesOf, plainPool, startEmbedder } from './support.ts';
import { QUESTIONS, Tree } from './tree.ts';

/** Kills as many runs, if they do not end before, then lets one go to its end. */
export async function killRuns(
  kills: number,
  files: number,
  random: Random,
): Promise<{ readonly killed: number; readonly acknowledged: number }> {
  await using real = await startEmbedder();
  const folder = await mkdtemp(join(tmpdir(), 'kith-kill-'));
  const seed = random.uint32() % 1000;
  const acknowledged = new Set<string>();
  try {
    const path = join(folder, 'kb.sqlite');
    let killed = 0;
    for (let isDone = false; killed < kills && !isDone; ) {
      // Some are killed before there is a KB, most while there is more of it: so many files later, and a few events.
      const more = random.uint32() % Math.ceil(files / kills);
      const events = 1 + (random.uint32() % 4);
      isDone = !(await runUntil(
        { files: more, events },
        [path, real.home, String(files), String(seed)],
        acknowledged,
      ));
      if (!isDone) killed++;
      using store = openKnowledgeStore({ path, create: { name: 'Test', clock: systemClock } });
      assert.deepEqual(store.check(), []);
      for (const each of acknowledged) {
        const document = store.document(each);
        assert.ok(document !== null, `${each} was acknowledged and is lost`);
        const chunks = store.chunksOf(each);
        assert.equal(chunks.length, document.chunks);
        assert.ok(store.f32(chunks.map(({ row }) => row)).every((vector) => vector?.length === 384));
        assert.equal(store.file(each)?.stage, 'done');
      }
    }
    const { embedder } = real;
    using store = openKnowledgeStore({ path });
    const before = store.counts().documents;
    const options = { pool: plainPool, embedder, clock: systemClock };
    const { totals } = (await eventsOf(ingest(filesOf(files, seed, 9), { ...options, store }))).at(-1)!;
    assert.deepEqual(
      [totals.skipped, totals.done],
      [before, files - before],
      'what was done is not done again',
    );
    assert.deepEqual(store.files({ stage: 'waiting' }), []);
    using fresh = openKnowledgeStore({ path: ':memory:', create: { name: 'Fresh', clock: systemClock } });
    await eventsOf(ingest(filesOf(files, seed, 9), { ...options, store: fresh }));
    assertSame(store, fresh);
    assert.deepEqual(store.check(), []);
    return { killed, acknowledged: acknowledged.size };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Kills as many syncs of a folder in which much of all kinds changed, at moments all over them, then lets one go to its end.
 *
 * @param changes before each sync that is killed, and none before some of them
 */
export async function killSyncs(
  kills: number,
  files: number,
  changes: number,
  random: Random,
): Promise<{
  readonly killed: number;
  readonly told: Readonly<Record<string, number>>;
  readonly compared: object;
}> {
  await using real = await startEmbedder();
  const folder = await mkdtemp(join(tmpdir(), 'kith-kill-sync-'));
  try {
    const tree = new Tree(join(folder, 'tree'), random);
    await tree.grow(files);
    const path = join(folder, 'kb.sqlite');
    const options = { folder: tree.folder, pool: plainPool, embedder: real.embedder, clock: systemClock };
    const told: Record<string, number> = {};
    let killed = 0;
    // The first one is killed while the KB is made.
    for (let events = files + (random.uint32() % files); killed < kills; ) {
      const lines = await linesUntilKilled(
        // Some at the end, where what is gone goes: there is little of it.
        { events, ms: random.uint32() % 40, atRemoval: random.uint32() % 3 === 0 },
        'sync-process.ts',
        [path, real.home, tree.folder],
      );
      if (!lines.includes('end')) killed++;
      using store = openKnowledgeStore({ path, create: { name: 'Tree', clock: systemClock } });
      assert.deepEqual(store.check(), []);
      assertActed(store, lines, told);
      if (killed === kills) break;
      // Some go on with what the one before them left, most find other changes beside it.
      const more = random.uint32() % 4 === 0 ? 0 : changes;
      for (let i = 0; i < more; i++) await tree.change();
      // All over it: a line for each file that is as it was, two for those that changed, then those that go.
      events = random.uint32() % (files + 2 * more);
    }
    using store = openKnowledgeStore({ path });
    for await (const _ of sync({ ...options, store }));
    assert.deepEqual(store.files({ stage: 'waiting' }), []);
    assert.deepEqual(store.check(), []);
    using fresh = openKnowledgeStore({ path: ':memory:', create: { name: 'Tree', clock: systemClock } });
    for await (const _ of sync({ ...options, store: fresh }));
    assertSame(store, fresh);
    const stagesIn = (each: KnowledgeStore) =>
      each.files({ limit: 1000 }).map((state) => `${state.path} ${state.stage}`);
    assert.deepEqual(stagesIn(store), stagesIn(fresh));
    await using derived = derive(store, null);
    await using anew = derive(fresh, null);
    const compared = await assertSameDerived(derived, anew, QUESTIONS, ['words']);
    return { killed, told, compared };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What a sync said that it did is done. */
function assertActed(store: KnowledgeStore, lines: readonly string[], told: Record<string, number>): void {
  for (const line of lines) {
    const [what, path, to] = line.split('\t') as [string, string, string];
    told[what] = (told[what] ?? 0) + 1;
    if (what === 'done') {
      assert.equal(store.file(path)?.stage, 'done', path);
      const document = store.document(path);
      const documents =
        document === null ? store.documents({ limit: 100 }, { paths: [`${path}/`] }) : [document];
      for (const each of documents) {
        const chunks = store.chunksOf(each.path);
        assert.equal(chunks.length, each.chunks, each.path);
        assert.ok(store.f32(chunks.map(({ row }) => row)).every((vector) => vector?.length === 384));
      }
    } else if (what === 'removed') assert.equal(store.document(path), null, path);
    else if (what === 'renamed') assert.ok(store.document(to), `${path} was moved to ${to}`);
  }
}

/** Lines that a process printed until it was killed: so many ms after so many lines, or after one about something that went. */
async function linesUntilKilled(
  after: { readonly events: number; readonly ms: number; readonly atRemoval: boolean },
  program: string,
  args: string[],
): Promise<string[]> {
  const child = spawn(process.execPath, [join(import.meta.dirname, program), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    // Else it would print what the test runner wants to know, too.
    env: { ...process.env, NODE_TEST_CONTEXT: '' },
  });
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    const isNow = after.atRemoval ? line.startsWith('removed') : lines.length === after.events + 1;
    if (isNow) setTimeout(() => child.kill('SIGKILL'), after.ms % (after.atRemoval ? 4 : 40));
  }
  if (child.exitCode === null && child.signalCode === null)
    await new Promise((resolve) => child.once('exit', resolve));
  if (child.signalCode === null) assert.equal(child.exitCode, 0);
  return lines;
}

/** True when it was killed, false when it was done before. */
async function runUntil(
  after: { readonly files: number; readonly events: number },
  args: string[],
  acknowledged: Set<string>,
): Promise<boolean> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'ingest-process.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    // Else it would print what the test runner wants to know, too.
    env: { ...process.env, NODE_TEST_CONTEXT: '' },
  });
  let { files, events } = after;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('done ')) {
      acknowledged.add(line.slice(5));
      files--;
    }
    if (files <= 0 && --events === 0) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null)
    await new Promise((resolve) => child.once('exit', resolve));
  if (child.signalCode === null) assert.equal(child.exitCode, 0);
  return child.signalCode === 'SIGKILL';
}

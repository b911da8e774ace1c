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
import { ingest, openKnowledgeStore } from '../../src/knowledge/index.ts';
import { assertSame, eventsOf, filesOf, plainPool, startEmbedder } from './support.ts';

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

/** True when it was killed, false when it was done before. */
async function runUntil(
  after: { readonly files: number; readonly events: number },
  args: string[],
  acknowledged: Set<string>,
): Promise<boolean> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'ingest-process.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
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

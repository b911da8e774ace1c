import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock, silentLogger } from '../../base/index.ts';
import type { JobProgress } from '../../server/index.ts';
import { createJobs } from './jobs.ts';
import { openRegistry } from './registry.ts';
import { NOTHING, noProgress } from './telling.ts';

const at = (done: number): JobProgress => ({ ...noProgress, of: 9, totals: { ...NOTHING, done } });

test('what is told soon after something else is shown a moment later, and how far a job came when it was ended', async () => {
  const clock = createManualClock();
  using registry = openRegistry(':memory:');
  registry.add({ name: 'notes', path: '/notes.sqlite', made: 0 });
  const begun = Promise.withResolvers<void>();
  await using jobs = createJobs({
    ...{ registry, clock, log: silentLogger },
    async run(_kb, _work, { signal, tell }) {
      clock.advance(1000);
      for (const done of [1, 2, 3]) tell(at(done));
      begun.resolve();
      // As long as a file takes whose vectors are made: nothing more is told.
      await new Promise((_, reject) => signal.addEventListener('abort', reject, { once: true }));
    },
  });
  const { id } = jobs.add('notes', { kind: 'ingest', paths: ['/a'], under: '', retry: false });
  await begun.promise;
  const { signal } = new AbortController();
  const first = await jobs.wait('notes', id, null, signal);
  assert.equal(first.progress.totals.done, 1);
  const next = jobs.wait('notes', id, first.step, signal);
  await clock.advance(50);
  assert.equal((await next).progress.totals.done, 3);
  const ended = await jobs.cancel('notes', id);
  assert.deepEqual([ended.state, ended.progress.totals.done, ended.progress.of], ['cancelled', 3, 9]);
});

test('an export waits for other exports, and not for a job that takes files in', async () => {
  using registry = openRegistry(':memory:');
  registry.add({ name: 'notes', path: '/notes.sqlite', made: 0 });
  const order: string[] = [];
  await using jobs = createJobs({
    ...{ registry, clock: createManualClock(), log: silentLogger },
    async run(_kb, work, { signal }) {
      order.push(work.kind);
      if (work.kind === 'ingest')
        await new Promise((_, reject) => signal.addEventListener('abort', reject, { once: true }));
    },
  });
  const { signal } = new AbortController();
  const taking = jobs.add('notes', { kind: 'ingest', paths: ['/a'], under: '', retry: false });
  const exports = ['/b', '/c'].map((folder) => jobs.add('notes', { kind: 'notes', folder }));
  for (let { id, step, state } of exports)
    while (state !== 'done') ({ step, state } = await jobs.wait('notes', id, step, signal));
  assert.deepEqual(order, ['ingest', 'notes', 'notes']);
  assert.equal((await jobs.wait('notes', taking.id, null, signal)).state, 'running');
});

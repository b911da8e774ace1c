import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { systemClock, systemRandom } from '../../base/index.ts';
import { openKnowledgeStore } from '../../knowledge/index.ts';
import type { JobProgress } from '../../server/index.ts';
import { copyWork, writeCopy } from './exporting.ts';
import type { OpenKb } from './kbs.ts';
import type { Work } from './registry.ts';
import { noProgress } from './telling.ts';

const root = await mkdtemp(join(tmpdir(), 'kith-exporting-'));
after(() => rm(root, { recursive: true, force: true }));
const store = openKnowledgeStore({
  path: join(root, 'kb.sqlite'),
  create: { name: 'kb', clock: systemClock },
});
after(() => store.close());
const kb = { store } as OpenKb;
const out = join(root, 'out.sqlite');

function telling() {
  const told = { progress: noProgress as JobProgress, works: [] as Work[] };
  const stop = new AbortController();
  return {
    told,
    stop,
    signal: stop.signal,
    tell(progress: JobProgress) {
      told.progress = progress;
    },
    become: (work: Work) => void told.works.push(work),
  };
}
const order = () => copyWork({ file: out, replace: false }, kb, [], systemRandom);

test('a copy that was killed half-way is begun anew, and nothing half is left beside it', async () => {
  const work = await order();
  await writeFile(work.beside, 'half of a copy');
  await writeFile(`${work.beside}-journal`, 'of it');
  const first = telling();
  await writeCopy(work, kb, [], first);
  assert.equal(first.told.progress.copy?.bytes, (await stat(out)).size);
  using copy = openKnowledgeStore({ path: out });
  assert.deepEqual(copy.check(), []);
  assert.equal(first.told.works.length, 1, 'noted before the file got its name');
  copy.close();
  assert.deepEqual(
    (await readdir(root)).filter((name) => name.includes('.tmp')),
    [],
  );

  // Killed behind the renaming: the same job finds its own file, where any other is refused.
  const again = telling();
  await writeCopy(first.told.works[0] as typeof work, kb, [], again);
  assert.equal(again.told.progress.copy?.file, out);
  await assert.rejects(order(), { code: 'export_exists' });
  await rm(out);
});

test('a copy that is ended leaves nothing', async () => {
  const work = await order();
  const ended = telling();
  ended.stop.abort();
  await assert.rejects(writeCopy(work, kb, [], ended), { code: 'aborted' });
  assert.deepEqual(
    (await readdir(root)).filter((name) => name.includes('out') || name.includes('.tmp')),
    [],
  );
});

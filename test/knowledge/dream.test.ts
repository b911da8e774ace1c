import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { DreamJournal, DreamView, ExtractionView, JobView, ScoreView } from '../../src/server/index.ts';
import { createHome, startNode } from '../node-support.ts';
import { ragOf } from './rag-support.ts';

const NOTES: Readonly<Record<string, string>> = {
  'Victor Fleming.md':
    '---\nknows: "[[Clark Gable]]"\n---\n# Victor Fleming\n\nVictor Fleming was an American film director. He was born in Pasadena.\n',
  'Clark Gable.md': '# Clark Gable\n\nClark Gable was an American actor. He was born in Cadiz.\n',
  'Red Dust.md':
    '# Red Dust\n\nRed Dust is a film directed by Victor Fleming and starring Clark Gable and Mary Astor.\n',
};

test('a dream over HTTP runs as a job, raises the score, tells what it did, and is undone', async () => {
  const home = await createHome();
  const folder = join(home.path, 'notes');
  await mkdir(folder);
  for (const [name, text] of Object.entries(NOTES)) await writeFile(join(folder, name), text);
  const node = await startNode(home);
  try {
    const rag = await ragOf(node, home.path);
    await rag('POST', '', { name: 'films' });
    const [sync] = (await rag<{ jobs: JobView[] }>('POST', '/films/sync', { folder })).jobs;
    await rag.ended(sync!);
    const score = () => rag<ScoreView>('GET', '/films/graph/score');
    const before = await score();
    const view = () => rag('GET', '/films/graph/entities/red%20dust');
    const shown = await view();

    const { run, job } = await rag<{ run: DreamView; job: JobView }>('POST', '/films/dreams', {
      model: null,
    });
    const ended = await rag.ended(job);
    assert.equal(ended.state, 'done', JSON.stringify(ended));
    const after = await score();
    assert.ok(after.score > before.score, `${before.score} to ${after.score}`);
    const { runs } = await rag<{ runs: DreamView[] }>('GET', '/films/dreams');
    assert.deepEqual(
      runs.map(({ id, state, stopped }) => [id, state, stopped]),
      [[run.id, 'done', null]],
    );
    assert.equal(runs[0]?.after?.score, after.score);
    const journal = await rag<DreamJournal>('GET', `/films/dreams/${run.id}`);
    const directed = journal.entries.find(({ what }) => what === 'director');
    assert.deepEqual(
      [directed?.subject, directed?.value, directed?.by, directed?.why, directed?.holds],
      ['red dust', 'victor fleming', 'rule', "'directed by'", true],
    );
    assert.match(directed?.sentence ?? '', /^Red Dust is a film directed by Victor Fleming/);
    assert.equal(journal.next, null);
    assert.notDeepEqual(await view(), shown);

    const undone = await rag<DreamView>('POST', `/films/dreams/${run.id}/undo`);
    assert.equal(undone.state, 'undone');
    assert.deepEqual(await view(), shown);
    assert.deepEqual(await score(), before);
    const again = await rag.raw('POST', `/films/dreams/${run.id}/undo`);
    assert.equal(again.status, 409);
    assert.equal((await rag.raw('GET', '/films/dreams/99')).status, 404);

    // A real model, far too small for it: it is tried on what is known, and reads nothing.
    const tiny = await rag<{ run: DreamView; job: JobView }>('POST', '/films/dreams', {
      ...{ model: 'tiny', calls: 1 },
    });
    await rag.ended(tiny.job);
    const tried = (await rag<DreamJournal>('GET', `/films/dreams/${tiny.run.id}`)).run;
    assert.deepEqual([tried.stopped, tried.found.calls, tried.idle], ['model', 0, false]);
    assert.match(tried.note ?? '', /tiny is too weak to read passages/);
    const idle = await rag<ExtractionView>('GET', '/films/extraction');
    assert.deepEqual([idle.mode, idle.phase, idle.tokens, idle.run], ['off', 'off', 0, null]);
    assert.ok(idle.left > 0);
    assert.equal((await rag.raw('GET', '/films/dreams/x')).status, 400);
  } finally {
    await node.close();
    await home.remove();
  }
});

/** What is placed gets another mode without being deleted first. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import type { JobView, PlacedInfo, PlacedSearchView } from '../../src/server/index.ts';
import {
  type Bob,
  bobHome,
  startBob,
  takeNotes,
  temporaryFolder,
  type WatchedEve,
  watchedEve,
} from './bob-and-eves.ts';

const OF = '/api/rag/kbs/notes/vault';
let base: string;
let eves: WatchedEve[];
let bob: Bob;

before(async () => {
  base = await temporaryFolder();
  eves = await Promise.all([watchedEve(91, base), watchedEve(92, base), watchedEve(93, base)]);
  bob = await startBob(await bobHome(), eves);
  await takeNotes(bob, 'notes', { 'tea.md': '# Tea\n\nGreen tea takes two minutes.\n' }, base);
});
after(async () => {
  await bob.node.close();
  await bob.home.remove();
  for (const eve of eves) {
    await eve[Symbol.asyncDispose]();
    await eve.host[Symbol.asyncDispose]();
  }
  await rm(base, { recursive: true, force: true });
});

const done = async (job: Promise<JobView>): Promise<JobView> => {
  const ended = await bob.ended(await job);
  assert.equal(ended.state, 'done', JSON.stringify(ended.error));
  return ended;
};
const change = (body: object) => bob.call<JobView>('POST', `${OF}/eves`, body);
const info = () => bob.call<PlacedInfo>('GET', OF);
const found = () =>
  bob.call<PlacedSearchView>('POST', `${OF}/search`, { query: 'How long does tea take?', k: 1 });

test('sealed becomes split once it is said who runs the Eves, and sealed again; nothing of the former mode stays', async () => {
  const [ada, ben] = eves.map(({ peer }) => peer) as [string, string];
  await done(bob.call('POST', OF, { eves: [ada, ben], quotaBytes: 33 << 20 }));
  const sealed = await info();
  await assert.rejects(change({ mode: 'split' }), { code: 'split_operators' });
  await assert.rejects(change({ mode: 'split', operators: [`Ada=${ada}`] }), { code: 'split_operators' });
  await assert.rejects(change({ mode: 'split', operators: [`Cem=${eves[2]!.peer}`] }), {
    code: 'vault_eve_unknown',
  });
  assert.deepEqual(await info(), sealed, 'what was refused changed nothing');

  const operators = [`Ada=${ada}`, `Ben=${ben}`];
  await done(change({ mode: 'split', operators }));
  const split = await info();
  assert.deepEqual([split.mode, split.number, split.stale], ['split', 2, false]);
  assert.deepEqual(
    split.eves.map(({ operator }) => operator),
    ['Ada', 'Ben'],
  );
  for (const { quotaBytes, usedBytes } of split.tenants) {
    assert.ok(quotaBytes! > 33 << 20, 'the tenants grew');
    assert.ok(usedBytes! <= quotaBytes!);
  }
  assert.ok((await found()).hits[0]!.text.includes('two minutes'));

  await done(change({ mode: 'sealed' }));
  const again = await info();
  assert.deepEqual([again.mode, again.number], ['sealed', 3]);
  for (const [i, { blocks }] of again.tenants.entries())
    assert.ok(blocks! < split.tenants[i]!.blocks!, 'what was searched is gone');
});

test('a change that has no room is refused before anything of it is done', async () => {
  const before = await info();
  await assert.rejects(change({ quotaBytes: 2e9 }), { code: 'storage_full' });
  await assert.rejects(change({ quotaBytes: 6e8 }), { code: 'storage_terms' });
  assert.deepEqual(await info(), before);
  await done(change({ quotaBytes: 200 << 20 }));
  assert.deepEqual(
    (await info()).tenants.map(({ quotaBytes }) => quotaBytes),
    [200 << 20, 200 << 20],
  );
});

test('a change whose Eve goes away on the way leaves the former state as it was, and goes on when she is back', async () => {
  const before = await info();
  let puts = 0;
  eves[1]!.before = (op) => {
    if (op === 'put' && ++puts > 1) throw new Error('She is away.');
  };
  const failed = await bob.ended(await change({ mode: 'split' }));
  assert.deepEqual([failed.state, failed.error?.code], ['failed', 'vault_not_placed']);
  const between = await info();
  assert.deepEqual([between.number, between.stale], [before.number, true]);
  const { kb, state } = await bob.ended(
    await bob.call('POST', '/api/rag/vault/restore/copy', { source: 'notes', eves: [eves[0]!.peer] }),
  );
  assert.deepEqual([kb, state], ['copy', 'done']);
  // What is placed stays that of the first: a copy of it would overwrite it.
  await assert.rejects(bob.call('POST', '/api/rag/kbs/copy/vault', { eves: [eves[2]!.peer] }), {
    code: 'vault_placed',
  });
  eves[1]!.before = () => {};
  await done(bob.call('POST', `${OF}/sync`));
  assert.equal((await info()).number, before.number + 1);
  assert.ok((await found()).hits[0]!.text.includes('two minutes'));
});

/** What is placed stays whole: lost tenants, dropped Eves, more space, another mode, and what is left of a knowledge base that was destroyed. */
import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type {
  CheckView,
  EveView,
  JobView,
  PlacedInfo,
  PlacedSearchView,
  PlacedView,
} from '../../src/server/index.ts';
import {
  type Bob,
  bobHome,
  endEves,
  startBob,
  takeNotes,
  temporaryFolder,
  type WatchedEve,
  watchedEve,
} from './bob-and-eves.ts';

let base: string;
let bob: Bob;
let eves: WatchedEve[];

const of = '/api/rag/kbs/notes/vault';
const peers = () => eves.map(({ peer }) => peer);
const run = async (path: string, body?: unknown): Promise<JobView> => {
  const job = await bob.ended(await bob.call('POST', path, body));
  assert.equal(job.state, 'done', JSON.stringify(job.error));
  return job;
};
const notices = ({ progress }: JobView) => progress.failures.map(({ code }) => code);
const tenants = (eve: WatchedEve) => eve.host.tenants();
const away = (eve: WatchedEve, isAway: boolean): void => {
  eve.before = () => {
    if (isAway) throw new Error('She is away.');
  };
};
/** As if her disk had been replaced. */
async function loseAll(eve: WatchedEve): Promise<void> {
  for (const { owner, label } of await tenants(eve)) await eve.host.destroy(owner, label);
}

before(async () => {
  base = await temporaryFolder();
  eves = await Promise.all([91, 92, 93].map((number) => watchedEve(number, base)));
  bob = await startBob(await bobHome(), eves);
  await takeNotes(bob, 'notes', { 'tea.md': '# Tea\n\nGreen tea takes two minutes.\n' }, base);
});
after(async () => {
  await bob?.node.close();
  await endEves(eves ?? []);
  await bob?.home.remove();
  await rm(base, { recursive: true, force: true });
});

test('an Eve that lost her tenant gets it again by a repair, and it is her fault', async () => {
  await run(of, { eves: peers() });
  const standing = async () => (await bob.call<PlacedInfo>('GET', of)).tenants[0]!.standing;
  assert.equal((await standing()).poor, false);
  await run(`${of}/repair`);
  const blocks = (await tenants(eves[0]!))[0]!.blocks;
  await loseAll(eves[0]!);
  const told = await bob.call<PlacedInfo>('GET', of);
  assert.match(told.tenants[0]!.trouble!, /kith vpk repair notes makes it again/);
  const job = await run(`${of}/repair`);
  assert.deepEqual(notices(job), []);
  assert.equal((await tenants(eves[0]!))[0]!.blocks, blocks);
  const { found } = await bob.call<{ found: { at: string[] }[] }>('POST', '/api/rag/vault/find', {
    peers: [peers()[0]],
  });
  assert.deepEqual(found[0]!.at, [peers()[0]]);
  const { eves: listed } = await bob.call<{ eves: EveView[] }>('POST', '/api/rag/vault/discover', {
    peers: peers(),
  });
  assert.ok(listed.every(({ standing: { tier } }) => tier === 'unknown'));
  const { eves: checked } = await bob.call<CheckView>('POST', `${of}/check`, { questions: 5 });
  assert.ok(checked.every(({ failed, standing: { poor } }) => failed === 0 && !poor));
});

test('what all Eves lost is placed again by one sync', async () => {
  for (const eve of eves) await loseAll(eve);
  await assert.rejects(run(`${of}/repair`), /kith vpk upload/);
  const job = await run(`${of}/sync`);
  assert.ok(job.progress.totals.bytes > 0);
  const { tenants: told } = await bob.call<PlacedInfo>('GET', of);
  assert.ok(told.every(({ state }) => state === 'open'));
  assert.ok(told.filter(({ blocks }) => blocks! > 0).length >= 2);
  const { eves: checked } = await bob.call<CheckView>('POST', `${of}/check`, { questions: 10 });
  assert.ok(checked.every(({ failed }) => failed === 0));
  await run(`${of}/repair`);
});

test('with two Eves and two copies and one away, the upload says which and what to do', async () => {
  await takeNotes(bob, 'pair', { 'lamp.md': '# Lamp\n\nThe lamp burns whale oil.\n' }, base);
  const pair = '/api/rag/kbs/pair/vault';
  await run(pair, { eves: peers().slice(0, 2) });
  away(eves[1]!, true);
  await writeFile(join(base, 'pair', 'more.md'), '# More\n\nMore of it.\n');
  await run('/api/rag/kbs/pair/ingest', { paths: [join(base, 'pair', 'more.md')] });
  const job = await bob.ended(await bob.call('POST', `${pair}/sync`));
  assert.deepEqual([job.state, job.error?.code], ['failed', 'vault_not_placed']);
  assert.ok(job.error!.message.includes(peers()[1]!), job.error!.message);
  assert.match(job.error!.message, /kith vpk rebalance pair --add PEER/);
  away(eves[1]!, false);
  await run(`${pair}/sync`);
  await bob.call('DELETE', pair);
});

test('an Eve that is dropped deletes her tenant once all is elsewhere, also when she was away then', async () => {
  assert.equal((await tenants(eves[2]!)).length, 1);
  away(eves[2]!, true);
  await run(`${of}/eves`, { add: [], drop: [peers()[2]] });
  away(eves[2]!, false);
  assert.equal((await tenants(eves[2]!)).length, 1);
  await run(`${of}/repair`);
  assert.deepEqual(await tenants(eves[2]!), []);
  // One that was dropped and taken again keeps hers.
  await run(`${of}/eves`, { add: [peers()[2]], drop: [] });
  await run(`${of}/repair`);
  assert.equal((await tenants(eves[2]!)).length, 1);
  const { eves: checked } = await bob.call<CheckView>('POST', `${of}/check`, { questions: 10 });
  assert.ok(checked.every(({ failed }) => failed === 0));
});

test('nothing is deleted at a dropped Eve while another is away who is to have it', async () => {
  away(eves[0]!, true);
  // Which blocks lie at those two alone is drawn by lot: these have to wait for her who is away.
  const { state, error } = await bob.ended(
    await bob.call('POST', `${of}/eves`, { add: [], drop: [peers()[2]] }),
  );
  assert.ok(state === 'done' || error?.code === 'vault_block_lost', JSON.stringify(error));
  assert.equal((await tenants(eves[2]!)).length, 1);
  away(eves[0]!, false);
  await run(`${of}/repair`);
  assert.deepEqual(await tenants(eves[2]!), []);
  await run(`${of}/eves`, { add: [peers()[2]], drop: [] });
});

test('more space is asked of all, by hand or since the knowledge base grew', async () => {
  const quotas = async () =>
    (await bob.call<PlacedInfo>('GET', of)).tenants.map(({ quotaBytes }) => quotaBytes);
  await run(`${of}/eves`, { add: [], drop: [], quotaBytes: 100e6 });
  assert.deepEqual(await quotas(), [100e6, 100e6, 100e6]);
  away(eves[1]!, true);
  await assert.rejects(bob.call('POST', `${of}/eves`, { add: [], drop: [], quotaBytes: 200e6 }));
  away(eves[1]!, false);
  assert.deepEqual(await quotas(), [100e6, 100e6, 100e6]);
});

test('of a knowledge base that is destroyed here peers keep what was placed, until it is deleted there', async () => {
  await bob.call('DELETE', '/api/rag/kbs/notes');
  const { placed } = await bob.call<{ placed: PlacedView[] }>('GET', '/api/rag/vault');
  assert.deepEqual(
    placed.map(({ kb, stale }) => [kb, stale]),
    [['notes', null]],
  );
  await assert.rejects(bob.call('POST', `${of}/sync`), { code: 'kb_unknown' });
  // Another one of that name is told apart.
  await mkdir(join(base, 'notes'), { recursive: true });
  await takeNotes(bob, 'notes', { 'other.md': '# Other\n\nSomething else.\n' }, base);
  await assert.rejects(bob.call('POST', of, { eves: peers() }), {
    code: 'vault_placed',
    message: /another knowledge base, which was here before/,
  });
  away(eves[1]!, true);
  const { gone, left } = await bob.call<{ gone: string[]; left: string[] }>('DELETE', of);
  assert.deepEqual([gone.length, left], [2, [peers()[1]]]);
  away(eves[1]!, false);
  assert.equal((await tenants(eves[1]!)).length, 1);
  await run(of, { eves: [peers()[0]] });
});

const MODES = '/api/rag/kbs/tea/vault';
const change = (body: object) => bob.call<JobView>('POST', `${MODES}/eves`, body);
const info = () => bob.call<PlacedInfo>('GET', MODES);
const found = () =>
  bob.call<PlacedSearchView>('POST', `${MODES}/search`, { query: 'How long does tea take?', k: 1 });

test('sealed becomes split once it is said who runs the Eves, and sealed again; nothing of the former mode stays', async () => {
  await takeNotes(bob, 'tea', { 'tea.md': '# Tea\n\nGreen tea takes two minutes.\n' }, base);
  const [ada, ben] = eves.map(({ peer }) => peer) as [string, string];
  await run(MODES, { eves: [ada, ben], quotaBytes: 33 << 20 });
  const sealed = await info();
  await assert.rejects(change({ mode: 'split' }), { code: 'split_operators' });
  await assert.rejects(change({ mode: 'split', operators: [`Ada=${ada}`] }), { code: 'split_operators' });
  await assert.rejects(change({ mode: 'split', operators: [`Cem=${eves[2]!.peer}`] }), {
    code: 'vault_eve_unknown',
  });
  assert.deepEqual(await info(), sealed, 'what was refused changed nothing');

  const operators = [`Ada=${ada}`, `Ben=${ben}`];
  await run(`${MODES}/eves`, { mode: 'split', operators });
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

  await run(`${MODES}/eves`, { mode: 'sealed' });
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
  await run(`${MODES}/eves`, { quotaBytes: 200 << 20 });
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
    await bob.call('POST', '/api/rag/vault/restore/copy', { source: 'tea', eves: [eves[0]!.peer] }),
  );
  assert.deepEqual([kb, state], ['copy', 'done']);
  // What is placed stays that of the first: a copy of it would overwrite it.
  await assert.rejects(bob.call('POST', '/api/rag/kbs/copy/vault', { eves: [eves[2]!.peer] }), {
    code: 'vault_placed',
  });
  eves[1]!.before = () => {};
  await run(`${MODES}/sync`);
  assert.equal((await info()).number, before.number + 1);
  assert.ok((await found()).hits[0]!.text.includes('two minutes'));
});

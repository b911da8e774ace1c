/** A knowledge base is made again from Eves by a job: stopped, cancelled, asked for twice, with Eves that go away and disks that are full. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { JobView, KbView } from '../../src/server/index.ts';
import { until } from '../swarm-support.ts';
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

/** Of the knowledge base that takes several fetches. */
const DOCUMENTS = 5;

let base: string;
let eves: WatchedEve[];
let bob: Bob;
let peers: string[];

before(async () => {
  base = await temporaryFolder();
  eves = await Promise.all([watchedEve(94, base), watchedEve(95, base)]);
  peers = eves.map(({ peer }) => peer);
  bob = await startBob(await bobHome(), eves);
  await takeNotes(bob, 'notes', { 'tea.md': '# Tea\n\nGreen tea takes two minutes.\n' }, base);
  const place = await bob.call<JobView>('POST', '/api/rag/kbs/notes/vault', { eves: peers });
  assert.equal((await bob.ended(place)).state, 'done');
});
after(async () => {
  await bob.node.close();
  await bob.home.remove();
  await endEves(eves);
  await rm(base, { recursive: true, force: true });
});

const restore = (name: string, more: object = {}) =>
  bob.call<JobView>('POST', `/api/rag/vault/restore/${name}`, { source: 'notes', eves: peers, ...more });
const kept = (name: string): Promise<string[]> =>
  readdir(join(bob.home.path, 'vault', 'fetched', name)).catch(() => []);
const files = async (name: string): Promise<string[]> =>
  (await readdir(join(bob.home.path, 'knowledge'))).filter((file) => file.startsWith(name));

/** Every call of an operation waits, once one came that is to. */
function held(op: string): { readonly came: Promise<void>; go(): void } {
  const came = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  for (const eve of eves)
    eve.before = async (asked) => {
      if (asked !== op) return;
      came.resolve();
      await gate.promise;
    };
  return {
    came: came.promise,
    go() {
      for (const eve of eves) eve.before = () => {};
      gate.resolve();
    },
  };
}

test('of two restores of one name the second is refused, and so is a name that is taken, before anything is fetched', async () => {
  const gate = held('get');
  const [first, second] = await Promise.allSettled([restore('twice'), restore('twice')]);
  const refused = [first, second].filter(({ status }) => status === 'rejected');
  assert.equal(refused.length, 1);
  assert.equal((refused[0] as PromiseRejectedResult).reason.code, 'vault_restoring');
  await assert.rejects(restore('twice'), { code: 'vault_restoring' });
  await gate.came;
  gate.go();
  const job = [first, second].find(({ status }) => status === 'fulfilled') as PromiseFulfilledResult<JobView>;
  const { state, progress } = await bob.ended(job.value);
  assert.deepEqual([state, progress.totals.done], ['done', progress.of]);
  assert.ok(progress.totals.bytes > 0);
  for (const eve of eves)
    eve.before = () => {
      throw new Error('Nothing is to be asked for.');
    };
  await assert.rejects(restore('twice'), { code: 'kb_exists' });
  await assert.rejects(restore('..%2Felsewhere'), { code: 'kb_name_invalid' });
  const file = join(base, 'mine.sqlite');
  await writeFile(file, 'somebody has this');
  await assert.rejects(restore('mine', { folder: base }), { code: 'kb_exists' });
  assert.equal(await readFile(file, 'utf8'), 'somebody has this');
  for (const eve of eves) eve.before = () => {};
  assert.deepEqual(await kept('twice'), []);
});

test('one that is cancelled leaves nothing, and its name can be used', async () => {
  const gate = held('get');
  const job = await restore('ended');
  await gate.came;
  const cancelling = bob.call<JobView>('DELETE', `/api/rag/kbs/ended/jobs/${job.id}`);
  const { state } = await cancelling;
  gate.go();
  assert.equal(state, 'cancelled');
  assert.deepEqual([await kept('ended'), await files('ended')], [[], []]);
  await assert.rejects(bob.call('GET', '/api/rag/kbs/ended'), { code: 'kb_unknown' });
  assert.equal((await bob.ended(await restore('ended'))).state, 'done');
});

test('one whose Eves go away fails, keeps what it fetched for the next try, and is whole then', async () => {
  await takeLong();
  let gets = 0;
  for (const eve of eves)
    eve.before = (op) => {
      if (op === 'get' && ++gets > 3) throw new Error('She is away.');
    };
  const failed = await bob.ended(await restore('again', { source: 'long' }));
  assert.deepEqual([failed.state, failed.error?.code], ['failed', 'vault_block_lost']);
  const blocks = await kept('again');
  assert.ok(blocks.length > 0 && blocks.every((name) => name.endsWith('.block')), blocks.join());
  assert.deepEqual(await files('again'), []);
  // One of those kept is damaged on the disk: it is fetched anew.
  await writeFile(join(bob.home.path, 'vault', 'fetched', 'again', blocks[0]!), 'not what it was');
  await whole('again');
});

test('one whose node stops goes on with the next start, and fetches nothing again that it had', async () => {
  let gate = Promise.withResolvers<void>();
  const came = Promise.withResolvers<void>();
  let gets = 0;
  for (const eve of eves)
    eve.before = async (op) => {
      if (op !== 'get') return;
      if (++gets < 4) return;
      came.resolve();
      await gate.promise;
    };
  const job = await restore('later', { source: 'long' });
  await came.promise;
  const blocksOf = async () => (await kept('later')).filter((name) => name.endsWith('.block')).length;
  const had = await until(blocksOf, (blocks) => blocks > 0);
  const closing = bob.node.close();
  gate.resolve();
  await closing;
  assert.deepEqual(await files('later'), []);
  gate = Promise.withResolvers();
  gate.resolve();
  const before = gets;
  bob = await startBob(bob.home, eves);
  const ended = await bob.ended(await bob.call('GET', `/api/rag/kbs/later/jobs/${job.id}`));
  assert.equal(ended.state, 'done', JSON.stringify(ended.error));
  const { blocks } = (await eves[0]!.host.tenants()).toSorted((a, b) => b.blocks - a.blocks)[0]!;
  assert.ok(gets - before <= blocks - had + 1, `${gets - before} of ${blocks} blocks, ${had} were there`);
  assert.deepEqual(await kept('later'), []);
  assert.equal((await bob.call<KbView>('GET', '/api/rag/kbs/later')).contents?.documents, DOCUMENTS);
});

test('where the disk has no room it says so, and nothing half is left', { skip: !canMount() }, async () => {
  const small = join(base, 'small');
  await mkdir(small);
  const { execFileSync } = await import('node:child_process');
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', small]);
  try {
    const { state, error } = await bob.ended(await restore('full', { folder: small }));
    assert.deepEqual([state, error?.code], ['failed', 'disk_full'], error?.message);
    assert.deepEqual([await readdir(small), await kept('full')], [[], []]);
  } finally {
    execFileSync('umount', [small]);
  }
  assert.equal((await bob.ended(await restore('full'))).state, 'done');
});

function canMount(): boolean {
  return process.platform === 'linux' && process.getuid?.() === 0 && process.env.KITH_TEST_NO_MOUNT !== '1';
}

async function whole(name: string): Promise<void> {
  for (const eve of eves) eve.before = () => {};
  const { state, error } = await bob.ended(await restore(name, { source: 'long' }));
  assert.equal(state, 'done', JSON.stringify(error));
  assert.deepEqual(await kept(name), []);
}

/** A knowledge base of several segments: what each sync sends is one of its own. */
async function takeLong(): Promise<void> {
  const of = '/api/rag/kbs/long';
  const done = async (job: Promise<JobView>) => {
    const { state, error } = await bob.ended(await job);
    assert.equal(state, 'done', JSON.stringify(error));
  };
  await takeNotes(bob, 'long', { 'note-0.md': '# Note 0\n\nThe first of them.\n' }, base);
  await done(bob.call('POST', `${of}/vault`, { eves: peers }));
  for (let number = 1; number < DOCUMENTS; number++) {
    const file = join(base, 'long', `note-${number}.md`);
    await writeFile(file, `# Note ${number}\n\nIt is said ${number} times.\n`);
    await done(bob.call('POST', `${of}/ingest`, { paths: [file] }));
    await done(bob.call('POST', `${of}/vault/sync`));
  }
}

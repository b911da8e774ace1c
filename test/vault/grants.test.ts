/** One node lets another read what two Eves keep for it: restore, search, end of it, and new keys. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { identityOf } from '../../src/identity/testing/credentials.ts';
import { openParts } from '../../src/knowledge/index.ts';
import type {
  GivenVaultGrantView,
  GrantedView,
  JobView,
  NodeStatus,
  PlacedInfo,
  PlacedSearchView,
  VaultGrantView,
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

type Machine = Bob & { readonly peer: string };

const PLANTED = 'The blue notebook lies under the third stair.';
const WHERE = 'Where is the blue notebook?';
const NOTES = '/api/rag/kbs/notes';

let base: string;
let eves: WatchedEve[];
let ada: Machine;
let ben: Machine;

const call = <T>(of: Bob, method: string, path: string, body?: unknown): Promise<T> =>
  of.call<T>(method, path, body);
const done = (of: Bob, job: JobView): Promise<JobView> => of.done(job);

async function machine(): Promise<Machine> {
  const bob = await startBob(await bobHome(), eves);
  const { identity } = await bob.call<NodeStatus>('GET', '/kith/v1/status');
  return { ...bob, peer: identity.peerId };
}

before(async () => {
  base = await temporaryFolder();
  eves = await Promise.all([watchedEve(91, base), watchedEve(92, base)]);
  [ada, ben] = await Promise.all([machine(), machine()]);
  // They lend to Ada, and answer whoever asks.
  for (const eve of eves) eve.welcome = (peer) => peer === ada.peer;
  const notes = {
    'stairs.md': `# Hidden things\n\n${PLANTED} ${'More words. '.repeat(40)}\n`,
    'tea.md': '# Tea\n\nGreen tea takes two minutes.\n',
  };
  await takeNotes(ada, 'notes', notes, base);
  const operated = [`Ada=${eves[0]!.peer}`, `Ben=${eves[1]!.peer}`];
  await done(ada, await call(ada, 'POST', `${NOTES}/vault`, { eves: operated, mode: 'split' }));
});
after(async () => {
  await ada.node.close();
  await ben.node.close();
  await endEves(eves);
  await ada.home.remove();
  await ben.home.remove();
  await rm(base, { recursive: true, force: true });
});

const give = (to = ben.peer) =>
  call<GivenVaultGrantView>(ada, 'POST', `${NOTES}/vault/grants`, { to, days: 5 });
const resolve = (grant: string) => call<GrantedView>(ben, 'POST', '/api/rag/vault/granted', { grant });
const restore = (name: string, grant: string, source = 'notes') =>
  call<JobView>(ben, 'POST', `/api/rag/vault/restore/${name}`, { source, grant });
const search = (grant: string) =>
  call<PlacedSearchView>(ben, 'POST', '/api/rag/vault/granted/search/notes', { grant, query: WHERE, k: 1 });
const state = async () => (await call<PlacedInfo>(ada, 'GET', `${NOTES}/vault`)).number;

/** Digests of all parts of a knowledge base but what a machine notes of its own copy. */
async function partsOf({ home }: Machine, name: string): Promise<string[]> {
  using parts = openParts(join(home.path, 'knowledge', `${name}.sqlite`));
  const all = [...parts.names()].filter((part) => !part.startsWith('table/meta/'));
  return all.map((part) => `${part} ${createHash('sha256').update(parts.read(part)!).digest('hex')}`);
}

test('a peer with a grant restores the same bytes and searches, and changes nothing of its owner', async () => {
  await assert.rejects(
    call(ben, 'POST', '/api/rag/vault/restore/mine', { source: 'notes', eves: eves.map(({ peer }) => peer) }),
    { code: 'vault_not_found' },
  );
  const { text, id } = await give();
  const told = await resolve(text);
  assert.deepEqual(
    [told.kb, told.issuer, told.rights, told.mode, told.number, told.trouble],
    ['notes', ada.peer, ['read'], 'split', await state(), null],
  );
  assert.ok(told.eves.every(({ trouble }) => trouble === null));
  const { hits } = await search(text);
  assert.ok(hits[0]!.text.includes(PLANTED));
  await done(ben, await restore('notes', text));
  assert.deepEqual(await partsOf(ben, 'notes'), await partsOf(ada, 'notes'));
  // Here it belongs to nobody's Eves, and a place of Ben's own is no place of Ada's.
  const before = await state();
  await assert.rejects(call(ben, 'POST', `${NOTES}/vault/sync`), { code: 'vault_not_kept' });
  await assert.rejects(call(ben, 'POST', `${NOTES}/vault`, { eves: [eves[0]!.peer] }), {
    code: 'storage_denied',
  });
  assert.equal(await state(), before);
  await done(ada, await call(ada, 'POST', `${NOTES}/vault/sync`));
  const { grants } = await call<{ grants: VaultGrantView[] }>(ada, 'GET', `${NOTES}/vault/grants`);
  assert.deepEqual(
    grants.map((grant) => [grant.id, grant.holder, grant.state]),
    [[id, ben.peer, 'holds']],
  );
});

test('what is no grant for this node and this knowledge base says so', async () => {
  const other = await give(identityOf('cleo').peerId);
  await assert.rejects(resolve(other.text), { code: 'vault_grant_not_yours' });
  await assert.rejects(restore('third', other.text), { code: 'vault_grant_not_yours' });
  const { text } = await give();
  await assert.rejects(resolve(`${text.slice(0, -3)}AAA`), { code: 'vault_grant_file' });
  await assert.rejects(restore('third', text, 'diary'), { code: 'vault_not_found' });
  await assert.rejects(give(ada.peer), { code: 'vault_grant_invalid' });
  await assert.rejects(call(ada, 'DELETE', `${NOTES}/vault/grants/${'0'.repeat(32)}`), {
    code: 'vault_grant_unknown',
  });
});

test('once it is revoked nothing comes of it; an Eve that was away is told with the next job', async () => {
  const { text, id } = await give();
  await search(text);
  eves[1]!.before = () => {
    throw new Error('She is away.');
  };
  const revoked = await call<VaultGrantView>(ada, 'DELETE', `${NOTES}/vault/grants/${id}`);
  assert.deepEqual([revoked.state, revoked.untold], ['revoked', [eves[1]!.peer]]);
  await assert.rejects(search(text), { code: 'storage_denied' });
  await assert.rejects(restore('again', text), { code: 'storage_denied' });
  eves[1]!.before = () => {};
  const between = await resolve(text);
  assert.deepEqual(
    between.eves.map(({ trouble }) => trouble === null),
    [false, true],
  );
  await done(ada, await call(ada, 'POST', `${NOTES}/vault/repair`));
  const told = await resolve(text);
  assert.ok(told.trouble !== null && told.eves.every(({ trouble }) => trouble !== null));
  await assert.rejects(search(text), { code: 'storage_denied' });
  await assert.rejects(restore('again', text), { code: 'storage_denied' });
});

test('new keys: what was granted before opens nothing, and all is as it was for its owner and by a new grant', async () => {
  const { text } = await give();
  const job = await done(ada, await call<JobView>(ada, 'POST', `${NOTES}/vault/rotate`));
  assert.ok(job.progress.totals.bytes > 0);
  await assert.rejects(search(text), { code: 'vault_grant_keys' });
  assert.ok((await resolve(text)).trouble !== null);
  const { grants } = await call<{ grants: VaultGrantView[] }>(ada, 'GET', `${NOTES}/vault/grants`);
  assert.deepEqual([...new Set(grants.map((grant) => grant.state))].sort(), ['old_keys', 'revoked']);
  const own = await call<PlacedSearchView>(ada, 'POST', `${NOTES}/vault/search`, { query: WHERE, k: 1 });
  assert.ok(own.hits[0]!.text.includes(PLANTED));
  const fresh = await give();
  assert.ok((await search(fresh.text)).hits[0]!.text.includes(PLANTED));
  await done(ben, await restore('anew', fresh.text));
  assert.deepEqual(await partsOf(ben, 'anew'), await partsOf(ada, 'notes'));
  const checked = await call<{ eves: { failed: number }[] }>(ada, 'POST', `${NOTES}/vault/check`, {
    questions: 5,
  });
  assert.ok(checked.eves.every(({ failed }) => failed === 0));
});

test('what is placed sealed is searched by a grant, too, and every question asks whether the grant holds', async () => {
  const TEA = '/api/rag/kbs/tea';
  await takeNotes(ada, 'tea', { 'tea.md': '# Tea\n\nGreen tea takes two minutes.\n' }, base);
  await done(ada, await call(ada, 'POST', `${TEA}/vault`, { eves: eves.map(({ peer }) => peer) }));
  const order = { to: ben.peer, days: 5 };
  const { text, id } = await call<GivenVaultGrantView>(ada, 'POST', `${TEA}/vault/grants`, order);
  const question = { grant: text, query: 'How long does tea take?', k: 1 };
  const find = () => call<PlacedSearchView>(ben, 'POST', '/api/rag/vault/granted/search/tea', question);
  const { hits, mode } = await find();
  assert.deepEqual([mode, hits.map(({ path }) => path)], ['sealed', ['tea.md']]);
  await call(ada, 'DELETE', `${TEA}/vault/grants/${id}`);
  await assert.rejects(find(), { code: 'storage_denied' });
});

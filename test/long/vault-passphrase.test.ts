/** A knowledge base that takes a passphrase beside the key: placed, restored elsewhere, refused without, and told to nobody. */
import assert from 'node:assert/strict';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { createSeededRandom } from '../../src/base/index.ts';
import { openIdentity } from '../../src/identity/index.ts';
import { identityOf } from '../../src/identity/testing/credentials.ts';
import { openParts } from '../../src/knowledge/index.ts';
import { openPlacedStore } from '../../src/node/knowledge/vault-store.ts';
import type { FoundKb, JobView, PlacedInfo } from '../../src/server/index.ts';
import {
  openGrantFile,
  type PassphraseSecret,
  ringOf,
  rootOf,
  rootOfIdentity,
} from '../../src/vault/index.ts';
import { openHead } from '../../src/vault/seal/manifest.ts';
import {
  type Bob,
  bobHome,
  startBob,
  takeNotes,
  temporaryFolder,
  type WatchedEve,
  watchedEve,
} from '../vault/bob-and-eves.ts';

const PASSPHRASE = 'seven grey herons över the mill';
const OTHER = 'a passphrase of another day';
const NOTES = '/api/rag/kbs/notes';

let base: string;
let eves: WatchedEve[];
let peers: string[];
let bob: Bob;
/** The machine that has the key alone. */
let other: Bob;
/** What the passphrase became, as Bob's node keeps it. */
let secret: PassphraseSecret;
let id: string;
const asked: string[] = [];

before(async () => {
  base = await temporaryFolder();
  eves = await Promise.all([watchedEve(96, base), watchedEve(97, base)]);
  peers = eves.map(({ peer }) => peer);
  const home = await bobHome();
  bob = await startBob(home, eves);
  await takeNotes(bob, 'notes', { 'tea.md': '# Tea\n\nGreen tea takes two minutes.\n' }, base);
  other = await startBob(await bobHome(home), eves);
});
after(async () => {
  for (const { node, home } of [bob, other]) {
    await node.close();
    await home.remove();
  }
  for (const eve of eves) {
    await eve[Symbol.asyncDispose]();
    await eve.host[Symbol.asyncDispose]();
  }
  await rm(base, { recursive: true, force: true });
});

async function done(of: Bob, job: Promise<JobView>): Promise<JobView> {
  const ended = await of.ended(await job);
  assert.equal(ended.state, 'done', JSON.stringify(ended.error));
  return ended;
}
const restore = (name: string, more: object = {}) =>
  other.call<JobView>('POST', `/api/rag/vault/restore/${name}`, { source: 'notes', eves: peers, ...more });
const secretsOf = ({ home }: Bob) => openPlacedStore(join(home.path, 'vault', 'bob.sqlite'));

test('what is placed with one is opened by key and passphrase together, and by neither alone', async () => {
  const job = await bob.call<JobView>('POST', `${NOTES}/vault`, { eves: peers, passphrase: PASSPHRASE });
  await done(bob, Promise.resolve(job));
  const info = await bob.call<PlacedInfo>('GET', `${NOTES}/vault`);
  assert.equal(info.passphrase, true);
  {
    using placed = secretsOf(bob);
    ({ id } = placed.of('notes')!);
    secret = placed.secrets.of('placed', id)!;
  }
  const { identity } = await openIdentity({
    ...{ home: bob.home.path, random: createSeededRandom(1) },
    passphrase: async () => null,
  });
  const root = rootOfIdentity(identity);
  const head = await tenantHead();
  const opens = (ring: Pick<typeof root, 'keysOf'>) => openHead((epoch) => ring.keysOf(id, epoch), head);
  assert.equal(opens(root.beside(secret.key)).number, info.number);
  for (const ring of [root, rootOf(secret.key), rootOfIdentity(identityOf('eva')).beside(secret.key)])
    assert.throws(() => opens(ring), { code: 'vault_damaged' });
});

/** The head of the state, as it lies at an Eve. */
async function tenantHead(): Promise<Buffer> {
  for (const name of await readdir(eves[0]!.folder, { recursive: true })) {
    if (!name.endsWith('.sqlite')) continue;
    using database = new DatabaseSync(join(eves[0]!.folder, name), { readOnly: true });
    if (database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'head'").get() === undefined) continue;
    const row = database.prepare("SELECT bytes FROM head WHERE name = 'main'").get();
    if (row !== undefined) return Buffer.from((row as { bytes: Uint8Array }).bytes);
  }
  throw new Error('There is no such tenant.');
}

test('repair, new keys, another mode, checks and grants go on with it', async () => {
  await done(bob, bob.call('POST', `${NOTES}/vault/repair`));
  await done(bob, bob.call('POST', `${NOTES}/vault/rotate`));
  const operators = peers.map((peer, i) => `Operator${i}=${peer}`);
  await done(bob, bob.call('POST', `${NOTES}/vault/eves`, { mode: 'split', operators }));
  const { eves: checked } = await bob.call<{ eves: { failed: number; asked: number }[] }>(
    'POST',
    `${NOTES}/vault/check`,
    {},
  );
  assert.ok(checked.every(({ failed, asked }) => failed === 0 && asked > 0));
  const ben = identityOf('ben');
  const { text } = await bob.call<{ text: string }>('POST', `${NOTES}/vault/grants`, {
    to: ben.peerId,
    days: 3,
  });
  const { reading } = openGrantFile(ben, text);
  const head = await tenantHead();
  assert.equal(openHead((epoch) => ringOf(reading).keysOf(id, epoch), head).mode, 'split');
});

test('with the key alone it is found; without the passphrase, or with another, nothing is fetched', async () => {
  for (const eve of eves) eve.before = (op) => void asked.push(op);
  const { found } = await other.call<{ found: FoundKb[] }>('POST', '/api/rag/vault/find', { peers });
  assert.deepEqual(
    found.map(({ name, passphrase }) => [name, passphrase]),
    [['notes', true]],
  );
  assert.ok(!('marks' in found[0]!));
  asked.length = 0;
  const search = (more: object) =>
    other.call('POST', `${NOTES}/vault/search`, { query: 'tea', eves: peers, ...more });
  for (const ask of [restore, (_: string, more: object = {}) => search(more)]) {
    await assert.rejects(ask('notes'), { code: 'vault_passphrase_needed' });
    await assert.rejects(ask('notes', { passphrase: 'short' }), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'too_small');
      return !error.message.includes('short');
    });
  }
  await assert.rejects(restore('notes', { passphrase: OTHER }), { code: 'vault_passphrase_wrong' });
  assert.deepEqual([...new Set(asked)].sort(), ['head', 'tenants']);
  await search({ passphrase: PASSPHRASE });
  for (const eve of eves) eve.before = () => {};
});

test('a restore whose node stops goes on, gives the same, and what opened it is gone from its job', async () => {
  const came = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  for (const eve of eves)
    eve.before = async (op) => {
      if (op !== 'get') return;
      came.resolve();
      await gate.promise;
    };
  const job = await restore('notes', { passphrase: PASSPHRASE });
  await came.promise;
  const closing = other.node.close();
  gate.resolve();
  await closing;
  for (const eve of eves) eve.before = () => {};
  {
    using placed = secretsOf(other);
    assert.deepEqual(placed.secrets.of('restoring', 'notes')?.key, secret.key);
    assert.equal(placed.secrets.of('placed', id), null);
  }
  await toldNobody(other);
  other = await startBob(other.home, eves);
  await done(other, other.call('GET', `${NOTES}/jobs/${job.id}`));
  assert.equal((await other.call<PlacedInfo>('GET', `${NOTES}/vault`)).passphrase, true);
  {
    using placed = secretsOf(other);
    assert.equal(placed.secrets.of('restoring', 'notes'), null);
    assert.deepEqual(placed.secrets.of('placed', id), secret);
  }
  const parts = [bob, other].map(({ home }) => partsOf(home.path));
  assert.ok(parts[0]!.size > 0);
  assert.deepEqual(parts[0], parts[1]);
  // It goes on with it from here.
  await done(other, other.call('POST', `${NOTES}/vault/sync`));
});

function partsOf(home: string): Map<string, string> {
  using parts = openParts(join(home, 'knowledge', 'notes.sqlite'));
  // What a machine knows of itself alone is of no other.
  const names = [...parts.names()].filter((name) => !name.startsWith('table/meta/'));
  return new Map(names.map((name) => [name, Buffer.from(parts.read(name)!).toString('hex')]));
}

test('neither the passphrase nor what it became is told to anybody', async () => {
  await toldNobody(bob);
  await toldNobody(other);
  for (const one of [bob, other])
    for (const path of ['/api/rag/vault', `${NOTES}/vault`, `${NOTES}/jobs`])
      assert.deepEqual(planted(Buffer.from(JSON.stringify(await one.call('GET', path)))), [], path);
  for (const eve of eves)
    for (const [name, bytes] of await filesIn(eve.folder)) assert.deepEqual(planted(bytes), [], name);
});

/** All files of a home but the one that keeps it, of which others can read nothing. */
async function toldNobody({ home }: Bob): Promise<void> {
  let kept = 0;
  for (const [name, bytes] of await filesIn(home.path))
    if (name.startsWith(join('vault', 'bob.sqlite'))) kept += planted(bytes).includes(2) ? 1 : 0;
    else assert.deepEqual(planted(bytes), [], name);
  assert.ok(kept > 0);
}

/** Which of the planted are in it. */
function planted(bytes: Buffer): number[] {
  const key = Buffer.from(secret.key);
  const all = [PASSPHRASE, encodeURIComponent(PASSPHRASE), key, key.toString('hex'), key.toString('base64')];
  return all.flatMap((word, at) => (bytes.includes(word) ? [at] : []));
}

async function filesIn(folder: string): Promise<[string, Buffer][]> {
  const found: [string, Buffer][] = [];
  for (const file of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const path = join(file.parentPath, file.name);
    found.push([path.slice(folder.length + 1), await readFile(path)]);
  }
  return found;
}

test('what lies at an Eve with another passphrase is not written over; with the same it is gone on with', async () => {
  const [here] = peers;
  for (const one of [other, bob]) await one.call('DELETE', `${NOTES}/vault`);
  await done(bob, bob.call('POST', `${NOTES}/vault`, { eves: [here], passphrase: OTHER }));
  await assert.rejects(other.call('POST', `${NOTES}/vault`, { eves: [here] }), {
    code: 'vault_passphrase_other',
  });
  await done(other, other.call('POST', `${NOTES}/vault`, { eves: [here], passphrase: OTHER }));
  await done(bob, bob.call('POST', `${NOTES}/vault/repair`));
});

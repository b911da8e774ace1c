/** A node that was told to keeps a knowledge base where an Eve can search it; one that was not does nothing of it, whatever an Eve shows. */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openParts } from '../../src/knowledge/index.ts';
import type { FoundKb, JobView, PlacedInfo, PlacedSearchView, PlacedView } from '../../src/server/index.ts';
import { WEAK_LABEL, WEAK_WARNING } from '../../src/vault/index.ts';
import { kith, stopAll } from '../cli-support.ts';
import type { TestHome } from '../node-support.ts';
import {
  type Bob,
  bobHome,
  endEves,
  startBob,
  takeNotes,
  temporaryFolder,
  type WatchedEve,
  watchedEve,
} from '../vault/bob-and-eves.ts';

interface TestEve {
  readonly eve: WatchedEve;
  readonly folder: string;
  /** What was asked, and bytes of the questions: payloads and metadata. */
  readonly asked: string[];
  readonly saw: Uint8Array[];
}

const PLANTED = 'The blue notebook lies under the third stair.';
const WHERE = 'Where is the blue notebook?';
const PLACED = '/api/rag/kbs/notes/vault';
const SWITCHED_ON = { 'vault.perturbed': true };

let base: string;
let eves: TestEve[];
let bob: Bob;

async function eveOf(number: number): Promise<TestEve> {
  const eve = await watchedEve(number, base);
  const told: TestEve = { eve, folder: eve.folder, asked: [], saw: [] };
  eve.before = (op, { metadata, payload }) => {
    told.asked.push(op);
    told.saw.push(Uint8Array.from(payload), Buffer.from(JSON.stringify(metadata)));
  };
  return told;
}

/** Wherever the mode stands in an answer, its label and its warning stand beside it. */
function checkLabels(value: unknown): void {
  if (Array.isArray(value)) for (const one of value) checkLabels(one);
  else if (typeof value === 'object' && value !== null) {
    const fields = value as Record<string, unknown>;
    if (fields.mode === 'perturbed')
      assert.deepEqual([fields.label, fields.warning], [WEAK_LABEL, WEAK_WARNING], JSON.stringify(value));
    for (const one of Object.values(fields)) checkLabels(one);
  }
}

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const told = await bob.call<T>(method, path, body);
  checkLabels(told);
  return told;
}

const done = (job: JobView): Promise<JobView> => bob.done(job);
const watched = (): WatchedEve[] => eves.map(({ eve }) => eve);

before(async () => {
  base = await temporaryFolder();
  eves = await Promise.all([eveOf(91), eveOf(92)]);
  bob = await startBob(await bobHome(), watched(), SWITCHED_ON);
  const notes = {
    'stairs.md': `# Hidden things\n\n${PLANTED} ${'More words. '.repeat(40)}\n`,
    'tea.md': '# Tea\n\nGreen tea takes two minutes.\n',
    'lamp.md': '# Lamp\n\nThe lamp in the tower burns whale oil.\n',
  };
  await takeNotes(bob, 'notes', notes, base);
});
after(async () => {
  stopAll();
  await bob.node.close();
  await endEves(watched());
  await bob.home.remove();
  await rm(base, { recursive: true, force: true });
});

const peers = () => watched().map(({ peer }) => peer);
const find = (query: string, more: object = {}) =>
  call<PlacedSearchView>('POST', `${PLACED}/search`, { query, k: 3, ...more });

test('switched on, an Eve searches it, finds what a search here does, and sees no text; every view says that it is weak', async () => {
  await done(await call('POST', PLACED, { eves: peers(), mode: 'perturbed' }));
  const info = await call<PlacedInfo>('GET', PLACED);
  assert.deepEqual([info.mode, info.label, info.stale], ['perturbed', 'weak', false]);
  const { placed } = await call<{ placed: PlacedView[] }>('GET', '/api/rag/vault');
  assert.deepEqual(
    placed.map(({ mode, label }) => [mode, label]),
    [['perturbed', 'weak']],
  );
  const { found } = await call<{ found: FoundKb[] }>('POST', '/api/rag/vault/find', { peers: peers() });
  assert.deepEqual(
    found.map(({ mode, label }) => [mode, label]),
    [['perturbed', 'weak']],
  );
  for (const eve of eves) eve.asked.length = 0;
  for (const query of [WHERE, 'How long does tea take?', 'quiet rivers']) {
    const local = await call<{ hits: { path: string; text: string; place: object }[] }>(
      ...(['POST', '/api/rag/kbs/notes/search', { query, k: 3, mode: 'vectors', diversity: 0 }] as const),
    );
    const { hits, label, learned, bytesUp, bytesDown } = await find(query);
    assert.deepEqual(
      hits.map(({ path, text, place }) => [path, text, place]),
      local.hits.map(({ path, text, place }) => [path, text, place]),
    );
    assert.ok(label === 'weak' && learned.length > 0 && bytesUp > 0 && bytesDown > 0);
  }
  // As a machine asks that knows nothing of it but an Eve.
  assert.ok((await find(WHERE, { eves: [peers()[1]] })).hits[0]!.text.includes(PLANTED));
  assert.ok(eves.some(({ asked }) => asked.includes('nearest')));
  const words = ['notebook', 'stairs.md', 'Green tea', 'whale', 'notes', 'perturbed/'];
  for (const { folder, saw } of eves) {
    const files = await readdir(folder, { recursive: true, withFileTypes: true });
    const disk = await Promise.all(
      files.filter((file) => file.isFile()).map((file) => readFile(join(file.parentPath, file.name))),
    );
    for (const bytes of [...disk, ...saw])
      for (const word of words) assert.ok(!Buffer.from(bytes).includes(word), word);
  }
});

test('the command line says so, too', async () => {
  const say = (...args: string[]) => kith([...args, '--home', bob.home.path]);
  const shown = await Promise.all([
    say('vpk', 'tenant', 'info', 'notes'),
    say('vpk', 'search', 'notes', WHERE, '--verbose'),
  ]);
  for (const { code, out, err } of shown) {
    assert.equal(code, 0, err);
    assert.match(out + err, /perturbed \(weak\)/);
    assert.match(err, /hides text from casual inspection, not from the operator/);
  }
  assert.match(shown[1]!.out, /blue notebook/);
});

test('a machine with the key where it is switched off asks nothing in this mode whatever Eves show, and makes the same of it', async () => {
  const elsewhere = await bobHome(bob.home);
  const key = bob.home;
  await bob.node.close();
  bob = await startBob(elsewhere, watched());
  await assert.rejects(
    call('POST', PLACED, { eves: peers(), mode: 'perturbed' }),
    (error: Error & { code?: string }) => {
      assert.equal(error.code, 'vault_perturbed_off');
      assert.match(error.message, /kith config set vault\.perturbed true/);
      return true;
    },
  );
  for (const eve of eves) eve.asked.length = 0;
  // The head that the Eve shows says perturbed: so does one that she shows again after it was placed otherwise.
  const off = { code: 'vault_perturbed_off' };
  await assert.rejects(find(WHERE, { eves: [peers()[1]] }), off);
  await done(await call('POST', '/api/rag/vault/restore/notes', { source: 'notes', eves: [peers()[1]] }));
  const partsAt = (home: TestHome) => {
    using parts = openParts(join(home.path, 'knowledge', 'notes.sqlite'));
    // Which folders it follows is of the machine.
    const own = [...parts.names()].filter((part) => !part.startsWith('table/meta/'));
    return own.map((part) => `${part} ${hash('sha256', parts.read(part)!)}`);
  };
  assert.ok(partsAt(key).length > 3);
  assert.deepEqual(partsAt(elsewhere), partsAt(key));
  await assert.rejects(find(WHERE), off);
  await assert.rejects(call('POST', `${PLACED}/eves`, { add: [], drop: [] }), off);
  const job = await bob.ended(await call('POST', `${PLACED}/sync`));
  assert.deepEqual([job.state, job.error?.code], ['failed', 'vault_perturbed_off']);
  assert.ok(eves.every(({ asked }) => !asked.includes('nearest') && !asked.includes('put')));
  // That it is weak is said of what is there in any case.
  assert.equal((await call<PlacedInfo>('GET', PLACED)).label, 'weak');
  await key.remove();
});

test('switched off, it can be moved to another mode, and not back', async () => {
  const blocks = async () => (await eves[0]!.eve.host.tenants())[0]!.blocks;
  const had = await blocks();
  const move = (mode: string) => call<JobView>('POST', `${PLACED}/eves`, { add: [], drop: [], mode });
  await done(await move('sealed'));
  const { mode, label, warning } = await call<PlacedInfo>('GET', PLACED);
  assert.deepEqual([mode, label, warning], ['sealed', null, null]);
  assert.ok((await blocks()) <= had, `${had} blocks, ${await blocks()} now`);
  await assert.rejects(move('perturbed'), { code: 'vault_perturbed_off' });
  for (const eve of eves) eve.asked.length = 0;
  assert.ok((await find(WHERE)).hits[0]!.text.includes(PLANTED));
  assert.ok(eves.every(({ asked }) => !asked.includes('nearest')));
});

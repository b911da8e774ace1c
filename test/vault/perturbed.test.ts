/** A node that was told to keeps a knowledge base where an Eve can search it; one that was not does nothing of it, whatever an Eve shows. */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setInFile, silentLogger } from '../../src/base/index.ts';
import { openParts } from '../../src/knowledge/index.ts';
import type { Node } from '../../src/node/index.ts';
import type { FoundKb, JobView, PlacedInfo, PlacedSearchView, PlacedView } from '../../src/server/index.ts';
import {
  createEveHost,
  type EveHost,
  VAULT_METHOD,
  WEAK_LABEL,
  WEAK_WARNING,
} from '../../src/vault/index.ts';
import { kith, stopAll } from '../cli-support.ts';
import { createHome, startNode, type TestHome } from '../node-support.ts';
import { type Member, startMember } from '../swarm/members.ts';
import { until } from '../swarm-support.ts';

interface TestEve extends Member {
  readonly host: EveHost;
  readonly folder: string;
  /** What was asked, and bytes of the questions: payloads and metadata. */
  readonly asked: string[];
  readonly saw: Uint8Array[];
}

interface At {
  readonly node: Node;
  readonly home: TestHome;
}

const PLANTED = 'The blue notebook lies under the third stair.';
const WHERE = 'Where is the blue notebook?';
const PLACED = '/api/rag/kbs/notes/vault';
const SWITCHED_ON = { 'vault.perturbed': true };

let base: string;
let eves: TestEve[];
let bob: At;

async function eveOf(number: number): Promise<TestEve> {
  const member = await startMember(number, { gate: { tierOf: () => 'trusted' } });
  const folder = join(base, `eve-${number}`);
  const host = createEveHost({
    ...{ folder, capacityBytes: 1e9, largestBytes: 5e8, days: 90, graceDays: 30, reserveBytes: 0 },
    log: silentLogger,
  });
  const eve: TestEve = Object.assign(member, { host, folder, asked: [], saw: [] });
  (member.swarm as { handle: Member['swarm']['handle'] }).handle(VAULT_METHOD, {
    caps: { maxPayloadBytes: 4 << 20, maxMetadataBytes: 48 << 10, maxConcurrent: 8 },
    async handler({ peer, metadata, payload }) {
      eve.asked.push(String(metadata.op));
      eve.saw.push(Uint8Array.from(payload), Buffer.from(JSON.stringify(metadata)));
      return host.answer({ peer, welcome: true, metadata, payload });
    },
  });
  return eve;
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

async function call<T>(method: string, path: string, body?: unknown, at: At = bob): Promise<T> {
  const { token } = JSON.parse(await readFile(join(at.home.path, 'run', 'node.json'), 'utf8')) as {
    token: string;
  };
  const response = await fetch(`${at.node.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const told = (await response.json()) as T & { error?: { code: string; message: string } };
  if (!response.ok) throw Object.assign(new Error(told.error?.message), { code: told.error?.code });
  checkLabels(told);
  return told;
}

async function ended(job: JobView, at: At = bob): Promise<JobView> {
  for (
    let now = job;
    ;
    now = await call<JobView>('GET', `/api/rag/kbs/${now.kb}/jobs/${now.id}?seen=${now.step}`, undefined, at)
  )
    if (now.state !== 'waiting' && now.state !== 'running') return now;
}

async function done(job: JobView, at: At = bob): Promise<JobView> {
  const end = await ended(job, at);
  assert.equal(end.state, 'done', JSON.stringify(end.error));
  return end;
}

async function started(home: TestHome, flags: Readonly<Record<string, unknown>> = {}): Promise<At> {
  const at = { home, node: await startNode(home, flags) };
  for (const { swarm } of eves)
    await until(
      () =>
        call('POST', '/kith/v1/swarm/connect', { target: swarm.addresses[0] }, at).then(
          () => true,
          () => false,
        ),
      (connected) => connected,
    );
  return at;
}

async function homeWith(identityOf?: TestHome): Promise<TestHome> {
  const made = await createHome();
  if (identityOf !== undefined) {
    await rm(join(made.path, 'identity'), { recursive: true, force: true });
    await cp(join(identityOf.path, 'identity'), join(made.path, 'identity'), { recursive: true });
  }
  const settings = {
    ...{ 'swarm.enabled': true, 'swarm.network': 'lan', 'swarm.listen': '/ip4/127.0.0.1/tcp/0' },
    'swarm.connectionsPerSecond': 1000,
  };
  for (const [key, value] of Object.entries(settings)) await setInFile(made.path, key, value);
  return made;
}

before(async () => {
  base = await mkdtemp(join(tmpdir(), 'kith-perturbed-node-'));
  eves = await Promise.all([eveOf(91), eveOf(92)]);
  bob = await started(await homeWith(), SWITCHED_ON);
  const folder = join(base, 'notes');
  await mkdir(folder);
  await writeFile(join(folder, 'stairs.md'), `# Hidden things\n\n${PLANTED} ${'More words. '.repeat(40)}\n`);
  await writeFile(join(folder, 'tea.md'), '# Tea\n\nGreen tea takes two minutes.\n');
  await writeFile(join(folder, 'lamp.md'), '# Lamp\n\nThe lamp in the tower burns whale oil.\n');
  await call('POST', '/api/rag/kbs', { name: 'notes' });
  await done(
    await call('POST', '/api/rag/kbs/notes/ingest', {
      paths: ['stairs.md', 'tea.md', 'lamp.md'].map((name) => join(folder, name)),
    }),
  );
});
after(async () => {
  stopAll();
  await bob.node.close();
  for (const eve of eves) {
    await eve[Symbol.asyncDispose]();
    await eve.host[Symbol.asyncDispose]();
  }
  await bob.home.remove();
  await rm(base, { recursive: true, force: true });
});

const peers = () => eves.map(({ peer }) => peer);
const find = (query: string, at: At = bob, more: object = {}) =>
  call<PlacedSearchView>('POST', `${PLACED}/search`, { query, k: 3, ...more }, at);

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
  assert.ok((await find(WHERE, bob, { eves: [peers()[1]] })).hits[0]!.text.includes(PLANTED));
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
  const shown = [
    await say('vpk', 'tenant', 'list'),
    await say('vpk', 'tenant', 'info', 'notes'),
    await say('vpk', 'resolve', ...peers()),
    await say('vpk', 'search', 'notes', WHERE, '--verbose'),
  ];
  for (const { code, out, err } of shown) {
    assert.equal(code, 0, err);
    assert.match(out + err, /perturbed \(weak\)/);
    assert.match(err, /hides text from casual inspection, not from the operator/);
  }
  assert.match(shown[3]!.out, /blue notebook/);
});

test('a machine with the key where it is switched off asks nothing in this mode whatever Eves show, and makes the same of it', async () => {
  const elsewhere = await homeWith(bob.home);
  const key = bob.home;
  await bob.node.close();
  bob = await started(elsewhere);
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
  await assert.rejects(find(WHERE, bob, { eves: [peers()[1]] }), off);
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
  const job = await ended(await call('POST', `${PLACED}/sync`));
  assert.deepEqual([job.state, job.error?.code], ['failed', 'vault_perturbed_off']);
  assert.ok(eves.every(({ asked }) => !asked.includes('nearest') && !asked.includes('put')));
  // That it is weak is said of what is there in any case.
  assert.equal((await call<PlacedInfo>('GET', PLACED)).label, 'weak');
  await key.remove();
});

test('switched off, it can be moved to another mode, and not back', async () => {
  const blocks = async () => (await eves[0]!.host.tenants())[0]!.blocks;
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

/** A node keeps a knowledge base on the disks of two Eves, and another machine with its key makes it again. */
import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setInFile, silentLogger } from '../../src/base/index.ts';
import type { Node } from '../../src/node/index.ts';
import type {
  CheckView,
  EveView,
  FoundKb,
  JobView,
  KbView,
  PlacedInfo,
  StorageView,
} from '../../src/server/index.ts';
import { createEveHost, type EveHost, VAULT_METHOD } from '../../src/vault/index.ts';
import { createHome, startNode, type TestHome } from '../node-support.ts';
import { type Member, startMember } from '../swarm/members.ts';
import { until } from '../swarm-support.ts';

interface TestEve extends Member {
  readonly host: EveHost;
  readonly folder: string;
  up: boolean;
}

let home: TestHome;
let node: Node;
let eves: TestEve[];
let base: string;

const LISTEN = { 'swarm.enabled': true, 'swarm.network': 'lan', 'swarm.listen': '/ip4/127.0.0.1/tcp/0' };
const PLANTED = 'The blue notebook lies under the third stair.';

async function eveOf(number: number): Promise<TestEve> {
  const member = await startMember(number, { gate: { tierOf: () => 'trusted' } });
  const folder = join(base, `eve-${number}`);
  const host = createEveHost({
    ...{ folder, capacityBytes: 1e9, largestBytes: 5e8, days: 90, graceDays: 30, reserveBytes: 0 },
    log: silentLogger,
  });
  const eve: TestEve = Object.assign(member, { host, folder, up: true });
  (member.swarm as { handle: Member['swarm']['handle'] }).handle(VAULT_METHOD, {
    caps: { maxPayloadBytes: 4 << 20, maxMetadataBytes: 48 << 10, maxConcurrent: 8 },
    async handler({ peer, metadata, payload }) {
      if (!eve.up) throw new Error('She is away.');
      return host.answer({ peer, welcome: true, metadata, payload });
    },
  });
  return eve;
}

async function call<T>(method: string, path: string, body?: unknown, of = { node, home }): Promise<T> {
  const { token } = JSON.parse(await readFile(join(of.home.path, 'run', 'node.json'), 'utf8')) as {
    token: string;
  };
  const response = await fetch(`${of.node.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const told = (await response.json()) as T & { error?: { code: string; message: string } };
  if (!response.ok) throw Object.assign(new Error(told.error?.message), { code: told.error?.code });
  return told;
}

async function ended(job: JobView): Promise<JobView> {
  for (
    let now = job;
    ;
    now = await call<JobView>('GET', `/api/rag/kbs/${now.kb}/jobs/${now.id}?seen=${now.step}`)
  )
    if (now.state !== 'waiting' && now.state !== 'running') return now;
}

/** Whoever starts knows the Eves by their addresses. */
async function introduce(to: Node, at: TestHome): Promise<void> {
  for (const eve of eves)
    await until(
      () =>
        call(
          'POST',
          '/kith/v1/swarm/connect',
          { target: eve.swarm.addresses[0] },
          { node: to, home: at },
        ).then(
          () => true,
          () => false,
        ),
      (connected) => connected,
    );
}

async function homeWith(identityOf?: TestHome): Promise<TestHome> {
  const made = await createHome();
  if (identityOf !== undefined) {
    await rm(join(made.path, 'identity'), { recursive: true, force: true });
    await cp(join(identityOf.path, 'identity'), join(made.path, 'identity'), { recursive: true });
  }
  for (const [key, value] of Object.entries({ ...LISTEN, 'swarm.connectionsPerSecond': 1000 }))
    await setInFile(made.path, key, value);
  return made;
}

before(async () => {
  base = await mkdtemp(join(tmpdir(), 'kith-vault-'));
  home = await homeWith();
  eves = await Promise.all([eveOf(81), eveOf(82)]);
  node = await startNode(home);
  await introduce(node, home);
  const folder = join(base, 'notes');
  await mkdir(folder);
  await writeFile(join(folder, 'stairs.md'), `# Hidden things\n\n${PLANTED} ${'More words. '.repeat(40)}\n`);
  await writeFile(join(folder, 'tea.md'), '# Tea\n\nGreen tea takes two minutes.\n');
  await call('POST', '/api/rag/kbs', { name: 'notes' });
  const jobs = await call<{ jobs: JobView[] } | JobView>('POST', '/api/rag/kbs/notes/ingest', {
    paths: [join(folder, 'stairs.md'), join(folder, 'tea.md')],
  });
  for (const job of 'jobs' in jobs ? jobs.jobs : [jobs]) assert.equal((await ended(job)).state, 'done');
});
after(async () => {
  await node.close();
  for (const eve of eves) {
    await eve[Symbol.asyncDispose]();
    await eve.host[Symbol.asyncDispose]();
  }
  await home.remove();
  await rm(base, { recursive: true, force: true });
});

const peers = () => eves.map(({ peer }) => peer);

test('Eves that are asked say what they lend', async () => {
  const { eves: told } = await call<{ eves: EveView[] }>('POST', '/api/rag/vault/discover', {
    peers: peers(),
  });
  assert.deepEqual(
    told.map(({ peer, open, largestBytes }) => [peer, open, largestBytes]),
    peers().map((peer) => [peer, true, 5e8]),
  );
  await assert.rejects(call('GET', '/api/rag/kbs/notes/vault'), { code: 'vault_not_kept' });
});

test('a knowledge base is placed, kept up to date, checked and repaired', async () => {
  const placed = await ended(await call('POST', '/api/rag/kbs/notes/vault', { eves: peers() }));
  assert.equal(placed.state, 'done', JSON.stringify(placed.error));
  const info = await call<PlacedInfo>('GET', '/api/rag/kbs/notes/vault');
  assert.deepEqual([info.mode, info.replicas, info.number, info.stale], ['sealed', 2, 1, false]);
  assert.ok(info.tenants.every(({ state, blocks }) => state === 'open' && blocks! > 0));
  await assert.rejects(call('POST', '/api/rag/kbs/notes/vault', { eves: peers() }), { code: 'vault_placed' });
  const { eves: sound } = await call<CheckView>('POST', '/api/rag/kbs/notes/vault/check', { questions: 5 });
  assert.ok(sound.every(({ asked, failed }) => asked === 5 && failed === 0));
  for (const { folder } of eves)
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
      if (entry.isFile())
        for (const word of ['notebook', 'stairs.md', 'Green tea', 'notes'])
          assert.ok(
            !(await readFile(join(entry.parentPath, entry.name))).includes(word),
            `${word} in ${entry.name}`,
          );
  const again = await ended(await call('POST', '/api/rag/kbs/notes/vault/sync'));
  assert.deepEqual([again.state, again.progress.totals.bytes], ['done', 0]);
  const repaired = await ended(await call('POST', '/api/rag/kbs/notes/vault/repair'));
  assert.deepEqual([repaired.state, repaired.progress.totals.done], ['done', 0]);
});

test('another machine with the key and one Eve makes it again, and its answers are the same', async () => {
  const question = { query: 'Where is the blue notebook?', k: 3 };
  interface Found {
    readonly hits: readonly { readonly path: string; readonly text: string; readonly score: number }[];
  }
  const before = await call<Found>('POST', '/api/rag/kbs/notes/search', question);
  const key = home;
  await node.close();
  const elsewhere = await homeWith(key);
  const other = await startNode(elsewhere);
  try {
    await introduce(other, elsewhere);
    const there = { node: other, home: elsewhere };
    eves[0]!.up = false;
    const { found } = await call<{ found: FoundKb[] }>(
      ...(['POST', '/api/rag/vault/find', { peers: [eves[1]!.peer] }, there] as const),
    );
    assert.deepEqual(
      found.map(({ name, at }) => [name, at]),
      [['notes', [eves[1]!.peer]]],
    );
    const restored = await call<KbView>(
      ...([
        'POST',
        '/api/rag/vault/restore/mine',
        { source: 'notes', eves: [eves[1]!.peer] },
        there,
      ] as const),
    );
    assert.equal(restored.contents?.documents, 2);
    const after = await call<Found>('POST', '/api/rag/kbs/mine/search', question, there);
    assert.deepEqual(
      after.hits.map(({ path, text, score }) => [path, text, score]),
      before.hits.map(({ path, text, score }) => [path, text, score]),
    );
    await assert.rejects(
      call('POST', '/api/rag/vault/restore/none', { source: 'nothing', eves: [eves[1]!.peer] }, there),
      { code: 'vault_not_found' },
    );
    const view = await call<StorageView>('GET', '/kith/v1/storage', undefined, there);
    assert.equal(view.enabled, false);
    eves[0]!.up = true;
    const gone = await call<{ gone: string[] }>('DELETE', '/api/rag/kbs/mine/vault', undefined, there);
    assert.deepEqual(gone.gone.toSorted(), peers().toSorted());
    assert.deepEqual(await eves[0]!.host.tenants(), []);
  } finally {
    await other.close();
    await elsewhere.remove();
  }
});

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
  PlacedSearchView,
  PlacedView,
  StorageView,
} from '../../src/server/index.ts';
import { createEveHost, type EveHost, REVIEW_WARNING, VAULT_METHOD } from '../../src/vault/index.ts';
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

async function ended(job: JobView, at = { node, home }): Promise<JobView> {
  for (
    let now = job;
    ;
    now = await call<JobView>(
      ...(['GET', `/api/rag/kbs/${now.kb}/jobs/${now.id}?seen=${now.step}`, undefined, at] as const),
    )
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
  eves = await Promise.all([eveOf(81), eveOf(82), eveOf(83)]);
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
const two = () => peers().slice(0, 2);

async function notOnDisks(words: readonly string[]): Promise<void> {
  for (const { folder } of eves)
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
      if (entry.isFile())
        for (const word of words)
          assert.ok(
            !(await readFile(join(entry.parentPath, entry.name))).includes(word),
            `${word} in ${entry.name}`,
          );
}

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
  const placed = await ended(await call('POST', '/api/rag/kbs/notes/vault', { eves: two() }));
  assert.equal(placed.state, 'done', JSON.stringify(placed.error));
  const info = await call<PlacedInfo>('GET', '/api/rag/kbs/notes/vault');
  assert.deepEqual([info.mode, info.replicas, info.number, info.stale], ['sealed', 2, 1, false]);
  assert.ok(info.tenants.every(({ state, blocks }) => state === 'open' && blocks! > 0));
  await assert.rejects(call('POST', '/api/rag/kbs/notes/vault', { eves: two() }), { code: 'vault_placed' });
  const { eves: sound } = await call<CheckView>('POST', '/api/rag/kbs/notes/vault/check', { questions: 5 });
  assert.ok(sound.every(({ asked, failed }) => asked === 5 && failed === 0));
  await notOnDisks(['notebook', 'stairs.md', 'Green tea', 'notes']);
  const left = join(home.path, 'knowledge', 'notes.sqlite.0123456789ab.tmp');
  await writeFile(left, 'what a killed node left');
  const again = await ended(await call('POST', '/api/rag/kbs/notes/vault/sync'));
  assert.deepEqual([again.state, again.progress.totals.bytes], ['done', 0]);
  await assert.rejects(readFile(left), { code: 'ENOENT' });
  for (const [name, code] of [
    ['..%2Felsewhere', 'kb_name_invalid'],
    ['notes', 'kb_exists'],
  ])
    await assert.rejects(call('POST', `/api/rag/vault/restore/${name}`, { source: 'notes', eves: peers() }), {
      code,
    });
  const repaired = await ended(await call('POST', '/api/rag/kbs/notes/vault/repair'));
  assert.deepEqual([repaired.state, repaired.progress.totals.done], ['done', 0]);
});

const WHERE = 'Where is the blue notebook?';
const operated = () => [`Ada=${eves[0]!.peer}`, `Ben=${eves[1]!.peer}`, `Ben=${eves[2]!.peer}`];

test('a sealed one is searched here by its index, from any machine with the key, and nothing else is fetched', async () => {
  const find = (query: string, more = {}, of = { node, home }) =>
    call<PlacedSearchView>('POST', '/api/rag/kbs/notes/vault/search', { query, k: 5, ...more }, of);
  interface Local {
    readonly hits: readonly {
      readonly path: string;
      readonly title: string;
      readonly text: string;
      readonly place: object;
      readonly vector: { readonly score: number } | null;
    }[];
  }
  for (const query of [WHERE, 'How long does tea take?', 'quiet rivers']) {
    const { hits } = await call<Local>(
      ...(['POST', '/api/rag/kbs/notes/search', { query, k: 5, mode: 'vectors', diversity: 0 }] as const),
    );
    const found = await find(query);
    assert.deepEqual(
      found.hits.map(({ path, title, text, place, score }) => [path, title, text, place, score]),
      hits.map(({ path, title, text, place, vector }) => [path, title, text, place, vector?.score]),
    );
    assert.deepEqual([found.mode, found.warning, found.number], ['sealed', null, 2]);
  }
  const again = await find(WHERE);
  assert.deepEqual([again.bytesUp, again.bytesDown], [0, 0]);
  assert.match(again.learned[0]!, /No Eve was asked/);
  const tea = await find(WHERE, { filter: { globs: ['tea*'] } });
  assert.ok(tea.hits.length > 0 && tea.hits.every(({ path }) => path === 'tea.md'));
  await assert.rejects(find(WHERE, { filter: { tags: ['a'] } }), { code: 'unknown_parameter' });
  const elsewhere = await homeWith(home);
  const other = await startNode(elsewhere);
  const there = { node: other, home: elsewhere };
  try {
    await introduce(other, elsewhere);
    eves[1]!.up = false;
    const { hits, bytesDown } = await find(WHERE, { eves: [eves[0]!.peer] }, there);
    assert.deepEqual(hits, again.hits);
    assert.ok(bytesDown > 0);
    for (const entry of await readdir(elsewhere.path, { recursive: true, withFileTypes: true }))
      if (entry.isFile())
        assert.ok(!(await readFile(join(entry.parentPath, entry.name))).includes(PLANTED), entry.name);
  } finally {
    eves[1]!.up = true;
    await other.close();
    await elsewhere.remove();
  }
  await notOnDisks(['notebook', 'stairs.md', 'Green tea', 'compact/']);
});

test('in the mode split two operators search it, who learn neither question nor passages', async () => {
  await call('DELETE', '/api/rag/kbs/notes/vault');
  const place = '/api/rag/kbs/notes/vault';
  for (const bad of [peers(), operated().slice(1), [operated()[0], peers()[1]]])
    await assert.rejects(call('POST', place, { eves: bad, mode: 'split' }), { code: 'split_operators' });
  const placed = await ended(await call('POST', place, { eves: operated(), mode: 'split' }));
  assert.equal(placed.state, 'done', JSON.stringify(placed.error));
  const { placed: all } = await call<{ placed: PlacedView[] }>('GET', '/api/rag/vault');
  assert.deepEqual(
    all.map(({ mode, warning }) => [mode, warning]),
    [['split', REVIEW_WARNING]],
  );
  const find = (query: string) =>
    call<PlacedSearchView>('POST', '/api/rag/kbs/notes/vault/search', { query, k: 5 });
  for (const query of [WHERE, 'How long does tea take?', 'quiet rivers']) {
    const local = await call<{ hits: { path: string; text: string; place: object }[] }>(
      ...(['POST', '/api/rag/kbs/notes/search', { query, k: 5, mode: 'vectors', diversity: 0 }] as const),
    );
    const { hits, bytesUp, bytesDown, learned, warning } = await find(query);
    assert.deepEqual(
      hits.map(({ path, text, place }) => [path, text, place]),
      local.hits.map(({ path, text, place }) => [path, text, place]),
    );
    assert.ok(bytesUp > 0 && bytesDown > 0 && learned.length > 0 && warning === REVIEW_WARNING);
  }
  await notOnDisks(['notebook', 'stairs.md', 'Green tea', 'notes', 'split/']);
  const before = await find(WHERE);
  eves[1]!.up = false;
  assert.deepEqual((await find(WHERE)).hits, before.hits);
  // Of the other operator nobody is left: no half of the question goes anywhere else.
  eves[2]!.up = false;
  await assert.rejects(find(WHERE), { code: 'vault_unreachable' });
  for (const eve of eves) eve.up = true;
});

test('what is searched follows the knowledge base, and is not made again when nothing changed', async () => {
  const sync = async () => {
    const job = await ended(await call('POST', '/api/rag/kbs/notes/vault/sync'));
    assert.equal(job.state, 'done', JSON.stringify(job.error));
    return job.progress.totals.bytes;
  };
  assert.equal(await sync(), 0);
  const had = await eves[0]!.host.tenants();
  const file = join(base, 'notes', 'lamp.md');
  await writeFile(file, '# Lamp\n\nThe lamp in the tower burns whale oil.\n');
  const job = await call<JobView>('POST', '/api/rag/kbs/notes/ingest', { paths: [file] });
  assert.equal((await ended(job)).state, 'done');
  assert.ok((await sync()) > 0);
  const { hits, number } = await call<PlacedSearchView>('POST', '/api/rag/kbs/notes/vault/search', {
    ...{ query: 'What does the lamp burn?', k: 1 },
  });
  assert.deepEqual(
    [hits.map(({ path, title }) => [path, title.includes('Lamp')]), number],
    [[['lamp.md', true]], 3],
  );
  // Blocks of the former state are gone.
  const has = await eves[0]!.host.tenants();
  assert.equal(has.length, had.length);
  assert.ok(has[0]!.blocks <= had[0]!.blocks + 1, `${had[0]!.blocks} to ${has[0]!.blocks}`);
});

test('the only Eve that has it does not go before another has it', async () => {
  await call('POST', '/api/rag/kbs', { name: 'single' });
  const of = '/api/rag/kbs/single/vault';
  const [first, second] = peers();
  assert.equal((await ended(await call('POST', of, { eves: [first] }))).state, 'done');
  await assert.rejects(call('POST', `${of}/eves`, { add: [second], drop: [first] }), {
    code: 'vault_no_eves',
  });
  assert.equal((await ended(await call('POST', `${of}/eves`, { add: [second] }))).state, 'done');
  const { replicas, tenants } = await call<PlacedInfo>('GET', of);
  assert.equal(replicas, 2);
  assert.deepEqual(tenants[0]!.blocks, tenants[1]!.blocks);
  await call('DELETE', of);
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
    // With the key alone, and nothing of the knowledge base here.
    const { hits } = await call<PlacedSearchView>(
      ...([
        'POST',
        '/api/rag/kbs/notes/vault/search',
        { query: WHERE, k: 1, eves: [eves[1]!.peer] },
        there,
      ] as const),
    );
    assert.ok(hits[0]!.text.includes(PLANTED));
    eves[0]!.up = false;
    const { found } = await call<{ found: FoundKb[] }>(
      ...(['POST', '/api/rag/vault/find', { peers: [eves[1]!.peer] }, there] as const),
    );
    assert.deepEqual(
      found.map(({ name, at }) => [name, at]),
      [['notes', [eves[1]!.peer]]],
    );
    const made = await ended(
      await call<JobView>(
        ...([
          'POST',
          '/api/rag/vault/restore/mine',
          { source: 'notes', eves: [eves[1]!.peer] },
          there,
        ] as const),
      ),
      there,
    );
    assert.equal(made.state, 'done', JSON.stringify(made.error));
    assert.equal(made.progress.totals.done, made.progress.of);
    const restored = await call<KbView>('GET', '/api/rag/kbs/mine', undefined, there);
    assert.equal(restored.contents?.documents, 3);
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
    // What it goes on from is what it fetched: nobody else's, that stood there meanwhile.
    const synced = await ended(await call('POST', '/api/rag/kbs/mine/vault/sync', {}, there), there);
    assert.deepEqual([synced.state, synced.progress.failures], ['done', []]);
    const gone = await call<{ gone: string[] }>('DELETE', '/api/rag/kbs/mine/vault', undefined, there);
    assert.deepEqual(gone.gone.toSorted(), peers().toSorted());
    assert.deepEqual(await eves[0]!.host.tenants(), []);
  } finally {
    await other.close();
    await elsewhere.remove();
  }
});

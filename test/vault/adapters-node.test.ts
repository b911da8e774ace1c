/** A node keeps the vectors of a knowledge base in engines of its owner's: PGlite with pgvector, and the recorded contract of Qdrant. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Node } from '../../src/node/index.ts';
import type {
  EngineInfo,
  EngineSearchView,
  EngineView,
  JobView,
  SearchView,
} from '../../src/server/index.ts';
import { startPostgres, type TestPostgres } from '../engines/postgres.ts';
import { QdrantRecordedContractFake } from '../engines/qdrant-fake.ts';
import { createHome, startNode, type TestHome } from '../node-support.ts';

const PLANTED = 'The blue notebook lies under the third stair.';
const PASSWORD = 'planted-password';
const KEY = 'planted-qdrant-key';

let home: TestHome;
let node: Node;
let base: string;
let postgres: TestPostgres;
let qdrant: QdrantRecordedContractFake;
let qdrantUrl: string;

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const { token } = JSON.parse(await readFile(join(home.path, 'run', 'node.json'), 'utf8')) as {
    token: string;
  };
  const response = await fetch(`${node.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  assert.ok(!text.includes(PASSWORD) && !text.includes(KEY), `${method} ${path} repeats a credential`);
  const told = JSON.parse(text) as T & { error?: { code: string; message: string } };
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

async function done(job: Promise<JobView>): Promise<JobView> {
  const now = await ended(await job);
  assert.equal(now.error, null);
  assert.equal(now.state, 'done');
  return now;
}

async function put(name: string, text: string): Promise<void> {
  const path = join(base, name);
  await writeFile(path, text);
  await done(call('POST', '/api/rag/kbs/notes/ingest', { paths: [path] }));
}

const query = (wishes: object = {}): Promise<SearchView> =>
  call('POST', '/api/rag/kbs/notes/search', { query: 'blue notebook', mode: 'vectors', k: 5, ...wishes });
const engineStep = ({ steps }: SearchView) => steps.find(({ name }) => name === 'engine');
const pathsOf = ({ hits }: Pick<SearchView, 'hits'>): string[] => hits.map(({ path }) => path);

before(async () => {
  base = await mkdtemp(join(tmpdir(), 'kith-engine-'));
  await mkdir(base, { recursive: true });
  home = await createHome();
  postgres = await startPostgres();
  qdrant = new QdrantRecordedContractFake(KEY);
  qdrantUrl = await qdrant.listen();
  node = await startNode(home);
  await call('POST', '/api/rag/kbs', { name: 'notes' });
});
after(async () => {
  await node.close();
  await home.remove();
  await postgres[Symbol.asyncDispose]();
  await qdrant[Symbol.asyncDispose]();
  await rm(base, { recursive: true, force: true });
});

test('an engine is refused for what has no vectors, and searches tell that none is connected', async () => {
  await assert.rejects(call('POST', '/api/rag/kbs/notes/engine', { url: postgres.url }), {
    code: 'engine_no_vectors',
  });
  await put('stairs.md', `# Hidden things\n\n${PLANTED}\n`);
  await put('tea.md', '# Tea\n\nGreen tea takes two minutes.\n');
  await put('roof.md', '# Roof\n\nThe tiles of the roof are red.\n');
  await assert.rejects(call('GET', '/api/rag/kbs/notes/engine'), { code: 'engine_not_connected' });
  const found = await query({ engine: true });
  assert.equal(engineStep(found)?.code, 'nobody');
  assert.equal(found.hits.length, 3);
  assert.equal(engineStep(await query()), undefined);
});

test('PostgreSQL gets the vectors, with sealed texts, and searches find by it what they find here', async () => {
  const here = await query();
  await assert.rejects(
    call('POST', '/api/rag/kbs/notes/engine', { url: 'postgres://a@127.0.0.1:1/b', secret: PASSWORD }),
    { code: 'engine_unreachable' },
  );
  const job = await done(call('POST', '/api/rag/kbs/notes/engine', { url: postgres.url }));
  assert.equal(job.progress.totals.done, 3);
  const file = join(home.path, 'vault', 'engines.json');
  if (process.platform !== 'win32') assert.equal((await stat(file)).mode & 0o777, 0o600);
  const { engines } = await call<{ engines: EngineView[] }>('GET', '/api/rag/engines');
  assert.deepEqual(
    engines.map(({ kb, points, stale, search }) => ({ kb, points, stale, search })),
    [{ kb: 'notes', points: 3, stale: false, search: false }],
  );
  const info = await call<EngineInfo>('GET', '/api/rag/kbs/notes/engine');
  assert.match(info.about ?? '', /^PostgreSQL \d+.*, pgvector 0\.[89]/u);
  assert.equal(info.count, 3);

  // Not asked for, not asked.
  assert.equal(engineStep(await query()), undefined);
  const there = await query({ engine: true });
  assert.equal(engineStep(there)?.status, 'used');
  assert.deepEqual(
    there.hits.map(({ id, score }) => ({ id, score })),
    here.hits.map(({ id, score }) => ({ id, score })),
  );
  const filtered = await query({ engine: true, filter: { paths: ['tea.md'] } });
  assert.deepEqual(pathsOf(filtered), ['tea.md']);
  assert.equal(engineStep(filtered)?.status, 'used');

  const alone = await call<EngineSearchView>('POST', '/api/rag/kbs/notes/engine/search', {
    query: 'Where is the blue notebook?',
  });
  assert.equal(alone.hits[0]?.path, 'stairs.md');
  assert.ok(alone.hits[0]?.text.includes(PLANTED));
  assert.equal(alone.damaged, 0);

  const { rows } = await postgres.database.query<{ row: string }>(
    `SELECT row_to_json(t)::text AS row FROM kith."points_${info.collection}" AS t`,
  );
  const dump = rows.map(({ row }) => row).join('\n');
  assert.equal(rows.length, 3);
  for (const word of [PLANTED, Buffer.from(PLANTED).toString('hex'), 'stairs.md', 'notes', 'Tea'])
    assert.ok(!dump.includes(word), `${word} lies in the engine`);
});

test('what came since the last sync is found, and what went is not; a sync sends the difference alone', async () => {
  await put('notebook.md', '# Blue notebook\n\nA blue notebook, a blue notebook.\n');
  await call('DELETE', '/api/rag/kbs/notes/documents/tea.md');
  const { engines } = await call<{ engines: EngineView[] }>('GET', '/api/rag/engines');
  assert.equal(engines[0]?.stale, true);
  const behind = await query({ engine: true });
  assert.equal(engineStep(behind)?.status, 'used');
  assert.deepEqual(pathsOf(behind), pathsOf(await query({ engine: false })));
  assert.equal(behind.hits[0]?.path, 'notebook.md');
  const job = await done(call('POST', '/api/rag/kbs/notes/engine/sync'));
  assert.deepEqual([job.progress.totals.done, job.progress.removed], [1, 1]);
  assert.equal((await done(call('POST', '/api/rag/kbs/notes/engine/sync'))).progress.totals.done, 0);
});

test('texts that were changed in the engine are not shown, and the next sync does not trust digests alone', async () => {
  const info = await call<EngineInfo>('GET', '/api/rag/kbs/notes/engine');
  const table = `kith."points_${info.collection}"`;
  await postgres.database.exec(`UPDATE ${table} SET payload = '\\x00'::bytea || payload`);
  const alone = await call<EngineSearchView>('POST', '/api/rag/kbs/notes/engine/search', { query: 'stairs' });
  assert.deepEqual([alone.hits.length, alone.damaged], [0, 3]);
  // Rows that are gone there come back.
  await postgres.database.exec(`DELETE FROM ${table}`);
  const job = await done(call('POST', '/api/rag/kbs/notes/engine/sync'));
  assert.equal(job.progress.totals.done, 3);
});

test('when the engine lost its collection the index here answers, and says so', async () => {
  const info = await call<EngineInfo>('GET', '/api/rag/kbs/notes/engine');
  await postgres.database.exec(`DROP TABLE kith."points_${info.collection}"`);
  const found = await query({ engine: true });
  assert.equal(found.hits.length, 3);
  const step = engineStep(found);
  assert.deepEqual([step?.status, step?.code], ['skipped', 'failed']);
  assert.match(step?.reason ?? '', /the index here answered/u);
  assert.equal((await call<EngineInfo>('GET', '/api/rag/kbs/notes/engine')).trouble?.code, 'engine_lost');
  assert.equal((await done(call('POST', '/api/rag/kbs/notes/engine/sync'))).progress.totals.done, 3);
  assert.equal(engineStep(await query({ engine: true }))?.status, 'used');
});

test('one knowledge base has one engine; disconnected with --drop nothing of it stays there', async () => {
  await assert.rejects(call('POST', '/api/rag/kbs/notes/engine', { url: qdrantUrl }), {
    code: 'engine_connected',
  });
  await call('DELETE', '/api/rag/kbs/notes/engine?drop=true');
  const { rows } = await postgres.database.query<{ n: number }>(
    "SELECT count(*)::int AS n FROM pg_tables WHERE schemaname = 'kith'",
  );
  assert.equal(rows[0]?.n, 0);
  assert.ok(!(await readFile(join(home.path, 'vault', 'engines.json'), 'utf8')).includes(PASSWORD));
});

test('Qdrant is asked by every search once that was said, and is left out while it is away', async () => {
  const secretless = qdrantUrl.replace(`:${KEY}@`, '');
  await assert.rejects(call('POST', '/api/rag/kbs/notes/engine', { url: secretless, secret: 'wrong' }), {
    code: 'engine_refused',
  });
  await done(call('POST', '/api/rag/kbs/notes/engine', { url: secretless, secret: KEY, search: true }));
  const found = await query();
  assert.equal(engineStep(found)?.status, 'used');
  assert.deepEqual(pathsOf(found), pathsOf(await query({ engine: false })));
  for (const word of [PLANTED, Buffer.from(PLANTED).toString('base64').slice(0, 20), 'stairs.md'])
    assert.ok(!qdrant.seen.join('\n').includes(word), `${word} went to the engine`);
  const answer = await call<{ steps: SearchView['steps'] }>('POST', '/api/rag/kbs/notes/answer', {
    question: 'Where does the blue notebook lie?',
    writer: null,
  });
  assert.equal(answer.steps.find(({ name }) => name === 'engine')?.status, 'used');
  qdrant.next = () => [500, { status: { error: 'Service internal error: planted' } }];
  const away = await query();
  assert.deepEqual([engineStep(away)?.status, away.hits.length], ['skipped', 3]);
  qdrant.next = null;
  // Points that nobody put there, and hostile ids, name no passage.
  qdrant.next = ({ url }) =>
    url?.endsWith('/points/query') === true
      ? [
          200,
          {
            result: {
              points: [
                { id: 999_999, score: 9 },
                { id: 1, score: 3 },
              ],
            },
            status: 'ok',
            time: 0,
          },
        ]
      : null;
  const lied = await query({ engine: true });
  assert.equal(engineStep(lied)?.status, 'used');
  assert.ok(lied.hits.every(({ score }) => score <= 1.001));
  qdrant.next = null;
});

test('disconnecting ends a sync that is under way, and nothing goes there afterwards', async () => {
  const reached = Promise.withResolvers<void>();
  qdrant.held = async ({ url }) => {
    if (url?.includes('/points/scroll') !== true) return;
    reached.resolve();
    await released.promise;
  };
  const released = Promise.withResolvers<void>();
  const job = await call<JobView>('POST', '/api/rag/kbs/notes/engine/sync');
  await reached.promise;
  await call('DELETE', '/api/rag/kbs/notes/engine');
  released.resolve();
  qdrant.held = null;
  assert.equal((await ended(job)).state, 'cancelled');
  await done(call('POST', '/api/rag/kbs/notes/engine', { url: qdrantUrl }));
});

test('a knowledge base that is destroyed is removed from its engine, and no log has a credential', async () => {
  assert.equal(qdrant.collections.size, 1);
  await call('DELETE', '/api/rag/kbs/notes');
  assert.equal(qdrant.collections.size, 0);
  for (const entry of await readdir(home.path, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) {
      const bytes = await readFile(join(entry.parentPath, entry.name));
      for (const secret of [PASSWORD, KEY])
        assert.ok(!bytes.includes(secret), `${secret} in ${join(entry.parentPath, entry.name)}`);
    }
});

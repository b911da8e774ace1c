/**
 * Nodes that keep knowledge bases for each other are killed (kill -9) at random moments: Eves of both operators while their owner
 * searches, uploads, repairs and rebalances, and the owner himself in uploads, repairs and restores. Prints what came of it.
 *
 * @module test/long/vault-kills
 */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { waitFor } from '../../demo/machine.ts';
import { createSeededRandom } from '../../src/base/index.ts';
import { openParts, writeParts } from '../../src/knowledge/index.ts';
import type {
  CheckView,
  EveView,
  JobView,
  PlacedInfo,
  PlacedSearchView,
  StorageView,
} from '../../src/server/index.ts';
import { ask, jobEnded, type Killable, type KillSwarm, startKillSwarm } from '../vault/kill-swarm.ts';

/** Of each colour. */
const KILLS = Number(process.env.KITH_TEST_KILLS ?? 20);
const OWNER_KILLS = Math.ceil((KILLS * 3) / 5);
const RESTORE_KILLS = Math.ceil(KILLS / 4);
const seed = Number(process.env.KITH_TEST_SEED ?? 1);
const random = createSeededRandom(seed);
const KBS = { split: 'open', sealed: 'shut' } as const;
const ALL = Object.values(KBS);
const OPS = ['upload', 'repair', 'rebalance'] as const;
const OWNER_OPS = ['mode', ...OPS] as const;
type Op = (typeof OWNER_OPS)[number];
const K = 5;
/** Documents at the beginning, and passages of each. */
const FIRST = 12;
/** Bytes that Eve counts for the journal of a tenant. */
const JOURNAL = 16 << 20;

let swarm: KillSwarm;
before(async () => {
  swarm = await startKillSwarm(['Ada 1', 'Ada 2', 'Ben 1', 'Ben 2']);
});
after(() => swarm?.[Symbol.asyncDispose]());

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const drawn = (below: number): number => random.uint32() % Math.max(1, Math.ceil(below));

/** What a search has to find: by state of the knowledge base, by question. */
interface Hit {
  readonly path: string;
  readonly text: string;
}
const WORDS = 'river lamp copper violin harbour winter garden clock letter bridge falcon bakery'.split(' ');
const words = (count: number) => Array.from({ length: count }, () => WORDS[drawn(WORDS.length)]).join(' ');
const QUESTIONS = ['Where is the falcon of number 3?', 'copper violin in the harbour', 'the newest letter'];
const expected: Map<string, readonly Hit[]>[] = [];
/** States that are on their way or were: the newest that was begun, and the newest that was acknowledged. */
const version = { begun: -1, acknowledged: -1 };
const told = { killed: new Map<string, number>(), searches: 0, away: 0, wrong: 0, lost: 0 };
const longest = { search: 0, restore: 0 };
const counted = (what: string) => told.killed.set(what, (told.killed.get(what) ?? 0) + 1);
/** Whether searches may fail now. */
let excused = false;

const bobAsk = <T>(method: string, path: string, body?: unknown) =>
  ask<T>(swarm.bob.machine, method, path, body);

async function done(job: Promise<JobView>, at: Killable = swarm.bob): Promise<JobView> {
  const ended = await jobEnded(at.machine, await job);
  assert.equal(ended.state, 'done', `${ended.kb} ${ended.what}: ${JSON.stringify(ended.error)}`);
  return ended;
}

const shortHits = ({ hits }: { readonly hits: readonly Hit[] }): Hit[] =>
  hits.map(({ path, text }) => ({ path, text }));

/** The same document into both, and what searches are to find from then on. */
async function addDocument(number: number): Promise<void> {
  const text = Array.from(
    { length: 4 },
    (_, i) => `The falcon of number ${number}.${i} met the letter ${number * 7 + i}. ${words(90)}.`,
  ).join('\n\n');
  for (const kb of ALL) {
    const { url, token } = JSON.parse(
      await readFile(join(swarm.bob.machine.home, 'run', 'node.json'), 'utf8'),
    ) as { url: string; token: string };
    const response = await fetch(`${url}/api/rag/kbs/${kb}/ingest?path=note-${number}.md`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream' },
      body: `# Note ${number}\n\n${text}\n`,
    });
    assert.ok(response.ok, await response.clone().text());
    await done((await response.json()) as Promise<JobView>);
  }
}

async function note(): Promise<void> {
  const hits = new Map<string, readonly Hit[]>();
  for (const query of QUESTIONS)
    hits.set(
      query,
      shortHits(
        await bobAsk('POST', `/api/rag/kbs/${KBS.split}/search`, {
          ...{ query, k: K, mode: 'vectors', diversity: 0 },
        }),
      ),
    );
  expected.push(hits);
  version.begun = expected.length - 1;
}

/** Asks until it is told to stop. Each answer is one of a state that was acknowledged, or is on its way. */
async function searching(stop: AbortSignal): Promise<void> {
  const byNumber = new Map<number, number>();
  for (let i = 0; !stop.aborted; i++) {
    const query = QUESTIONS[i % QUESTIONS.length]!;
    const least = version.acknowledged;
    const began = performance.now();
    try {
      const found = await bobAsk<PlacedSearchView>('POST', `/api/rag/kbs/${KBS.split}/vault/search`, {
        ...{ query, k: K },
      });
      told.searches += 1;
      const hits = JSON.stringify(shortHits(found));
      const states = expected.keys().filter((state) => JSON.stringify(expected[state]!.get(query)) === hits);
      const fits = [...states].filter((state) => state >= least && state <= version.begun);
      if (fits.length === 0) {
        told.wrong += 1;
        console.log(`state ${found.number}, ${least} to ${version.begun}, ${query}: ${hits}`);
      }
      const known = byNumber.get(found.number);
      if (known === undefined && fits.length === 1) byNumber.set(found.number, fits[0]!);
      else if (known !== undefined && fits.length > 0 && !fits.includes(known)) told.wrong += 1;
    } catch (error) {
      if (!excused) throw new Error(`A search failed with an Eve of each operator there: ${String(error)}`);
      told.away += 1;
    }
    if (!excused) longest.search = Math.max(longest.search, performance.now() - began);
    await wait(50);
  }
}

const jobOf = (kb: string, op: Exclude<Op, 'mode'>, replicas: number): Promise<JobView> =>
  op === 'rebalance'
    ? bobAsk('POST', `/api/rag/kbs/${kb}/vault/eves`, { replicas })
    : bobAsk('POST', `/api/rag/kbs/${kb}/vault/${op === 'upload' ? 'sync' : 'repair'}`);

async function reachable(eve: Killable, from = swarm.bob): Promise<void> {
  await waitFor(`${from.name} to reach ${eve.name}`, async () => {
    const { eves } = await ask<{ eves: EveView[] }>(from.machine, 'POST', '/api/rag/vault/discover', {
      peers: [eve.machine.peer],
    });
    return eves[0]!.trouble === null;
  });
}

async function repaired(): Promise<void> {
  await Promise.all(
    ALL.map(async (kb) => {
      const { progress } = await done(jobOf(kb, 'repair', 0));
      assert.deepEqual(progress.failures, [], `${kb} after a repair`);
    }),
  );
}

test(`Eves of both operators and their owner are killed ${KILLS} times each: no wrong result, nothing lost`, async (t) => {
  t.diagnostic(`KITH_TEST_SEED=${seed}`);
  const { bob, eves, other } = swarm;
  const colours = [eves.slice(0, 2), eves.slice(2)];
  for (const kb of ALL) await bobAsk('POST', '/api/rag/kbs', { name: kb });
  for (let number = 0; number < FIRST; number++) await addDocument(number);
  await note();
  for (const [mode, kb] of Object.entries(KBS))
    await done(
      bobAsk('POST', `/api/rag/kbs/${kb}/vault`, {
        ...{ mode, quotaBytes: 128 << 20 },
        eves: eves.map(({ name, machine }) => `${name.split(' ')[0]}=${machine.peer}`),
      }),
    );
  version.acknowledged = version.begun;

  const stop = new AbortController();
  const searches = searching(stop.signal);
  searches.catch(() => stop.abort());
  let documents = FIRST;
  let replicas = 2;
  /** Of one operation, both knowledge bases together. */
  const lastsMs = { upload: 1500, repair: 300, rebalance: 500, mode: 1500 };
  const shut: { mode: 'sealed' | 'split' } = { mode: 'sealed' };
  const begin = async (op: Op): Promise<JobView[]> => {
    if (op === 'mode') {
      shut.mode = shut.mode === 'sealed' ? 'split' : 'sealed';
      return [await bobAsk<JobView>('POST', `/api/rag/kbs/${KBS.sealed}/vault/eves`, { mode: shut.mode })];
    }
    if (op === 'upload') {
      await addDocument(documents++);
      await note();
    }
    if (op === 'rebalance') replicas = 5 - replicas;
    return Promise.all(ALL.map((kb) => jobOf(kb, op, replicas)));
  };
  const finish = async (op: Op, jobs: readonly JobView[]): Promise<void> => {
    for (const job of jobs) await done(Promise.resolve(job));
    if (op === 'upload') version.acknowledged = version.begun;
  };

  for (let round = 0; round < 2 * KILLS && !stop.signal.aborted; round++) {
    const op = OPS[Math.floor(round / 2) % OPS.length]!;
    const eve = colours[round % 2]![drawn(2)]!;
    const began = performance.now();
    const jobs = await begin(op);
    await wait(drawn(lastsMs[op]));
    await eve.kill();
    counted(eve.name.split(' ')[0]!);
    await finish(op, jobs);
    lastsMs[op] = (lastsMs[op] + performance.now() - began) / 2;
    // Searches go on without her for a while, in every place where she was.
    await wait(drawn(300));
    await eve.start();
    await reachable(eve);
    await repaired();
  }
  for (let round = 0; round < OWNER_KILLS && !stop.signal.aborted; round++) {
    const op = OWNER_OPS[round % OWNER_OPS.length]!;
    const jobs = await begin(op);
    await wait(drawn(lastsMs[op] / 2));
    excused = true;
    await bob.kill();
    counted(`Bob in ${op}`);
    await bob.start();
    for (const eve of eves) await reachable(eve);
    excused = false;
    await finish(op, jobs);
    if (op !== 'mode') continue;
    assert.equal((await bobAsk<PlacedInfo>('GET', `/api/rag/kbs/${KBS.sealed}/vault`)).mode, shut.mode);
    await bobAsk('POST', `/api/rag/kbs/${KBS.sealed}/vault/search`, { query: QUESTIONS[0], k: K });
  }
  if (shut.mode === 'split') await finish('mode', await begin('mode'));
  // Without anybody of one operator a search ends with an error, and is never wrong.
  excused = true;
  for (const eve of colours[1]!) await eve.kill();
  const sought = told.searches;
  const refused = told.away;
  await waitFor('a search to be refused', async () => told.away > refused + 2 || stop.signal.aborted);
  for (const eve of colours[1]!) await eve.start();
  for (const eve of colours[1]!) await reachable(eve);
  excused = false;
  await waitFor('a search to work again', async () => told.searches > sought || stop.signal.aborted);
  stop.abort();
  await searches;
  await repaired();
  for (const kb of ALL) {
    const { eves: checked } = await bobAsk<CheckView>('POST', `/api/rag/kbs/${kb}/vault/check`, {
      questions: 20,
    });
    assert.ok(
      checked.every(({ asked, failed }) => asked === 20 && failed === 0),
      JSON.stringify(checked),
    );
    assert.equal((await bobAsk<PlacedInfo>('GET', `/api/rag/kbs/${kb}/vault`)).stale, false);
  }
  await sameCounters(eves);
  await bob.kill();

  await restored(other, eves, await exported(bob));
  for (const eve of eves) await eve.kill();
  await soundTenants(eves, replicas);
  console.log(
    Object.entries({
      ...Object.fromEntries([...told.killed].map(([who, kills]) => [`kills of ${who}`, kills])),
      ...{ searches: told.searches, 'refused while a colour or Bob was away': told.away },
      ...{ 'wrong results': told.wrong, 'restores that lost something': told.lost },
      'longest pause of a search': `${(longest.search / 1000).toFixed(1)} s`,
      'longest restore': `${(longest.restore / 1000).toFixed(1)} s`,
    })
      .map(([what, value]) => `${what.padEnd(40)} ${value}`)
      .join('\n'),
  );
  assert.equal(told.wrong, 0);
  assert.equal(told.lost, 0);
});

/** The files of the knowledge bases, made of their parts: Bob is dead. */
async function exported(bob: Killable): Promise<ReadonlyMap<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const kb of ALL)
    files.set(kb, await normal(join(bob.machine.home, 'knowledge', `${kb}.sqlite`), `bob-${kb}`));
  return files;
}

async function normal(file: string, name: string): Promise<Buffer> {
  const path = join(swarm.folder, `${name}.sqlite`);
  {
    // What is in its journal goes into the file. Settings of a machine do not leave it.
    const database = new DatabaseSync(file);
    database.exec("UPDATE meta SET settings = '{}'");
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    database.close();
  }
  using parts = openParts(file);
  await writeParts(
    path,
    [...parts.names()].map((part) => parts.read(part)!),
  );
  return readFile(path);
}

/** On a machine with the key alone, whichever Eve is missing; the machine is killed on its way, too. */
async function restored(
  other: Killable,
  eves: readonly Killable[],
  files: ReadonlyMap<string, Buffer>,
): Promise<void> {
  await other.start();
  const made: [string, string][] = [];
  const restore = async (kb: string, name: string, peer: string): Promise<JobView> =>
    ask(other.machine, 'POST', `/api/rag/vault/restore/${name}`, { source: kb, eves: [peer] });
  for (const [i, eve] of eves.entries()) {
    await eve.kill();
    const asked = eves[(i + 1) % eves.length]!.machine.peer;
    for (const kb of ALL) {
      const name = `${kb}-${i}`;
      const began = performance.now();
      await done(restore(kb, name, asked), other);
      longest.restore = Math.max(longest.restore, performance.now() - began);
      made.push([kb, name]);
    }
    await eve.start();
    await reachable(eve, other);
  }
  for (let i = 0; i < RESTORE_KILLS; i++) {
    const kb = ALL[i % 2]!;
    const name = `${kb}-killed-${i}`;
    const job = await restore(kb, name, eves[i % eves.length]!.machine.peer);
    await wait(drawn(400));
    await other.kill();
    counted('Bob in restore');
    await other.start();
    await done(Promise.resolve(job), other);
    made.push([kb, name]);
  }
  await other.kill();
  const folder = join(other.machine.home, 'knowledge');
  for (const [kb, name] of made) {
    const file = await normal(join(folder, `${name}.sqlite`), name);
    if (!file.equals(files.get(kb)!)) told.lost += 1;
  }
  const fetched = await readdir(join(other.machine.home, 'vault', 'fetched'));
  const left = [...(await readdir(folder)).filter((name) => name.includes('.tmp')), ...fetched];
  assert.deepEqual(left, [], 'nothing is left of restores that were killed');
}

/** What Eve says of a tenant is what its file is. */
async function sameCounters(eves: readonly Killable[]): Promise<void> {
  for (const { machine, name } of eves) {
    const view = await ask<StorageView>(machine, 'GET', '/kith/v1/storage');
    assert.equal(view.tenants.length, ALL.length, name);
    assert.equal(
      view.promisedBytes,
      view.tenants.reduce((sum, { quotaBytes }) => sum + quotaBytes, 0),
    );
    const files = await tenantFiles(machine.home);
    const counts = files.map((file) => countsOf(file)).toSorted((a, b) => a.used - b.used);
    assert.deepEqual(
      view.tenants
        .map(({ usedBytes, blocks }) => ({ used: usedBytes, blocks }))
        .toSorted((a, b) => a.used - b.used),
      counts,
      name,
    );
    assert.ok(view.tenants.every(({ usedBytes, quotaBytes }) => usedBytes <= quotaBytes));
  }
}

const tenantFiles = async (home: string): Promise<string[]> => {
  const folder = join(home, 'vault', 'tenants');
  return (await readdir(folder)).filter((name) => name.endsWith('.sqlite')).map((name) => join(folder, name));
};

function countsOf(file: string): { readonly used: number; readonly blocks: number } {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const number = (sql: string) => Number(Object.values(database.prepare(sql).get()!)[0]);
    return {
      used: number('PRAGMA page_count') * number('PRAGMA page_size') + JOURNAL,
      blocks: number('SELECT count(*) FROM block'),
    };
  } finally {
    database.close();
  }
}

/** Files that were killed are sound, and each block is where it has to be. */
async function soundTenants(eves: readonly Killable[], replicas: number): Promise<void> {
  const copies = new Map<string, number>();
  for (const { machine, name } of eves)
    for (const file of await tenantFiles(machine.home)) {
      const database = new DatabaseSync(file);
      const { integrity_check: said } = database.prepare('PRAGMA integrity_check').get()!;
      assert.equal(said, 'ok', `${name}: ${file}`);
      for (const { id } of database.prepare('SELECT hex(id) AS id FROM block').iterate())
        copies.set(String(id), (copies.get(String(id)) ?? 0) + 1);
      database.close();
    }
  const few = [...copies].filter(([, count]) => count !== replicas && count !== eves.length);
  assert.deepEqual(few, [], `of ${copies.size} blocks`);
}

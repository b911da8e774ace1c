import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createManualClock, createSeededRandom } from '../../base/index.ts';
import { DEFAULT_AGENT, MAX_AGENTS } from './agents.ts';
import { extractFeatures } from './features.ts';
import { createRouter, type Router } from './index.ts';
import { createKnowledge } from './knowledge.ts';
import { KEPT_VERSIONS, MAX_HISTORY, openRouterStore } from './store.ts';
import { wordCounter, world } from './testing/world.ts';

const folder = mkdtempSync(join(tmpdir(), 'kith-router-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const path = (name: string) => join(folder, `${name}.sqlite`);

const open = (file: string, seed = 9, embedder = wordCounter()): Router =>
  createRouter({
    path: file,
    clock: createManualClock(),
    random: createSeededRandom(seed),
    embedder,
    explore: 0,
  });

async function teach(router: Router, seed: number, count: number): Promise<void> {
  const { next } = world(seed);
  for (let at = 0; at < count; at++) {
    const { prompt, outcome } = next();
    await router.learnPrompt(prompt, outcome);
  }
}

/** What all heads say about the same prompts: equal only when all weights and neighbours are. */
async function gainsOf(router: Router) {
  const { next } = world(77);
  const gains = [];
  for (let at = 0; at < 50; at++) gains.push((await router.decide(next().prompt)).gains);
  return gains;
}

test('a router that was killed goes on where it was, to the last bit', async () => {
  const program = `
    import { createManualClock, createSeededRandom } from '${import.meta.dirname}/../../base/index.ts';
    import { createRouter } from '${import.meta.dirname}/index.ts';
    import { wordCounter, world } from '${import.meta.dirname}/testing/world.ts';
    const router = createRouter({ path: process.argv[1], clock: createManualClock(), random: createSeededRandom(9), embedder: wordCounter(), explore: 0 });
    const teach = async (seed, count) => {
      const { next } = world(seed);
      for (let at = 0; at < count; at++) { const { prompt, outcome } = next(); await router.learnPrompt(prompt, outcome); }
    };
    await teach(1, 500);
    await router.refit();
    await teach(2, 333);
    process.kill(process.pid, 'SIGKILL');`;
  const { signal, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', program, path('killed')],
    { encoding: 'utf8' },
  );
  assert.equal(signal, 'SIGKILL', stderr);
  using twin = open(path('twin'));
  await teach(twin, 1, 500);
  await twin.refit();
  await teach(twin, 2, 333);
  using again = open(path('killed'));
  assert.equal(again.status().version, 1);
  assert.equal(again.status().labels, 833);
  assert.equal(again.status().neighbours, twin.status().neighbours);
  assert.deepEqual(await gainsOf(again), await gainsOf(twin));
});

test('each of the last three versions comes back exactly, also after the file was opened anew', async () => {
  const file = path('versions');
  const seen = new Map<number, unknown>();
  {
    using router = open(file);
    for (let round = 1; round <= 30 && router.versions().length <= KEPT_VERSIONS; round++) {
      await teach(router, 100 + round, round === 1 ? 400 : 150);
      const { verdict, version } = await router.refit();
      if (verdict === 'promoted') seen.set(version!, await gainsOf(router));
    }
    assert.equal(router.versions().length, KEPT_VERSIONS + 1);
    await teach(router, 200, 300);
  }
  const numbers = [...seen.keys()];
  using router = open(file);
  for (const number of [...numbers.toReversed(), ...numbers]) {
    assert.deepEqual(await router.rollBack(number), { exact: true });
    assert.equal(router.status().version, number);
    assert.deepEqual(await gainsOf(router), seen.get(number));
  }
  const first = numbers[0]!;
  await router.rollBack(first);
  router.close();
  using reopened = open(file);
  assert.deepEqual(await gainsOf(reopened), seen.get(first));
  await assert.rejects(reopened.rollBack(99), { code: 'version_not_found', status: 404 });
});

test('what was learnt after a version does not count once it is used again, what comes then does', async () => {
  using router = open(path('poison'));
  await teach(router, 1, 500);
  await router.refit();
  const before = await gainsOf(router);
  const { next } = world(5);
  for (let at = 0; at < 400; at++) await router.learnPrompt(next().prompt, { local: 1, frontier: 0 });
  assert.notDeepEqual(await gainsOf(router), before);
  await router.rollBack(1);
  assert.deepEqual(await gainsOf(router), before);
  const { trained } = await router.refit();
  assert.equal(trained, 400, 'four fifths of the 500 labels that count');
  await teach(router, 6, 100);
  assert.equal((await router.refit()).trained, 480);
});

test('only the newest versions are kept', async () => {
  using store = openRouterStore(path('kept'));
  const knowledge = createKnowledge(store, createManualClock(), createSeededRandom(1), null);
  const ensemble = knowledge.ensemble.snapshot();
  const evaluation = { prompts: 1, apgr: 0.6, cpt50: 0.4, cpt80: Number.NaN };
  for (let at = 0; at < 9; at++)
    store.addVersion(at, 0, evaluation, { without: [[1, 2]], embedder: null, ensemble });
  const versions = store.versions();
  assert.deepEqual(
    versions.map(({ number }) => number),
    [6, 7, 8, 9],
  );
  assert.deepEqual(versions[0]!.evaluation, evaluation);
  assert.deepEqual(store.version(9)!.ensemble, ensemble);
  assert.deepEqual(store.version(9)!.without, [[1, 2]]);
});

test('labels kept are bounded, and the newest stay', () => {
  using store = openRouterStore(path('labels'), { maxLabels: 50 });
  const features = extractFeatures({ text: 'some words', depth: 1, tools: 0 });
  for (let at = 0; at < 300; at++)
    store.addLabel(at, { features, outcome: { local: 0.5, frontier: null } }, 0.7, null);
  const labels = [...store.labels(0, 1e9)];
  assert.deepEqual([labels.length, labels[0]!.seq, labels.at(-1)!.seq], [50, 251, 300]);
  assert.deepEqual(labels[0]!.features, features);
  assert.deepEqual(labels[0]!.outcome, { local: 0.5, frontier: null });
  assert.equal(labels[0]!.chance, 0.7);
  assert.equal(labels.filter(({ held }) => held).length, 10);
});

test('thresholds and their history outlive the process, and are bounded', async () => {
  const file = path('agents');
  {
    using router = open(file);
    await teach(router, 1, 500);
    await router.refit();
    router.agents.set('writer', { target: 0.5, min: 0.2, max: 0.8, threshold: 0.25 });
    for (let at = 0; at < 3 * MAX_HISTORY; at++)
      router.agents.set('busy', { threshold: at % 2 === 0 ? 0.4 : 0.6 });
    const { next } = world(3);
    for (let at = 0; at < 200; at++) await router.decide(next().prompt, { agent: 'writer' });
    for (let at = 0; at < 2 * MAX_AGENTS; at++) await router.decide(next().prompt, { agent: `agent ${at}` });
    assert.equal(router.agents.list().length, MAX_AGENTS + 1);
    assert.throws(() => router.agents.set('one more', {}), { code: 'limit_reached' });
  }
  using router = open(file);
  const writer = router.agents.get('writer');
  assert.deepEqual([writer.target, writer.min, writer.max, writer.decided], [0.5, 0.2, 0.8, 200]);
  const history = router.agents.history('writer');
  assert.deepEqual([history[0]!.reason, history[0]!.target], ['set', 0.5]);
  assert.ok(history.some(({ reason }) => reason === 'tracked'));
  assert.ok(Math.abs(history.at(-1)!.threshold - writer.threshold) <= 0.05);
  assert.equal(router.agents.history('busy').length, MAX_HISTORY);
  assert.ok(router.agents.get(DEFAULT_AGENT).decided > 0);
});

test('a target that the owner configures anew holds from the next start, but for agents that were set by hand', async () => {
  const file = path('configured');
  const openWith = (target: number) =>
    createRouter({
      path: file,
      clock: createManualClock(),
      random: createSeededRandom(9),
      explore: 0,
      threshold: { target, min: 0, max: 0.95 },
    });
  {
    using router = openWith(0.3);
    const { next } = world(3);
    await router.decide(next().prompt);
    router.agents.set('writer', { target: 0.5 });
    await router.decide(next().prompt, { agent: 'writer' });
  }
  using router = openWith(0.1);
  const { target, threshold, max, decided } = router.agents.get();
  assert.deepEqual([target, threshold, max, decided], [0.1, 0.9, 0.95, 1]);
  assert.equal(router.agents.get('writer').target, 0.5);
});

test('vectors of another embedder are never compared', async () => {
  const file = path('embedder');
  {
    using router = open(file);
    await teach(router, 1, 500);
    await router.refit();
  }
  using router = open(file, 9, wordCounter('words-v2'));
  assert.equal(router.status().neighbours, 0);
  const { gains } = await router.decide(world(1).next().prompt);
  assert.equal(gains!.neighbours, null);
  assert.notEqual(gains!.text, null);
});

test('a refit is the only one at a time, ends when asked to, and leaves what is in use', async () => {
  using router = open(path('busy'));
  await teach(router, 1, 500);
  const first = router.refit();
  await assert.rejects(router.refit(), { code: 'router_busy', status: 409 });
  await assert.rejects(router.rollBack(1), { code: 'router_busy' });
  await first;
  const abort = new AbortController();
  const second = router.refit(abort.signal);
  abort.abort();
  await assert.rejects(second, { code: 'aborted' });
  assert.equal(router.status().version, 1);
  const third = router.refit();
  router.close();
  await assert.rejects(third, { code: 'router_closed' });
});

test('labels that come during a refit are in the weights that it promotes', async () => {
  using router = open(path('meanwhile'));
  await teach(router, 1, 500);
  const refit = router.refit();
  await teach(router, 2, 50);
  assert.equal((await refit).verdict, 'promoted');
  assert.equal(router.versions()[0]!.through, 500);
  assert.equal(router.status().neighbours, 440);
});

test("the file is the owner's alone", { skip: process.platform === 'win32' }, () => {
  const file = path('mode');
  openRouterStore(file).close();
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

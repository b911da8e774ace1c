import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AbortedError, createManualClock, createSeededRandom } from '../../base/index.ts';
import { type CreateRouterOptions, createRouter, type Router } from './index.ts';
import { only, wordCounter, world } from './testing/world.ts';
import type { Embedder } from './types.ts';

const open = (options: Partial<CreateRouterOptions> = {}): Router =>
  createRouter({
    path: ':memory:',
    clock: createManualClock(),
    random: createSeededRandom(9),
    embedder: wordCounter(),
    ...options,
  });

async function teach(router: Router, seed: number, count: number, noise = 0.2): Promise<void> {
  const { next } = world(seed, noise);
  for (let at = 0; at < count; at++) {
    const { prompt, outcome } = next();
    await router.learnPrompt(prompt, outcome);
  }
}

/** Share of frontier calls, and of right answers. */
async function ask(router: Router, seed: number, count: number, agent?: string) {
  const { next } = world(seed, 0);
  let calls = 0;
  let right = 0;
  for (let at = 0; at < count; at++) {
    const { prompt, outcome } = next();
    const { side } = await router.decide(prompt, agent === undefined ? {} : { agent });
    if (side === 'frontier') calls++;
    right += outcome[side];
  }
  return { share: calls / count, right: right / count };
}

test('before any weights have proved themselves a lot decides, at the target share', async () => {
  using router = open({ threshold: { target: 0.2 } });
  const { prompt } = world(1).next();
  const { by, score, version } = await router.decide(prompt);
  assert.deepEqual([by, score, version], ['lot', null, null]);
  const { share } = await ask(router, 2, 2000);
  assert.ok(Math.abs(share - 0.2) < 0.03, `${share}`);
});

for (const [title, embedder] of [
  ['with an embedder', wordCounter()],
  ['by words alone', null],
] as const) {
  test(`learnt weights send the prompts that gain to the frontier model, at the target share, ${title}`, async () => {
    using router = open({ embedder, threshold: { target: 0.4 } });
    await teach(router, 3, 600);
    const { verdict, candidate, version } = await router.refit();
    assert.equal(verdict, 'promoted');
    assert.equal(version, 1);
    assert.ok(candidate!.apgr > 0.6);
    await ask(router, 4, 300);
    const { share, right } = await ask(router, 5, 1000);
    assert.ok(Math.abs(share - 0.4) < 0.02, `${share}`);
    // By lot it would be 0.76; always local 0.6, and 1 is the best that can be.
    assert.ok(right > 0.86, `${right}`);
  });
}

test('outcomes of the model that was called are enough to learn from', async () => {
  using router = open({ threshold: { target: 0.4 } });
  const { next } = world(6);
  for (let at = 0; at < 1500; at++) {
    const { prompt, outcome } = next();
    const { id, side } = await router.decide(prompt);
    assert.equal(router.learn(id, only(side, outcome)), true);
    assert.equal(router.learn(id, only(side, outcome)), false, 'each outcome counts once');
  }
  assert.equal((await router.refit()).verdict, 'promoted');
  await ask(router, 7, 300);
  assert.ok((await ask(router, 8, 500)).right > 0.9);
});

test('labels that tell nothing promote nothing, and neither do too few', async () => {
  using router = open();
  assert.equal((await router.refit()).verdict, 'too_few_labels');
  await teach(router, 10, 1000, 1);
  const { verdict, version } = await router.refit();
  assert.deepEqual([verdict, version], ['zero_not_beaten', null]);
  const { prompt } = world(1).next();
  assert.equal((await router.decide(prompt)).by, 'lot');
});

test('weights that are no better than those in use are not promoted', async () => {
  using router = open({ embedder: null });
  await teach(router, 11, 600);
  assert.equal((await router.refit()).verdict, 'promoted');
  let kept = 0;
  for (let round = 0; round < 4; round++) {
    const { verdict, candidate, current, version } = await router.refit();
    assert.equal(verdict, candidate!.apgr > current!.apgr ? 'promoted' : 'not_better');
    assert.equal(version, router.versions().at(-1)!.number);
    if (verdict === 'not_better') kept++;
  }
  assert.ok(kept > 0);
});

test('where the frontier model is no better nothing is promoted', async () => {
  using router = open();
  const { next } = world(12);
  for (let at = 0; at < 400; at++) await router.learnPrompt(next().prompt, { local: 1, frontier: 1 });
  assert.equal((await router.refit()).verdict, 'no_gap');
});

test('a forced side is taken and moves no threshold', async () => {
  using router = open();
  const before = router.agents.get();
  for (const force of ['local', 'frontier'] as const) {
    const { side, by } = await router.decide(world(1).next().prompt, { force });
    assert.deepEqual([side, by], [force, 'forced']);
  }
  assert.deepEqual(router.agents.get(), before);
});

test('targets of none and all are kept exactly', async () => {
  using router = open();
  await teach(router, 13, 600);
  await router.refit();
  for (const target of [0, 1]) {
    router.agents.set('strict', { target });
    assert.equal((await ask(router, 14, 300, 'strict')).share, target);
  }
});

test('agents keep to shares of their own', async () => {
  using router = open({ threshold: { target: 0.2 } });
  await teach(router, 15, 600);
  await router.refit();
  router.agents.set('writer', { target: 0.5 });
  await ask(router, 16, 500, 'writer');
  const shares = [await ask(router, 17, 1000, 'writer'), await ask(router, 18, 1000)].map(
    ({ share }) => share,
  );
  assert.ok(Math.abs(shares[0]! - 0.5) < 0.02 && Math.abs(shares[1]! - 0.2) < 0.03, `${shares}`);
});

test('an embedder that fails leaves a choice by words, and says why', async () => {
  let failing = false;
  const words = wordCounter();
  const embedder: Embedder = {
    ...words,
    embed: async (text, signal) => {
      signal?.throwIfAborted();
      if (failing) throw new Error('The engine was lost.');
      return words.embed(text);
    },
  };
  using router = open({ embedder });
  await teach(router, 19, 600);
  await router.refit();
  failing = true;
  const { gains, degraded } = await router.decide(world(1).next().prompt);
  assert.equal(degraded, 'The engine was lost.');
  assert.equal(gains!.vector, null);
  assert.equal(typeof gains!.text, 'number');
  await assert.rejects(router.decide(world(1).next().prompt, { signal: AbortSignal.abort() }), AbortedError);
});

test('decisions that wait for an outcome are bounded', async () => {
  using router = open({ embedder: null });
  const first = await router.decide(world(1).next().prompt);
  for (let at = 0; at < 1500; at++) await router.decide(world(at).next().prompt);
  assert.equal(router.status().pending, 1000);
  assert.equal(router.learn(first.id, { local: 1, frontier: null }), false);
});

test('outcomes and settings out of range are refused', async () => {
  using router = open();
  const { id } = await router.decide(world(1).next().prompt);
  const code = (expected: string) => (error: unknown) => (error as { code: string }).code === expected;
  assert.throws(() => router.learn(id, { local: 2, frontier: null }), code('outcome_invalid'));
  assert.throws(() => router.learn(id, { local: Number.NaN, frontier: null }), code('outcome_invalid'));
  assert.throws(() => router.learn(id, { local: null, frontier: null }), code('outcome_invalid'));
  assert.throws(() => router.agents.set('a', { target: -0.1 }), code('threshold_invalid'));
  assert.throws(() => router.agents.set('a', { min: 0.8, max: 0.2 }), code('threshold_invalid'));
  assert.throws(() => router.agents.set('', {}), code('agent_invalid'));
  assert.throws(() => open({ explore: 2 }), code('explore_invalid'));
});

test('the same seed and requests give the same choices', async () => {
  const run = async () => {
    using router = open();
    await teach(router, 20, 400);
    await router.refit();
    const { next } = world(21);
    const seen = [];
    for (let at = 0; at < 200; at++) seen.push(await router.decide(next().prompt));
    return seen;
  };
  assert.deepEqual(await run(), await run());
});

test('a threshold set by hand holds while choices are by lot: 1 is never, 0 always, between them its share', async () => {
  using router = open();
  router.agents.set('never', { threshold: 1 });
  router.agents.set('always', { threshold: 0 });
  router.agents.set('half', { threshold: 0.5 });
  router.agents.set('bounded', { min: 1 });
  const { next } = world(4);
  const share = async (agent: string) => {
    let frontier = 0;
    for (let at = 0; at < 400; at++) {
      const { side, by } = await router.decide(next().prompt, { agent });
      assert.equal(by, 'lot');
      if (side === 'frontier') frontier++;
    }
    return frontier / 400;
  };
  assert.equal(await share('never'), 0);
  assert.equal(await share('always'), 1);
  assert.equal(await share('bounded'), 0);
  const half = await share('half');
  assert.ok(Math.abs(half - 0.5) < 0.1, String(half));
  assert.equal(router.agents.get('never').threshold, 1);
  assert.equal((await router.weigh(next().prompt, { agent: 'bounded' })).side, 'local');
});

/** The commands of the gateway as a user runs them: a real node, a real server beside it, real processes. */
import assert from 'node:assert/strict';
import { appendFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import type { Node } from '../src/node/index.ts';
import { kith, kithProcess, stopAll } from './cli-support.ts';
import { createHome, startNode, type TestHome } from './node-support.ts';
import { createMockUpstream, type MockUpstream } from './upstreams/index.ts';

let mock: MockUpstream;
let home: TestHome;
let node: Node;
let at: string[];

before(async () => {
  mock = await createMockUpstream();
  home = await createHome();
  await appendFile(
    `${home.path}/config.yaml`,
    `\nbackends:
  - name: studio
    url: ${mock.base('ok')}
    owned: false
    models: [mock-model]
    defaults: { chat: mock-model }
    aliases: { quality: mock-model }
    facts: { mock-model: { tools: false } }\n`,
  );
  node = await startNode(home, { 'gateway.complexityTarget': 0, 'gateway.cache': 'auto' });
  at = ['--home', home.path];
});
after(async () => {
  stopAll();
  await node.close();
  await home.remove();
  await mock[Symbol.asyncDispose]();
});

async function json(...args: string[]): Promise<Record<string, unknown>> {
  const { code, out, err } = await kith([...args, '--json', ...at]);
  assert.equal(code, 0, `${args.join(' ')}: ${err}`);
  return JSON.parse(out);
}

test('backends are listed with where they stand', async () => {
  const { out, code } = await kithProcess(['backends', 'list', ...at]);
  assert.equal(code, 0);
  assert.match(out, /^BACKEND +STATE +WHERE/);
  assert.match(out, /^local +ok +this machine +- +closed/m);
  assert.match(out, /^studio +ok .* mock-model$/m);
});

test('a choice is explained with its scores and the reasons of those that lost', async () => {
  const { out } = await kith(['backends', 'explain', 'How', 'are', 'you?', '--tools', ...at]);
  assert.match(out, /^local \/ tiny would answer\./);
  assert.match(out, /^- +studio +mock-model .*tools/m);
  const told = await json('backends', 'explain', '--model', 'mock-model', '--privacy', 'medium');
  assert.deepEqual(told.chosen, { backend: 'studio', model: 'mock-model' });
  assert.equal((told.wishes as { privacy: string }).privacy, 'medium');
  assert.equal((await kith(['backends', 'explain', '--privacy', 'much', ...at])).code, 2);
});

test('a privacy flag or variable holds for the running node, too, and flags that cannot are named', async () => {
  const ask = ['run', 'x bob@x.org', '-m', 'mock-model', ...at];
  assert.equal((await kithProcess(ask)).code, 0);
  const refused = await Promise.all([
    kith([...ask, '--gateway-privacy', 'maximum']),
    kith(ask, undefined, { KITH_GATEWAY_PRIVACY: 'maximum' }),
    kith(ask, undefined, { KWAAI_PRIVACY_LEVEL: 'maximum' }),
    kith(['chat', 'mock-model', '--gateway-privacy', 'maximum', ...at], 'x bob@x.org\n'),
  ]);
  for (const { code, out, err } of refused) {
    assert.deepEqual([code, out], [1, ''], err);
    assert.match(err, /privacy maximum never goes to a provider/);
  }
  const explain = ['backends', 'explain', '-m', 'mock-model', '--gateway-privacy', 'maximum', '--json'];
  const told = JSON.parse((await kith([...explain, ...at])).out) as {
    readonly wishes: { readonly privacy: string };
    readonly chosen: unknown;
  };
  assert.deepEqual([told.wishes.privacy, told.chosen], ['maximum', null]);
  const other = await kith([...ask, '--gateway-retries', '0']);
  assert.equal(other.code, 0);
  assert.match(
    other.err,
    /^warning: a node is running, and its own settings hold: --gateway-retries counts for nothing/m,
  );
});

test('a reset says so, or that there is no such backend', async () => {
  assert.equal((await kith(['backends', 'reset', 'studio', ...at])).out, 'studio is asked again.\n');
  const unknown = await kith(['backends', 'reset', 'studi', ...at]);
  assert.equal(unknown.code, 1);
  assert.match(unknown.err, /Did you mean studio\?/);
});

test('kept answers are counted and removed', async () => {
  const run = () => kith(['run', 'Count.', '-m', 'mock-model', '--temperature', '0', ...at]);
  const [first, second] = [await run(), await run()];
  assert.equal(first.out, second.out);
  assert.match(
    (await kithProcess(['cache', 'stats', ...at])).out,
    /served +1 of 2 requests \(50 %\): 1 the same/,
  );
  assert.deepEqual(await json('cache', 'clear', '--older-than', '7d'), { removed: 0 });
  const wrong = await kith(['cache', 'clear', '--older-than', 'soon', ...at]);
  assert.deepEqual([wrong.code, wrong.out], [2, '']);
  assert.equal((await kith(['cache', 'clear', '-m', 'mock-model', ...at])).out, 'Removed 1 answer.\n');
});

test('the router tells what it learnt, and its thresholds are set', async () => {
  assert.match((await kith(['router', 'versions', ...at])).out, /No version yet/);
  const set = await kithProcess(['router', 'threshold', '--agent', 'planner', '--target', '0.2', ...at]);
  assert.match(set.out, /^planner: above 0\.800 to the frontier model \(target 20 %/);
  assert.match(set.out, /set by hand/);
  const { out } = await kith(['router', 'status', ...at]);
  assert.match(out, /version +none yet/);
  assert.match(out, /^planner +20 % +0\.800/m);
  assert.equal((await kith(['router', 'threshold', '--target', '2', ...at])).code, 2);
  assert.match((await kith(['router', 'refit', ...at])).out, /too few outcomes/);
  const nowhere = await kith(['router', 'rollback', '4', ...at]);
  assert.deepEqual([nowhere.code, nowhere.out], [1, '']);
  assert.match(nowhere.err, /There is no version 4/);
  assert.equal((await kith(['router', 'rollback', 'last', ...at])).code, 2);
});

test('without a running node they say how to start one', async () => {
  await using empty = await createHome();
  const { code, err } = await kith(['cache', 'stats', '--home', empty.path]);
  assert.equal(code, 1);
  assert.match(err, /No node is running on .* Start one with: kith start --home/);
});

/** `kith shard serve`, `status` and `stop` on a node that runs, and on one that was killed. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { createSeededRandom } from '../src/base/index.ts';
import { createIdentity } from '../src/identity/index.ts';
import { createModelStore } from '../src/models/index.ts';
import type { ServedView, ServingView } from '../src/server/index.ts';
import { begin, kith, type Running, stopAll } from './cli-support.ts';
import { testModel } from './models/index.ts';
import { swarmHome, until } from './swarm-support.ts';

let home: string;
let node: Running;

const run = (...args: string[]) => kith(['shard', ...args, '--home', home]);

async function start(): Promise<void> {
  node = begin(['start', '--home', home]);
  await node.said('ready');
}

before(async () => {
  const friend = createIdentity(createSeededRandom(5).bytes(32)).peerId;
  home = await swarmHome({
    'swarm.friends': friend,
    'engine.threads': 1,
    'engine.device': 'cpu',
    'engine.context': 256,
    'engine.kvCells': 512,
  });
  await using store = createModelStore({ home });
  await store.add(await testModel('stories15m-f16'), { id: 'stories', link: true, task: 'chat' });
});
after(async () => {
  stopAll();
  await node?.ended;
  await rm(home, { recursive: true, force: true });
});

test('without a node it says how to start one, also from this command', async () => {
  const { code, err } = await run('serve', '--model', 'stories');
  assert.equal(code, 1);
  assert.match(err, /kith start/);
  assert.match(err, /kith shard serve .*--start/);
});

test('a range that makes no sense is refused before anything is asked', async () => {
  const { code, err } = await run('serve', '--auto', '--start-block', '2');
  assert.equal(code, 2);
  assert.match(err, /--start-block/);
});

test('serve waits until the blocks are ready and tells whom they are for and how they are used', async () => {
  await start();
  const empty = await run('status');
  assert.equal(empty.code, 0);
  assert.match(empty.out, /serves no blocks/);
  const { code, out } = await run('serve', '--model', 'stories', '--start-block', '2', '--blocks', '2');
  assert.equal(code, 0, out);
  assert.match(out, /ready: blocks 2-3 of the 6 of stories/);
  assert.match(out, /your 1 friend and nobody else/);
  assert.match(out, /shards\.serveTier/);
  assert.match(out, /swarm\.friends 12D3KooW/);
  const { out: shown } = await run('status');
  assert.match(shown, /stories +2-3 of 6 +ready/);
  assert.match(shown, /room for 512 tokens/);
});

test('what cannot be served fails with the reason, and the rest stays', async () => {
  const { code, err } = await run('serve', '--model', 'stories', '--start-block', '3', '--blocks', '2');
  assert.equal(code, 1);
  assert.match(err, /served already/);
  assert.equal((await run('serve', '--model', 'nobody')).code, 1);
  const { out } = await run('status', '--json');
  assert.equal((JSON.parse(out) as ServingView).served.length, 1);
});

test('a node that was killed serves the same when it is started again, until it is told to stop', async () => {
  node.child.kill('SIGKILL');
  await node.ended;
  await start();
  const view = await until(
    async () => JSON.parse((await run('status', '--json')).out) as ServingView,
    ({ served }) => served[0]?.state === 'ready',
  );
  assert.deepEqual([view.served[0]!.from, view.served[0]!.to], [2, 4]);
  const { code, out } = await run('stop', 'stories', '--json');
  assert.equal(code, 0);
  assert.equal((JSON.parse(out) as ServedView[]).length, 1);
  assert.match((await run('status')).out, /serves no blocks/);
  assert.equal((await run('stop')).code, 1);
});

test('with --start the command starts a node that is not running, unless it could serve nobody', {
  timeout: 60_000,
}, async () => {
  node.child.kill('SIGKILL');
  await node.ended;
  const serve = (...more: string[]) =>
    begin(['shard', 'serve', '--start', '--model', 'stories', '--blocks', '2', ...more, '--home', home])
      .ended;
  const off = await serve('--start-block', '0', '--swarm-enabled=false');
  assert.equal(off.code, 1);
  assert.match(off.err, /swarm of this node is off.*kith config set .*swarm\.enabled true/);
  assert.equal((await run('status')).code, 1, 'a node was started');

  const begun = await serve('--start-block', '0');
  assert.equal(begun.code, 0, begun.err);
  assert.match(begun.out, /Kith runs in the background at .*\nready: blocks 0-1 of the 6 of stories/);
  const again = await serve('--start-block', '0', '--json');
  assert.equal((JSON.parse(again.out) as ServedView).state, 'ready');
  assert.equal((await begin(['stop', '--home', home]).ended).code, 0);
  // It is what the node serves from then on.
  await start();
  const { served } = await until(
    async () => JSON.parse((await run('status', '--json')).out) as ServingView,
    (view) => view.served[0]?.state === 'ready',
  );
  assert.deepEqual([served[0]!.from, served[0]!.to], [0, 2]);
});

test('blocks that the node chose go on when it is told to choose again', async () => {
  assert.equal((await run('stop')).code, 0);
  const auto = (...more: string[]) => run('serve', '--model', 'stories', '--auto', ...more);
  const first = await auto('--blocks', '3', '--json');
  const { from, to } = JSON.parse(first.out) as ServedView;
  assert.equal(to - from, 3);
  const again = await auto('--blocks', '3');
  assert.match(again.out, new RegExp(`^ready: blocks ${from}-${to - 1} of the 6 of stories`));
  assert.match(
    (await run('gap', 'stories')).out,
    /kith shard stop .*stories && kith shard serve|already, where it helps most/,
  );
});

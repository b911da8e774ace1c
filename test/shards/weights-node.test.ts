/** A node that needs blocks of a model it does not have: it gets their bytes from a friend's node, and no others. */
import assert from 'node:assert/strict';
import { readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setInFile } from '../../src/base/index.ts';
import { createModelStore } from '../../src/models/index.ts';
import type { ServedView, ServingView } from '../../src/server/index.ts';
import { kith, stopAll } from '../cli-support.ts';
import { sameTensors } from '../model-store/blocks-support.ts';
import { testModel } from '../models/index.ts';
import { type SwarmNode, startSwarmNode, swarmHome, until } from '../swarm-support.ts';

const ID = 'stories15m';
let whole: string;
let owner: SwarmNode;
let asker: SwarmNode;
let peer: string;

before(async () => {
  whole = await testModel('stories15m-f16');
  const settings = {
    'engine.threads': 1,
    'engine.device': 'cpu',
    'engine.context': 256,
    'engine.kvCells': 4096,
    'shards.pathCells': 256,
    'shards.serveTier': 'unknown',
    // What is not to be had from a peer is not to be had.
    'models.registry': 'http://127.0.0.1:9',
  };
  const [theirs, mine] = await Promise.all([swarmHome(settings), swarmHome(settings)]);
  {
    await using store = createModelStore({ home: theirs });
    const { sha256 } = (await store.get(ID)).manifest;
    await store.add(whole, { id: ID, link: true, sha256 });
  }
  owner = await startSwarmNode(theirs);
  const view = await owner.view();
  peer = view.peer!;
  await setInFile(mine, 'swarm.friends', peer);
  asker = await startSwarmNode(mine);
  await asker.call('POST', '/connect', { target: view.addresses[0]! });
});
after(async () => {
  stopAll();
  await Promise.all([owner, asker].map((node) => node[Symbol.asyncDispose]()));
});

test('blocks that are to be served come from a friend that has the model', async () => {
  await asker.call<ServedView>('POST', '/../shards/serving', { model: ID, from: 2, blocks: 2 });
  const { served } = await until(
    () => asker.call<ServingView>('GET', '/../shards/serving'),
    (view) => view.served.some(({ state }) => state === 'ready' || state === 'failed'),
  );
  assert.deepEqual(
    served.map(({ state, problem }) => [state, problem]),
    [['ready', null]],
  );
  const file = join(asker.home, 'models', ID, 'blocks.gguf');
  assert.ok(await sameTensors(whole, file, { from: 2, to: 4 }));
  const { blocks } = await stat(file);
  assert.ok(process.platform === 'win32' || blocks * 512 < 6_000_000, String(blocks));
});

test('kith shard download has the running node ask its peers, and fetches only what is missing', async () => {
  const got = await kith([
    'shard',
    'download',
    ID,
    '--start-block',
    '1',
    '--blocks',
    '3',
    '--home',
    asker.home,
  ]);
  assert.equal(got.code, 0, got.err);
  assert.match(got.err, /downloading stories15m/);
  assert.match(got.out, /^stories15m: blocks 1 to 3 of 6 blocks are here/);
  assert.match(got.out, new RegExp(`Fetched 1\\.[0-9]+ MB of .* from peer ${peer}\n$`));
  assert.ok(await sameTensors(whole, join(asker.home, 'models', ID, 'blocks.gguf'), { from: 1, to: 4 }));
  const again = await kith([
    'shard',
    'download',
    ID,
    '--start-block',
    '1',
    '--blocks',
    '3',
    '--home',
    asker.home,
  ]);
  assert.match(again.out, /Nothing had to be fetched/);
  const beyond = await kith([
    'shard',
    'download',
    ID,
    '--start-block',
    '4',
    '--blocks',
    '9',
    '--home',
    asker.home,
  ]);
  assert.match(beyond.err, /no blocks \[4, 13\) in a model of 6 blocks/);
});

test('without a node only the sources are asked, and the command says so', async () => {
  const home = await swarmHome({ 'models.registry': 'http://127.0.0.1:9' });
  const got = await kith(['shard', 'download', ID, '--ends', '--home', home]);
  assert.equal(got.code, 1);
  assert.match(got.err, /No node of a swarm runs here, so that no peer is asked/);
  await rm(home, { recursive: true, force: true });
});

test('who asks over peers without the ends of the model is told the command that gets them, or gets them while he waits', async () => {
  await owner.call('POST', '/../shards/serving', { model: ID, from: 0, blocks: 6 });
  await until(
    () => asker.call<{ path: object | null }>('GET', `/../shards/plan?model=${ID}`),
    ({ path }) => path !== null,
  );
  const ask = () =>
    fetch(`${asker.node.url}/v1/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: `${ID}@peers`, prompt: 'Once upon a time', max_tokens: 4 }),
    });
  const refused = await until(ask, ({ status }) => status !== 404);
  assert.equal(refused.status, 409);
  const { error } = (await refused.json()) as { error: { code: string; message: string } };
  assert.equal(error.code, 'model_not_installed');
  assert.match(error.message, /kith shard download stories15m --ends$/);
  const run = ['shard', 'run', '--model', ID, '--max-tokens', '4', '--home', asker.home, 'Once upon a time'];
  const told = await kith(run);
  assert.equal(told.code, 0, told.err);
  assert.match(told.err, /Fetched \d.* MB: the embedding and the head of stories15m/);
  const again = await kith(run);
  assert.equal(again.code, 0, again.err);
  assert.doesNotMatch(again.err, /Fetched/);
  assert.equal((await ask()).status, 200);
});

test('a client that leaves ends the download, and what came stays', async () => {
  // A source that says nothing more after the header of the model: the peers are not asked for what a friend lacks.
  const model = await readFile(await testModel('stories15m-q8_0'));
  let asked = 0;
  let stalls = true;
  const server = createServer((request, response) => {
    asked++;
    const [, first = '0', last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
    const start = Number(first);
    const end = last ? Math.min(Number(last), model.length - 1) : model.length - 1;
    response.writeHead(206, {
      'content-range': `bytes ${start}-${end}/${model.length}`,
      'content-length': end - start + 1,
      etag: '"a"',
    });
    if (!stalls) response.end(model.subarray(start, end + 1));
    else response.write(model.subarray(start, Math.min(end + 1, start + 100_000)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  using _server = {
    [Symbol.dispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
  {
    const away = await swarmHome();
    await using store = createModelStore({ home: away });
    await store.add(await testModel('stories15m-q8_0'), { id: 'slow', link: true });
    const list = await store.tensorList('slow');
    const { manifest } = await store.get('slow');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/model.gguf`;
    await using mine = createModelStore({ home: asker.home });
    await mine.adopt({ ...manifest, sources: [{ parts: [url] }] }, list);
    await rm(away, { recursive: true, force: true });
  }
  const { token } = JSON.parse(await readFile(join(asker.home, 'run', 'node.json'), 'utf8')) as {
    token: string;
  };
  const fetchBlocks = (signal?: AbortSignal) =>
    fetch(`${asker.node.url}/kith/v1/shards/weights`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'slow', from: 0, to: 6 }),
      ...(signal && { signal }),
    });
  const leaving = new AbortController();
  const response = await fetchBlocks(leaving.signal);
  assert.equal(response.status, 200);
  await until(
    async () => asked,
    (times) => times > 0,
  );
  stalls = false;
  leaving.abort();
  // The one that is under way holds the model: the next one comes to its turn.
  const text = await (await fetchBlocks()).text();
  assert.match(text, /data: \{"done":\{"path":/);
  assert.match(text, /data: \[DONE\]\n\n$/);
});

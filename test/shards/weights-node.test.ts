/** A node that serves blocks of a model it does not have: it gets their bytes from a friend's node, and no others. */
import assert from 'node:assert/strict';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setInFile } from '../../src/base/index.ts';
import { createModelStore } from '../../src/models/index.ts';
import type { ServedView, ServingView } from '../../src/server/index.ts';
import { sameTensors } from '../model-store/blocks-support.ts';
import { testModel } from '../models/index.ts';
import { startSwarmNode, swarmHome, until } from '../swarm-support.ts';

const ID = 'stories15m';

test('blocks that are to be served come from a friend that has the model', async () => {
  const path = await testModel('stories15m-f16');
  const settings = {
    'engine.threads': 1,
    'engine.device': 'cpu',
    'engine.context': 256,
    'engine.kvCells': 512,
    'shards.serveTier': 'unknown',
  };
  const [theirs, mine] = await Promise.all([swarmHome(settings), swarmHome(settings)]);
  await using _homes = {
    async [Symbol.asyncDispose]() {
      for (const home of [theirs, mine]) await rm(home, { recursive: true, force: true });
    },
  };
  let sha256: string;
  {
    await using store = createModelStore({ home: theirs });
    ({ sha256 } = (await store.get(ID)).manifest);
    await store.add(path, { id: ID, link: true, sha256 });
  }
  await using owner = await startSwarmNode(theirs);
  const { peer, addresses } = await owner.view();
  await setInFile(mine, 'swarm.friends', peer!);
  await using asker = await startSwarmNode(mine);
  const serve = () => asker.call<ServedView>('POST', '/../shards/serving', { model: ID, from: 2, blocks: 2 });
  await asker.call('POST', '/connect', { target: addresses[0]! });
  await serve();
  const { served } = await until(
    () => asker.call<ServingView>('GET', '/../shards/serving'),
    (view) => view.served.some(({ state }) => state === 'ready' || state === 'failed'),
  );
  assert.deepEqual(
    served.map(({ state, problem }) => [state, problem]),
    [['ready', null]],
  );
  const file = join(mine, 'models', ID, 'blocks.gguf');
  assert.ok(await sameTensors(path, file, { from: 2, to: 4 }));
  const { blocks } = await stat(file);
  assert.ok(process.platform === 'win32' || blocks * 512 < 6_000_000, String(blocks));
});

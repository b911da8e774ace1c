import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  createManualClock,
  createSeededRandom,
  isKithError,
  resolveConfig,
  silentLogger,
} from '../base/index.ts';
import { createIdentity } from '../identity/index.ts';
import { createNodeSwarm, type NodeSwarm, RETRY_MS } from './swarm.ts';
import { noReceipts } from './swarm-receipts.ts';

const home = await mkdtemp(join(tmpdir(), 'kith-swarm-'));
after(() => rm(home, { recursive: true, force: true }));

const clock = createManualClock();
const nothing = () => assert.fail('nobody is served');

function create(flags: Readonly<Record<string, unknown>>): NodeSwarm {
  return createNodeSwarm({
    config: resolveConfig({ home, env: {}, flags }).config,
    identity: createIdentity(createSeededRandom(1).bytes(32)),
    engine: { models: async () => [], chat: nothing, embed: nothing },
    receipts: noReceipts,
    models: { list: async () => [] },
    clock,
    random: createSeededRandom(2),
    log: silentLogger,
  });
}

const hasCode = (code: string) => (error: unknown) => isKithError(error) && error.code === code;

test('a swarm that is off says so and refuses what needs it', async () => {
  const swarm = create({});
  swarm.start();
  assert.equal(swarm.summary().state, 'off');
  assert.match(swarm.summary().peer, /^12D3KooW/);
  await assert.rejects(swarm.desk.peers(1), hasCode('swarm_off'));
  await swarm.close();
});

test('a swarm that cannot start tells why, tries again after a while, and can be closed meanwhile', async () => {
  const swarm = create({ 'swarm.enabled': true, 'swarm.pskFile': join(home, 'none') });
  assert.equal(swarm.summary().state, 'starting');
  await assert.rejects(swarm.desk.peers(1), hasCode('swarm_down'));
  swarm.start();
  await assert.rejects(
    swarm.desk.peers(1),
    (error: unknown) => hasCode('swarm_down')(error) && /There is no file at/.test((error as Error).message),
  );
  assert.equal(swarm.summary().state, 'failed');
  assert.equal(clock.sleeping, 1);
  await clock.advance(RETRY_MS);
  const view = await swarm.desk.view();
  assert.equal(view.state, 'failed');
  assert.match(view.message!, /There is no file at/);
  await swarm.close();
  await swarm.close();
  assert.equal(swarm.summary().state, 'off');
  await assert.rejects(swarm.desk.inbox({ unread: false, limit: 1 }), hasCode('swarm_down'));
});

/** A node whose owner wants everything computed twice: over HTTP, with receipts that say what was. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setInFile } from '../../src/base/index.ts';
import { createModelStore } from '../../src/models/index.ts';
import type { Node } from '../../src/node/index.ts';
import { testModel } from '../models/index.ts';
import { createHome, startNode, type TestHome } from '../node-support.ts';
import { peerIdOf } from '../swarm/members.ts';
import { until } from '../swarm-support.ts';
import { type Lender, type Lending, lendingOf } from './lending.ts';

const PEERS = [171, 172];
let home: TestHome;
let node: Node;
let lending: Lending;
let token: string;

interface Answer {
  readonly choices: readonly { readonly message: { readonly content: string } }[];
  readonly kith: {
    readonly path?: {
      readonly shards: readonly { readonly peer: string }[];
      readonly steps: number;
      readonly twice?: {
        readonly by: readonly { readonly peer: string; readonly from: number; readonly to: number }[];
        readonly compared: number;
        readonly alone: number;
        readonly unsettled: number;
      };
    };
  };
}

async function call<T>(path: string, body?: unknown): Promise<T> {
  const response = await fetch(`${node.url}${path}`, {
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  });
  const answer = await response.json();
  assert.ok(response.ok, JSON.stringify(answer));
  return answer as T;
}
const chat = (model: string) =>
  call<Answer>('/v1/chat/completions', {
    ...{ model, max_tokens: 8, temperature: 0, kith: { receipt: true } },
    messages: [{ role: 'user', content: 'Tell me something about the sea.' }],
  });

/** Resolves when a path that leaves out `without` can be planned; what the lenders announce may have to be said again. */
const planned = (lenders: readonly Lender[], paths: number) =>
  until(
    async () => {
      for (const { swarm, announce } of lenders) {
        await call('/kith/v1/swarm/connect', { target: swarm.addresses[0]! });
        announce();
      }
      return call<{ path: unknown; alternatives: { msPerToken: number | null }[] }>(
        '/kith/v1/shards/plan?model=tiny',
      );
    },
    ({ path, alternatives }) =>
      path !== null && (paths === 1 || alternatives.every(({ msPerToken }) => msPerToken !== null)),
  );

before(async () => {
  home = await createHome();
  const path = await testModel('minimind2-q8_0');
  await using store = createModelStore({ home: home.path });
  lending = await lendingOf(path, (await store.get('tiny')).manifest.sha256);
  for (const [key, value] of Object.entries({
    'swarm.enabled': true,
    'swarm.network': 'lan',
    'swarm.listen': '/ip4/127.0.0.1/tcp/0',
    'swarm.connectionsPerSecond': 1000,
    'swarm.friends': PEERS.map(peerIdOf).join(','),
    'shards.pathCells': 512,
    'shards.redundancy': 2,
  }))
    await setInFile(home.path, key, value);
  node = await startNode(home);
  ({ token } = JSON.parse(await readFile(join(home.path, 'run', 'node.json'), 'utf8')));
});
after(async () => {
  await node.close();
  await lending[Symbol.asyncDispose]();
  await home.remove();
});

test('an answer is computed by two peers, and its receipt says so; with one of them it is computed once, and says that', async () => {
  const [one, other] = [await lending.lend(PEERS[0]!, 0, 8), await lending.lend(PEERS[1]!, 0, 8)];
  await planned([one, other], 2);
  const here = await chat('tiny');
  await until(
    async () => (await call<{ data: { id: string }[] }>('/v1/models')).data.map(({ id }) => id),
    (ids) => ids.includes('tiny@peers'),
  );
  const twice = await chat('tiny@peers');
  assert.equal(twice.choices[0]!.message.content, here.choices[0]!.message.content);
  const { shards, steps, twice: report } = twice.kith.path!;
  assert.deepEqual(report, {
    ...{ compared: steps, alone: 0, unsettled: 0 },
    by: [{ peer: shards[0]!.peer === one.peer ? other.peer : one.peer, from: 0, to: 8 }],
  });
  const gone = shards[0]!.peer === one.peer ? other : one;
  await gone[Symbol.asyncDispose]();
  const alone = await chat('tiny@peers');
  assert.equal(alone.choices[0]!.message.content, here.choices[0]!.message.content);
  const { by, compared, alone: once } = alone.kith.path!.twice!;
  assert.deepEqual([by, alone.kith.path!.shards.length], [[], 1]);
  assert.ok(once > 0 && once + compared === alone.kith.path!.steps);
});

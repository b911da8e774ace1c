/** A node asks a model whose blocks its friends have: over HTTP, with everything that it could ask of the model at home. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setInFile } from '../../src/base/index.ts';
import { createModelStore } from '../../src/models/index.ts';
import type { Node } from '../../src/node/index.ts';
import type { PathPlanView } from '../../src/server/index.ts';
import { testModel } from '../models/index.ts';
import { createHome, startNode, type TestHome } from '../node-support.ts';
import { peerIdOf } from '../swarm/members.ts';
import { until } from '../swarm-support.ts';
import { type Lender, type Lending, lendingOf } from './lending.ts';

let home: TestHome;
let node: Node;
let lending: Lending;
/** Blocks [0, 3) and [3, 8) of `tiny`. */
let first: Lender;
let second: Lender;
let token: string;

const PEERS = [71, 72, 73, 74, 75, 76];

async function call<T>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<T> {
  const response = await fetch(`${node.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as T & { error?: { code: string; message: string } };
  if (!response.ok)
    throw Object.assign(new Error(answer.error?.message), {
      code: answer.error?.code,
      status: response.status,
    });
  return answer;
}

interface Answer {
  readonly model: string;
  readonly choices: readonly {
    readonly message: {
      readonly content: string | null;
      readonly tool_calls?: readonly { function: { name: string; arguments: string } }[];
    };
    readonly finish_reason: string;
    readonly logprobs: { content: { token: string; logprob: number }[] } | null;
  }[];
  readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number };
  readonly kith: {
    readonly backend: string;
    readonly route: { readonly step: string; readonly privacy: { where: string } };
    readonly path?: {
      readonly circuit: string;
      readonly span: { from: number; to: number };
      readonly shards: readonly { peer: string; from: number; to: number }[];
      readonly lost: readonly { peer: string; reason: string }[];
      readonly joined: readonly { peer: string }[];
      readonly steps: number;
    };
  };
}

const chat = (model: string, more: Record<string, unknown> = {}): Promise<Answer> =>
  call('POST', '/v1/chat/completions', {
    model,
    messages: [{ role: 'user', content: 'Tell me something about the sea.' }],
    max_tokens: 12,
    temperature: 0,
    kith: { receipt: true },
    ...more,
  });

const plan = (query = '') => call<PathPlanView>('GET', `/kith/v1/shards/plan?model=tiny${query}`);

const models = async () =>
  (await call<{ data: { id: string }[] }>('GET', '/v1/models')).data.map(({ id }) => id);

before(async () => {
  home = await createHome();
  const path = await testModel('minimind2-q8_0');
  await using store = createModelStore({ home: home.path });
  const { sha256 } = (await store.get('tiny')).manifest;
  lending = await lendingOf(path, sha256);
  [first, second] = await Promise.all([lending.lend(PEERS[0]!, 0, 3), lending.lend(PEERS[1]!, 3, 8)]);
  for (const [key, value] of Object.entries({
    'swarm.enabled': true,
    'swarm.network': 'lan',
    'swarm.listen': '/ip4/127.0.0.1/tcp/0',
    'swarm.connectionsPerSecond': 1000,
    'swarm.friends': PEERS.map(peerIdOf).join(','),
    'swarm.bootstrap': [first, second].map(({ swarm }) => swarm.addresses[0]!).join(','),
    'shards.pathCells': 512,
  }))
    await setInFile(home.path, key, value);
  node = await startNode(home);
  ({ token } = JSON.parse(await readFile(join(home.path, 'run', 'node.json'), 'utf8')));
  await until(plan, ({ path }) => path !== null);
  await until(models, (ids) => ids.includes('tiny@peers'));
});
after(async () => {
  await node.close();
  await lending[Symbol.asyncDispose]();
  await home.remove();
});

test('answers over peers are those of the model at home, and the receipt names who computed what', async () => {
  const [here, over] = [await chat('tiny'), await chat('tiny@peers')];
  assert.equal(over.choices[0]!.message.content, here.choices[0]!.message.content);
  assert.deepEqual(over.usage, here.usage);
  assert.equal(here.kith.path, undefined);
  assert.equal(over.kith.route.step, 'swarm');
  assert.equal(over.kith.route.privacy.where, 'peer');
  assert.deepEqual(over.kith.path!.shards, [
    { peer: first.peer, from: 0, to: 3 },
    { peer: second.peer, from: 3, to: 8 },
  ]);
  assert.deepEqual([over.kith.path!.lost, over.kith.path!.joined], [[], []]);
  assert.ok(over.kith.path!.steps >= 12);
});

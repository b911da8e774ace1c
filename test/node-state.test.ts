/** What a node says of itself, and what its configuration does to requests, over real sockets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '../src/base/index.ts';
import { createModelStore } from '../src/models/index.ts';
import { createNode, readRunFile } from '../src/node/index.ts';
import { testModel } from './models/index.ts';
import { configOf, createHome, startNode } from './node-support.ts';

const headers = { 'content-type': 'application/json' };
const post = (url: string, body: unknown) =>
  fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
const question = { messages: [{ role: 'user', content: 'Who are you?' }], temperature: 0, max_tokens: 1 };

interface Failure {
  readonly error: { readonly code: string; readonly param: string | null; readonly message: string };
}

test('a node whose default model came late is degraded until a request loads it', async () => {
  await using home = await createHome();
  const config = configOf(home, { 'models.default': 'late' });
  await using node = await createNode({ config, log: silentLogger, version: '0.0.0-test' });
  await assert.rejects(node.ready, { code: 'model_not_found' });
  const health = async () => {
    const answer = (await (await fetch(`${node.url}/health`)).json()) as {
      status: string;
      message: string | null;
      llm: { status: string };
      requests: { active: number; total: number };
    };
    return [answer.status, answer.llm.status, answer.message !== null, answer.requests.active];
  };
  assert.deepEqual(await health(), ['degraded', 'degraded', true, 0]);
  assert.equal((await node.status()).state, 'degraded');
  {
    await using store = createModelStore({ home: home.path });
    await store.add(await testModel('minimind2-q8_0'), { id: 'late', link: true, task: 'chat' });
  }
  // Another model that fails says nothing of the node.
  assert.equal((await post(`${node.url}/v1/chat/completions`, { ...question, model: 'none' })).status, 404);
  const answer = await post(`${node.url}/v1/chat/completions`, question);
  assert.equal(answer.status, 200, await answer.text());
  assert.deepEqual(await health(), ['ok', 'ok', false, 0]);
  assert.deepEqual([(await node.status()).state, (await node.status()).message], ['ready', null]);
});

test('engine.overflow decides for requests that do not, and a model that is unloaded is loaded by the next one', async () => {
  await using home = await createHome();
  await using node = await startNode(home, { 'engine.overflow': 'slide', 'engine.context': 64 });
  const long = { ...question, messages: [{ role: 'user', content: 'word '.repeat(200) }] };
  const chat = `${node.url}/v1/chat/completions`;
  const slid = await post(chat, long);
  assert.equal(slid.status, 200, await slid.text());
  const refused = await post(chat, { ...long, kith: { overflow: 'error' } });
  assert.equal(((await refused.json()) as Failure).error.code, 'context_length_exceeded');
  const kept = await post(chat, { ...long, kith: { keep_tokens: 100 } });
  const { error } = (await kept.json()) as Failure;
  assert.deepEqual([kept.status, error.param], [400, 'kith.keep_tokens']);
  assert.match(error.message, /kith\.keep_tokens is 100/);

  const { token } = (await readRunFile(home.path))!;
  const unload = async (model: string) => {
    const response = await fetch(`${node.url}/kith/v1/models/${model}/unload`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
    });
    return (await response.json()) as unknown;
  };
  assert.deepEqual(await unload('nobody'), { unloaded: false });
  assert.deepEqual(await unload('tiny'), { unloaded: true });
  assert.deepEqual((await node.status()).loaded, []);
  assert.equal((await post(chat, question)).status, 200);
});

test('models of the catalogue belong to kith, others to the user', async () => {
  await using home = await createHome();
  await using node = await startNode(home);
  const { data } = (await (await fetch(`${node.url}/v1/models`)).json()) as {
    data: { id: string; owned_by: string }[];
  };
  const owners = new Map(data.map(({ id, owned_by }) => [id, owned_by]));
  assert.equal(owners.get('tiny'), 'user');
  assert.equal(owners.get('tinyllama-1.1b-chat'), 'kith');
  for (const [id, owner] of owners)
    assert.equal(owner, id.startsWith('tiny-') || id === 'tiny' ? 'user' : 'kith', id);
});

test('a logit bias for a token that the model does not have is refused in the words of the body', async () => {
  await using home = await createHome();
  await using node = await startNode(home);
  for (const token of [99_999_999, 100_000]) {
    const response = await post(`${node.url}/v1/chat/completions`, {
      ...question,
      logit_bias: { [token]: 1 },
    });
    const { error } = (await response.json()) as Failure;
    assert.deepEqual([response.status, error.code, error.param], [400, 'token_invalid', 'logit_bias']);
    assert.match(
      error.message,
      new RegExp(`^\`logit_bias\` names token ${token}; this model's tokens are 0 to \\d+`),
    );
  }
});

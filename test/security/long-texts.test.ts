/** Texts that are far too long, sent to a real node: refused without holding up anybody. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Node } from '../../src/node/index.ts';
import { createHome, startNode, type TestHome } from '../node-support.ts';

let home: TestHome;
let node: Node;
before(async () => {
  home = await createHome();
  node = await startNode(home);
});
after(async () => {
  await node.close();
  await home.remove();
});

interface Answer {
  readonly status: number;
  readonly body: {
    readonly error?: { readonly code?: string; readonly message: string; readonly param?: string };
    readonly data?: readonly unknown[];
    readonly usage?: { readonly prompt_tokens: number };
  };
}

async function post(path: string, body: string): Promise<Answer> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(node.url + path, { method: 'POST', headers, body });
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}

const chat = (content: string, more: Record<string, unknown> = {}) =>
  post(
    '/v1/chat/completions',
    JSON.stringify({ model: 'tiny', max_tokens: 1, messages: [{ role: 'user', content }], ...more }),
  );
const embed = (input: string, more: Record<string, unknown> = {}) =>
  post('/v1/embeddings', JSON.stringify({ input, ...more }));

test('while 9 MB of text to embed are refused, others are answered', async () => {
  assert.equal((await chat('Hi')).status, 200);
  assert.equal((await embed('Hi')).status, 200);
  // Each takes many turns of the text process, and they come one after the other.
  const long = [1, 2, 3].map(() => embed('a'.repeat(9_500_000)));
  let over = false;
  const all = Promise.all(long).then(() => {
    over = true;
  });
  // One after the other, so that those after the first few are sent while the long ones are worked on.
  let answered = 0;
  while (!over) {
    const { status } = await (answered % 2 === 0 ? embed('Hi') : chat('Hi'));
    assert.equal(status, 200);
    if (!over) answered++;
  }
  await all;
  assert.ok(answered >= 8, `${answered} were answered before the long ones`);
  for (const { status, body } of await Promise.all(long)) {
    assert.equal(status, 400);
    assert.equal(body.error?.code, 'input_too_long');
    assert.match(body.error.message, /^Input 0 has more than 512 tokens;/);
  }
});

test('prompts of millions of tokens are too long for the context, however they are sent', async () => {
  const long = 'a'.repeat(8_000_000);
  for (const answer of [
    await chat(long),
    await chat(long, { kith: { overflow: 'slide' } }),
    await post('/v1/completions', JSON.stringify({ model: 'tiny', max_tokens: 1, prompt: long })),
    await post(
      '/v1/completions',
      JSON.stringify({ model: 'tiny', max_tokens: 1, prompt: Array(4_500_000).fill(5) }),
    ),
  ]) {
    assert.equal(answer.status, 400);
    assert.equal(answer.body.error?.code, 'context_length_exceeded');
    assert.match(answer.body.error.message, /^The prompt has (more than )?\d+ tokens/);
  }
});

test('tokens are counted up to four times the context', async () => {
  const count = (content: string) =>
    post(
      '/v1/messages/count_tokens',
      JSON.stringify({ model: 'tiny', messages: [{ role: 'user', content }] }),
    );
  const responses = (input: string) =>
    post('/v1/responses/input_tokens', JSON.stringify({ model: 'tiny', input }));
  for (const route of [count, responses]) {
    const { status, body } = await route('a b '.repeat(1_000_000));
    assert.equal(status, 400);
    assert.match(JSON.stringify(body), /context_length_exceeded/);
    assert.match(body.error!.message, /^The prompt has more than 131072 tokens/);
    assert.equal((await route('a b '.repeat(20_000))).status, 200);
  }
});

test('a long text that is to be cut is embedded as its beginning', async () => {
  const vectorOf = async (input: string) => {
    const { status, body } = await embed(input, { kith: { truncate: true } });
    assert.equal(status, 200);
    assert.equal(body.usage?.prompt_tokens, 512);
    return JSON.stringify(body.data);
  };
  const words = 'The quick brown fox jumps. ';
  assert.equal(await vectorOf(words.repeat(300_000)), await vectorOf(words.repeat(120)));
});

/** Embeddings, completions and models of a whole node: what OpenAI's clients rely on beyond chat. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createModelStore } from '../src/models/index.ts';
import type { Node } from '../src/node/index.ts';
import { testModel } from './models/index.ts';
import { createHome, startNode, type TestHome } from './node-support.ts';

let home: TestHome;
let node: Node;

before(async () => {
  home = await createHome();
  await using store = createModelStore({ home: home.path });
  await store.add(await testModel('minilm-q8_0'), { id: 'tiny-mrl', link: true });
  const path = join(home.path, 'models', 'tiny-mrl', 'manifest.json');
  const manifest = JSON.parse(await readFile(path, 'utf8')) as object;
  await writeFile(path, JSON.stringify({ ...manifest, matryoshka: 32 }));
  node = await startNode(home);
});
after(async () => {
  await node.close();
  await home.remove();
});

const post = (path: string, body: unknown) =>
  fetch(node.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

async function ask<T>(path: string, body: unknown): Promise<T> {
  const response = await post(path, body);
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return JSON.parse(text) as T;
}

interface Problem {
  readonly code: string;
  readonly param: string | null;
  readonly message: string;
}
async function errorOf(response: Response): Promise<Problem & { status: number }> {
  const { error } = (await response.json()) as { error: Problem };
  return { ...error, status: response.status };
}

interface Vectors {
  readonly data: { readonly index: number; readonly embedding: number[] & string }[];
  readonly usage: { readonly prompt_tokens: number; readonly total_tokens: number };
}
const embed = (body: object) => ask<Vectors>('/v1/embeddings', body);

test('a model that was trained for it gives shorter vectors: the first numbers, of length 1', async () => {
  const body = { model: 'tiny-mrl', input: ['A cat.', 'Stock prices.'] };
  const whole = await embed(body);
  for (const dimensions of [32, 100, 384]) {
    const cut = await embed({ ...body, dimensions });
    const packed = await embed({ ...body, dimensions, encoding_format: 'base64' });
    for (const [row, { embedding }] of cut.data.entries()) {
      const start = whole.data[row]!.embedding.slice(0, dimensions);
      const length = Math.hypot(...start);
      assert.equal(embedding.length, dimensions);
      for (const [i, value] of embedding.entries()) assert.ok(Math.abs(value - start[i]! / length) < 1e-6);
      const bytes = Buffer.from(packed.data[row]!.embedding, 'base64');
      assert.equal(bytes.length, dimensions * 4);
      assert.equal(bytes.readFloatLE(4), Math.fround(embedding[1]!));
    }
  }
});

test('a model that was not trained for it says how long its vectors are', async () => {
  const refused = await errorOf(await post('/v1/embeddings', { input: 'a', dimensions: 256 }));
  assert.deepEqual([refused.status, refused.code, refused.param], [400, 'invalid_value', 'dimensions']);
  assert.match(refused.message, /'tiny-embed' makes vectors of 384 numbers/);
  const beyond = await post('/v1/embeddings', { model: 'tiny-mrl', input: 'a', dimensions: 16 });
  assert.match((await errorOf(beyond)).message, /'tiny-mrl' have 32 to 384 numbers/);
  assert.equal((await embed({ input: 'a', dimensions: 384 })).data[0]!.embedding.length, 384);
});

test('inputs may be tokens, and wrong ones are named', async () => {
  const { data, usage } = await embed({ input: [[2023, 2003], [4937]] });
  assert.deepEqual(
    data.map(({ index, embedding }) => [index, embedding.length]),
    [
      [0, 384],
      [1, 384],
    ],
  );
  assert.ok(usage.prompt_tokens >= 3 && usage.total_tokens === usage.prompt_tokens);
  const one = await embed({ input: [2023, 2003] });
  assert.deepEqual(one.data[0]!.embedding, data[0]!.embedding);
  const paramOf = async (input: unknown) => {
    const { status, param } = await errorOf(await post('/v1/embeddings', { input }));
    return `${status} ${param}`;
  };
  assert.equal(await paramOf(['a', '']), '400 input[1]');
  assert.equal(await paramOf([]), '400 input');
  assert.equal(await paramOf([[]]), '400 input[0]');
  assert.equal(await paramOf(Array(2049).fill('a')), '400 input');
  assert.match(await paramOf([[1], [9_999_999]]), /^400 /);
});

interface Chunk {
  readonly choices: {
    readonly index: number;
    readonly text: string;
    readonly finish_reason: string | null;
  }[];
  readonly usage?: { readonly completion_tokens: number } | null;
}

test('choices of several prompts are numbered prompt by prompt, whole and streamed', async () => {
  // The end token is banned, so that every choice has its four tokens.
  const body = { prompt: ['One two', 'Red green'], n: 2, max_tokens: 4, seed: 3, logit_bias: { 2: -100 } };
  const whole = await ask<Chunk>('/v1/completions', body);
  assert.deepEqual(
    whole.choices.map(({ index }) => index),
    [0, 1, 2, 3],
  );
  const response = await post('/v1/completions', {
    ...body,
    stream: true,
    stream_options: { include_usage: true, include_obfuscation: true },
  });
  const data = (await response.text()).trim().split('\n\n');
  assert.equal(data.pop(), 'data: [DONE]');
  const chunks = data.map((line) => JSON.parse(line.slice('data: '.length)) as Chunk);
  const texts = ['', '', '', ''];
  for (const { choices } of chunks) for (const { index, text } of choices) texts[index] += text;
  assert.ok(texts.every((text) => text.length > 0));
  const finishes = chunks.flatMap(({ choices }) => choices.filter((each) => each.finish_reason !== null));
  assert.deepEqual(finishes.map(({ index }) => index).sort(), [0, 1, 2, 3]);
  const last = chunks.pop()!;
  assert.deepEqual([last.choices, last.usage?.completion_tokens], [[], 16]);
  assert.ok(chunks.every(({ usage }) => usage === null));
});

test('a stream of a request without stream_options has no usage', async () => {
  const response = await post('/v1/completions', { prompt: 'One', max_tokens: 2, stream: true });
  assert.doesNotMatch(await response.text(), /usage/);
});

test('usage has its details everywhere', async () => {
  const { usage } = await ask<{ usage: object }>('/v1/completions', { prompt: 'One', max_tokens: 2 });
  const { prompt_tokens_details, completion_tokens_details } = usage as Record<string, object>;
  assert.deepEqual(Object.keys(prompt_tokens_details!), ['cached_tokens']);
  assert.deepEqual(completion_tokens_details, { reasoning_tokens: 0 });
});

test('models are listed and found by id; an unknown one is a 404, slashes and all', async () => {
  const get = async (path: string) => (await fetch(node.url + path)).json();
  const { object, data } = (await get('/v1/models')) as { object: string; data: { id: string }[] };
  assert.equal(object, 'list');
  assert.ok(['tiny', 'tiny-embed', 'tiny-mrl'].every((id) => data.some((each) => each.id === id)));
  assert.deepEqual(
    await get('/v1/models/tiny'),
    data.find(({ id }) => id === 'tiny'),
  );
  for (const path of ['owner/model', 'owner%2Fmodel']) {
    const { status, code, param, message } = await errorOf(await fetch(`${node.url}/v1/models/${path}`));
    assert.deepEqual([status, code, param], [404, 'model_not_found', 'model']);
    assert.match(message, /'owner\/model'/);
  }
});

test('a request for a model that is not on this disk is not to be repeated', async () => {
  const response = await post('/v1/completions', { model: 'minimind2-small', prompt: 'a' });
  assert.equal(response.headers.get('x-should-retry'), 'false');
  assert.equal((await errorOf(response)).status, 409);
});

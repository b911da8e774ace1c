/** NS-LLM's routes on a whole node with real models, over real sockets. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Node } from '../src/node/index.ts';
import { createHome, startNode, type TestHome } from './node-support.ts';

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

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(node.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

interface Embedding {
  readonly embedding: number[];
  readonly model: string;
  readonly dimensions: number;
  readonly tokens: number;
  readonly latency_ms: number;
}
interface Answer {
  readonly text: string;
  readonly model: string;
  readonly tokens_generated: number;
  readonly latency_ms: number;
  readonly stop_reason: string;
}
interface Failure {
  readonly error: string;
  readonly code: string;
  readonly param: string | null;
  readonly request_id: string;
}

const question = { prompt: 'Who are you?', temperature: 0, max_tokens: 12 };

/** Events of a stream as [name, data]. */
async function events(response: Response): Promise<[string, Record<string, unknown>][]> {
  assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  return (await response.text())
    .trimEnd()
    .split('\n\n')
    .map((block) => {
      const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(block)!;
      return [name!, JSON.parse(data!) as Record<string, unknown>];
    });
}

test('/embed gives the vector that /v1/embeddings gives', async () => {
  const response = await post('/embed', { text: 'hello world' });
  const { embedding, latency_ms, ...rest } = (await response.json()) as Embedding;
  assert.deepEqual(rest, { model: 'tiny-embed', dimensions: 384, tokens: 4 });
  assert.ok(Number.isInteger(latency_ms));
  assert.equal(response.headers.get('x-kith-model'), 'tiny-embed');
  const other = (await (await post('/v1/embeddings', { input: 'hello world' })).json()) as {
    data: { embedding: number[] }[];
  };
  assert.deepEqual(embedding, other.data[0]!.embedding);
  const named = await post('/embed', { input: 'hello world', model: 'TINY-Embed' });
  assert.deepEqual(((await named.json()) as Embedding).embedding, embedding);
});

test('/generate answers a prompt through the chat template, as a chat does', async () => {
  const response = await post('/generate', question);
  const { text, latency_ms, ...rest } = (await response.json()) as Answer;
  assert.deepEqual(rest, { model: 'tiny', tokens_generated: 12, stop_reason: 'max_tokens' });
  assert.ok(Number.isInteger(latency_ms));
  const chat = (await (
    await post('/v1/chat/completions', {
      messages: [{ role: 'user', content: question.prompt }],
      temperature: 0,
      max_tokens: 12,
    })
  ).json()) as { choices: { message: { content: string } }[] };
  assert.equal(text, chat.choices[0]!.message.content);
});

test('a raw prompt is continued as it stands', async () => {
  const body = { prompt: '<|im_start|>user\nWho', temperature: 0, max_tokens: 5 };
  const { text } = (await (await post('/generate', { ...body, raw: true })).json()) as Answer;
  const completion = (await (await post('/v1/completions', body)).json()) as { choices: { text: string }[] };
  assert.equal(text, completion.choices[0]!.text);
});

test('a stream is meta, tokens and done, asked for in the body or by the accept header', async () => {
  const { text } = (await (await post('/generate', question)).json()) as Answer;
  for (const response of [
    await post('/generate', { ...question, stream: true }),
    await post('/generate', question, { accept: 'text/event-stream' }),
  ]) {
    const list = await events(response);
    const [first, ...tokens] = list.slice(0, -1);
    assert.deepEqual(first, ['meta', { model: 'tiny', received: question.prompt.length }]);
    assert.ok(tokens.every(([name, { idx }], index) => name === 'token' && idx === index));
    assert.equal(tokens.map(([, { token }]) => token).join(''), text);
    const [name, { latency_ms, ...done }] = list.at(-1)!;
    assert.equal(name, 'done');
    assert.ok(Number.isInteger(latency_ms));
    assert.deepEqual(done, {
      done: true,
      token_count: 12,
      model: 'tiny',
      tokens_generated: 12,
      stop_reason: 'max_tokens',
    });
  }
  const whole = await post('/generate', { ...question, stream: false }, { accept: 'text/event-stream' });
  assert.equal(((await whole.json()) as Answer).text, text);
});

test('a stop text ends the answer before it', async () => {
  const { text } = (await (await post('/generate', question)).json()) as Answer;
  const stop = text.slice(5, 8);
  const cut = (await (await post('/generate', { ...question, stop: [stop] })).json()) as Answer;
  assert.equal(cut.stop_reason, 'stop_sequence');
  assert.equal(cut.text, text.slice(0, text.indexOf(stop)));
});

test('errors are a text with a code, on wrong methods too', async () => {
  const told = async (response: Response) => {
    const { error, code, param, request_id } = (await response.json()) as Failure;
    assert.equal(typeof error, 'string');
    assert.equal(request_id, response.headers.get('x-request-id'));
    return [response.status, code, param];
  };
  assert.deepEqual(await told(await post('/generate', {})), [400, 'invalid_value', 'prompt']);
  assert.deepEqual(await told(await post('/embed', {})), [400, 'invalid_type', 'text']);
  assert.deepEqual(await told(await post('/generate', { prompt: 'a', model: 'no' })), [
    404,
    'model_not_found',
    'model',
  ]);
  assert.deepEqual(await told(await post('/embed', { text: 'a', model: 'tiny' })), [
    400,
    'wrong_model_task',
    'model',
  ]);
  assert.deepEqual(await told(await fetch(`${node.url}/generate`)), [405, 'method_not_allowed', null]);
  assert.deepEqual(await told(await fetch(`${node.url}/embed/more`)), [404, 'route_not_found', null]);
  const plain = await fetch(`${node.url}/embed`, { method: 'POST', body: 'text' });
  assert.deepEqual(await told(plain), [415, 'unsupported_media_type', null]);
});

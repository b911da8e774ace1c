/** The HTTP API of a whole node with real models, over real sockets. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Node } from '../src/node/index.ts';
import { createHome, startNode, type TestHome } from './node-support.ts';
import { fc } from './property.ts';

let home: TestHome;
let node: Node;

before(async () => {
  home = await createHome();
  node = await startNode(home, { 'engine.maxActive': 2, 'engine.maxQueue': 1 });
});
after(async () => {
  await node.close();
  await home.remove();
});

const headers = { 'content-type': 'application/json' };
const post = (path: string, body: unknown, signal?: AbortSignal) =>
  fetch(node.url + path, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
    ...(signal ? { signal } : {}),
  });
/** Goes on until it is stopped: the end token is banned. */
const endless = {
  messages: [{ role: 'user', content: 'Go on.' }],
  stream: true,
  max_tokens: 2000,
  temperature: 1.5,
  logit_bias: { 2: -100 },
};
const question = { messages: [{ role: 'user', content: 'Who are you?' }], temperature: 0, seed: 1 };

interface Choice {
  readonly index: number;
  readonly message: { readonly content: string };
  readonly delta: { readonly content?: string };
  readonly text: string;
  readonly finish_reason: string | null;
  readonly logprobs: {
    content: { token: string; logprob: number; bytes: number[]; top_logprobs: unknown[] }[];
  } | null;
}
interface Answer {
  readonly model: string;
  readonly choices: readonly Choice[];
  readonly usage: {
    prompt_tokens: number;
    completion_tokens: number;
    total_tokens: number;
    prompt_tokens_details: { cached_tokens: number };
  };
}

async function ask(path: string, body: unknown): Promise<Answer> {
  const response = await post(path, body);
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return JSON.parse(text) as Answer;
}

async function events(response: Response): Promise<Answer[]> {
  const data = (await response.text())
    .trim()
    .split('\n\n')
    .filter((event) => event.startsWith('data: '));
  assert.equal(data.pop(), 'data: [DONE]');
  return data.map((event) => JSON.parse(event.slice(6)) as Answer);
}

async function errorOf(response: Response): Promise<string> {
  const { error } = (await response.json()) as { error: { code: string; param: string | null } };
  return `${response.status} ${error.code} ${error.param}`;
}

test('a stream says what the whole answer says', async () => {
  const body = { ...question, max_tokens: 24 };
  const whole = await ask('/v1/chat/completions', body);
  const chunks = await events(
    await post('/v1/chat/completions', { ...body, stream: true, stream_options: { include_usage: true } }),
  );
  const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('');
  assert.ok(text.length > 0);
  assert.equal(text, whole.choices[0]!.message.content);
  const last = chunks.at(-1)!;
  assert.deepEqual(last.choices, []);
  assert.equal(last.usage.completion_tokens, whole.usage.completion_tokens);
  assert.equal(whole.usage.total_tokens, whole.usage.prompt_tokens + whole.usage.completion_tokens);
  assert.equal(chunks.filter((chunk) => chunk.choices[0]?.finish_reason).length, 1);
  assert.equal(whole.model, 'tiny');
});

test('a prompt asked again is found in the cache', async () => {
  const body = {
    messages: [{ role: 'user', content: 'Tell me of the sea and of the ships that sail on it.' }],
    max_tokens: 2,
    temperature: 0,
  };
  await ask('/v1/chat/completions', body);
  const again = await ask('/v1/chat/completions', body);
  assert.ok(again.usage.prompt_tokens_details.cached_tokens > 0);
  assert.ok(again.usage.prompt_tokens_details.cached_tokens < again.usage.prompt_tokens);
});

test('the same seed gives the same answer, and choices differ', async () => {
  // Alone in the batch and with the prompt cached: sums made in another order may round otherwise.
  const body = { ...question, temperature: 1.5, seed: 42, max_tokens: 16 };
  await ask('/v1/chat/completions', body);
  const [first, second] = [await ask('/v1/chat/completions', body), await ask('/v1/chat/completions', body)];
  assert.equal(first.choices[0]!.message.content, second.choices[0]!.message.content);
  const several = await ask('/v1/chat/completions', { ...body, n: 3 });
  assert.deepEqual(
    several.choices.map((choice) => choice.index),
    [0, 1, 2],
  );
  assert.equal(new Set(several.choices.map((choice) => choice.message.content)).size, 3);
  assert.ok(several.usage.completion_tokens > 16);
  assert.equal(several.usage.prompt_tokens, first.usage.prompt_tokens);
});

test('an answer ends before a stop string and at max_tokens', async () => {
  const free = await ask('/v1/chat/completions', { ...question, max_tokens: 20 });
  const text = free.choices[0]!.message.content;
  const stop = text.slice(6, 9);
  const stopped = await ask('/v1/chat/completions', { ...question, max_tokens: 20, stop });
  assert.equal(stopped.choices[0]!.message.content, text.slice(0, text.indexOf(stop)));
  assert.equal(stopped.choices[0]!.finish_reason, 'stop');
  const short = await ask('/v1/chat/completions', { ...question, max_tokens: 3 });
  assert.deepEqual([short.choices[0]!.finish_reason, short.usage.completion_tokens], ['length', 3]);
});

test('an answer is held to its response format, whole and streamed, at any temperature', async () => {
  const schema = {
    type: 'object',
    properties: {
      name: { type: 'string', maxLength: 12 },
      age: { type: 'integer', minimum: 0, maximum: 150 },
      tags: { type: 'array', items: { enum: ['a', 'b'] }, maxItems: 3 },
    },
    required: ['name', 'age'],
  };
  const response_format = { type: 'json_schema', json_schema: { name: 'person', strict: true, schema } };
  const body = { ...question, temperature: 1.2, max_tokens: 200, response_format };
  const check = (text: string) => {
    const { name, age, tags, ...rest } = JSON.parse(text) as Record<string, unknown>;
    assert.ok(typeof name === 'string' && [...name].length <= 12, text);
    assert.ok(Number.isInteger(age) && (age as number) >= 0 && (age as number) <= 150, text);
    assert.ok(tags === undefined || (tags as string[]).every((tag) => tag === 'a' || tag === 'b'), text);
    assert.deepEqual(rest, {});
  };
  for (const seed of [1, 2, 3]) {
    const [choice] = (await ask('/v1/chat/completions', { ...body, seed })).choices;
    assert.equal(choice!.finish_reason, 'stop');
    check(choice!.message.content);
  }
  const chunks = await events(await post('/v1/chat/completions', { ...body, seed: 4, stream: true }));
  check(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join(''));
  const free = { ...body, response_format: { type: 'json_object' }, max_tokens: 300 };
  const [object] = (await ask('/v1/chat/completions', free)).choices;
  if (object!.finish_reason === 'stop') assert.equal(typeof JSON.parse(object!.message.content), 'object');
  else assert.ok(object!.message.content.startsWith('{'));

  const odd = { ...schema, properties: { name: { type: 'string', format: 'jwt' } } };
  const refused = await post('/v1/chat/completions', {
    ...body,
    response_format: { type: 'json_schema', json_schema: { name: 'person', schema: odd } },
  });
  const { error } = (await refused.json()) as { error: { param: string; code: string; message: string } };
  assert.deepEqual([refused.status, error.param, error.code], [400, 'response_format', 'schema_unsupported']);
  assert.match(error.message, /format.*\/properties\/name/);
});

test('logprobs name each token with its bytes and alternatives', async () => {
  const answer = await ask('/v1/chat/completions', {
    ...question,
    max_tokens: 4,
    logprobs: true,
    top_logprobs: 2,
  });
  const { content } = answer.choices[0]!.logprobs!;
  assert.equal(content.length, 4);
  for (const { logprob, top_logprobs } of content) {
    assert.ok(logprob <= 0);
    assert.equal(top_logprobs.length, 2);
  }
  const bytes = Uint8Array.from(content.flatMap((token) => token.bytes));
  assert.equal(new TextDecoder().decode(bytes), answer.choices[0]!.message.content);
});

test('completions continue several prompts at once, and echo them', async () => {
  const answer = await ask('/v1/completions', {
    prompt: ['One two', 'Red green'],
    max_tokens: 4,
    temperature: 0,
    echo: true,
  });
  assert.deepEqual(
    answer.choices.map((choice) => choice.index),
    [0, 1],
  );
  assert.ok(answer.choices[0]!.text.startsWith('One two') && answer.choices[1]!.text.startsWith('Red green'));
  const chunks = await events(
    await post('/v1/completions', { prompt: 'One two', max_tokens: 4, temperature: 0, stream: true }),
  );
  assert.equal(
    `One two${chunks.map((chunk) => chunk.choices[0]?.text ?? '').join('')}`,
    answer.choices[0]!.text,
  );
});

test('embeddings are unit vectors, alike in both encodings', async () => {
  type Vectors = { data: { embedding: number[] & string }[]; usage: { prompt_tokens: number } };
  const input = ['A cat sits on the mat.', 'A kitten rests on a rug.', 'Stock prices fell sharply.'];
  const floats = (await (await post('/v1/embeddings', { input })).json()) as Vectors;
  const base64 = (await (
    await post('/v1/embeddings', { input, encoding_format: 'base64' })
  ).json()) as Vectors;
  const vectors = floats.data.map((each) => each.embedding as number[]);
  const dot = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  assert.ok(Math.abs(dot(vectors[0]!, vectors[0]!) - 1) < 1e-5);
  assert.ok(dot(vectors[0]!, vectors[1]!) > dot(vectors[0]!, vectors[2]!) + 0.3);
  const bytes = Buffer.from(base64.data[0]!.embedding, 'base64');
  assert.deepEqual(
    Array.from({ length: 384 }, (_, i) => bytes.readFloatLE(i * 4)),
    vectors[0],
  );
  assert.ok(floats.usage.prompt_tokens > 15);
});

test('requests the models cannot serve are refused with the field at fault', async () => {
  const long = 'word '.repeat(50_000);
  assert.match(
    await errorOf(await post('/v1/chat/completions', { messages: [{ role: 'user', content: long }] })),
    /^400 context_length_exceeded /,
  );
  assert.equal(
    await errorOf(await post('/v1/chat/completions', { ...question, model: 'tiny-embed' })),
    '400 wrong_model_task model',
  );
  assert.equal(
    await errorOf(await post('/v1/embeddings', { input: 'a', model: 'tiny' })),
    '400 wrong_model_task model',
  );
  assert.equal(
    await errorOf(await post('/v1/chat/completions', { ...question, model: 'nobody' })),
    '404 model_not_found model',
  );
  assert.match(await errorOf(await post('/v1/completions', { prompt: [2_000_000] })), /^400 /);
  assert.match(
    await errorOf(await post('/v1/chat/completions', { ...question, logit_bias: { 99999999: 1 } })),
    /^400 /,
  );
});

test('a client that goes away frees its place', async () => {
  const controller = new AbortController();
  const response = await post('/v1/chat/completions', endless, controller.signal);
  await response.body!.getReader().read();
  controller.abort();
  for (;;) {
    const { requests } = await node.status();
    if (requests.active === 0) break;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  assert.ok((await ask('/v1/chat/completions', { ...question, max_tokens: 1 })).choices.length === 1);
});

test('when the engine process is killed mid-answer the stream ends with an error and the next request works', async () => {
  const response = await post('/v1/chat/completions', endless);
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let seen = (await reader.read()).value ?? '';
  process.kill((await node.status()).engine.pid!, 'SIGKILL');
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    seen += value;
  }
  assert.match(seen, /data: \{"error":\{[^\n]*"code":"engine_lost"\}\}\n\n$/);
  assert.ok((await ask('/v1/chat/completions', { ...question, max_tokens: 2 })).choices.length === 1);
  assert.equal((await node.status()).engine.restarts, 1);
});

test('health reports the engine that was asked just now', async () => {
  const health = (await (await fetch(`${node.url}/health`)).json()) as {
    status: string;
    llm: { latency_ms: number; models_loaded: number };
  };
  assert.equal(health.status, 'ok');
  assert.ok(health.llm.latency_ms > 0 && health.llm.models_loaded >= 1);
});

test('over the queue limit the answer is 429 with retry-after', async () => {
  const controller = new AbortController();
  const body = endless;
  const running = [
    await post('/v1/chat/completions', body, controller.signal),
    await post('/v1/chat/completions', body, controller.signal),
  ];
  const waiting = post('/v1/chat/completions', body, controller.signal);
  waiting.catch(() => {});
  while ((await node.status()).requests.active < 3) await new Promise((resolve) => setTimeout(resolve, 2));
  let refused = await post('/v1/chat/completions', body, controller.signal);
  // The third request is on its way to the queue; the fourth may overtake it, but not a fifth.
  if (refused.status === 200) refused = await post('/v1/chat/completions', body, controller.signal);
  assert.equal(refused.status, 429);
  assert.ok(Number(refused.headers.get('retry-after')) >= 1);
  assert.match(await refused.text(), /engine\.maxQueue/);
  controller.abort();
  await Promise.allSettled([...running.map((response) => response.text()), waiting]);
});

test('no JSON body makes a route answer 500', async () => {
  const message = fc.record(
    { role: fc.constantFrom('user', 'system', 'robot'), content: fc.jsonValue({ maxDepth: 2 }) },
    { requiredKeys: [] },
  );
  const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.array(message, { maxLength: 3 }));
  const body = fc.dictionary(
    fc.constantFrom(
      'messages',
      'prompt',
      'input',
      'stop',
      'n',
      'seed',
      'stream',
      'logit_bias',
      'kith',
      'temperature',
    ),
    value,
  );
  const path = fc.constantFrom('/v1/chat/completions', '/v1/completions', '/v1/embeddings');
  await fc.assert(
    fc.asyncProperty(path, body, async (route, content) => {
      const response = await post(route, { ...content, max_tokens: 1 });
      const text = await response.text();
      assert.ok(response.status < 500, `${response.status} ${text}`);
      assert.ok(!text.includes('internal_error'), text);
    }),
    { numRuns: 60 },
  );
});

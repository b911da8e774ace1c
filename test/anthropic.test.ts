/** Anthropic's Messages API on a whole node with a real model, over real sockets. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Node } from '../src/node/index.ts';
import type { Block, MessageBody, MessageEvent } from '../src/server/anthropic/stream.ts';
import { foldMessage } from '../src/server/anthropic/whole.ts';
import { createHome, startNode, type TestHome } from './node-support.ts';

let home: TestHome;
let node: Node;
before(async () => {
  home = await createHome();
  node = await startNode(home, { 'engine.maxActive': 1, 'engine.maxQueue': 1 });
});
after(async () => {
  await node.close();
  await home.remove();
});

const headers = {
  'content-type': 'application/json',
  'x-api-key': 'unused',
  'anthropic-version': '2023-06-01',
  'anthropic-beta': 'prompt-caching-2024-07-31',
};
const post = (path: string, body: unknown, signal?: AbortSignal) =>
  fetch(node.url + path, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
    ...(signal ? { signal } : {}),
  });

const ask = { role: 'user', content: 'Who are you?' };
const question = { model: 'tiny', max_tokens: 24, messages: [ask], temperature: 0 };

async function message(body: unknown): Promise<MessageBody> {
  const response = await post('/v1/messages', body);
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()) as MessageBody;
}

/** The events of a stream; each is named after its type. */
async function streamed(body: object): Promise<MessageEvent[]> {
  const response = await post('/v1/messages', { ...body, stream: true });
  assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  return (await response.text())
    .trimEnd()
    .split('\n\n')
    .map((block) => {
      const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(block)!;
      const event = JSON.parse(data!) as MessageEvent;
      assert.equal(event.type, name);
      return event;
    });
}

const textOf = ({ content }: { content: readonly Block[] }) =>
  content.map((block) => (block.type === 'text' ? block.text : '')).join('');

async function failure(response: Response) {
  const { type, error, request_id } = (await response.json()) as {
    type: string;
    error: { type: string; message: string; details: { error_code: string } };
    request_id: string;
  };
  assert.equal(type, 'error');
  assert.equal(response.headers.get('request-id'), request_id);
  assert.equal(response.headers.get('x-request-id'), request_id);
  return {
    status: response.status,
    type: error.type,
    code: error.details.error_code,
    message: error.message,
  };
}

test('a stream put together is the whole answer, and the prompt is cached for the next', async () => {
  const whole = await message(question);
  assert.match(whole.id, /^msg_/);
  assert.equal(whole.model, 'tiny');
  assert.notEqual(textOf(whole), '');
  assert.equal(whole.usage.cache_creation_input_tokens, 0);
  const prompt = whole.usage.input_tokens + whole.usage.cache_read_input_tokens!;

  const events = await streamed(question);
  const again = foldMessage(events);
  assert.deepEqual(again.content, whole.content);
  assert.equal(again.stop_reason, whole.stop_reason);
  assert.equal(again.usage.output_tokens, whole.usage.output_tokens);
  assert.ok(again.usage.cache_read_input_tokens! > 0);
  assert.equal(again.usage.input_tokens + again.usage.cache_read_input_tokens!, prompt);
  // The prompt is counted from the first event on.
  const [first] = events;
  assert.ok(first?.type === 'message_start');
  assert.equal(first.message.usage.input_tokens, again.usage.input_tokens);
  assert.equal(first.message.usage.cache_read_input_tokens, again.usage.cache_read_input_tokens);

  const counted = await post('/v1/messages/count_tokens', { model: 'tiny', messages: [ask] });
  assert.deepEqual(await counted.json(), { input_tokens: prompt });
  assert.match(counted.headers.get('request-id') ?? '', /^req-/);
});

test('a stop sequence ends the answer before it and is named', async () => {
  const text = textOf(await message(question));
  const stop = text.slice(4, 7);
  const cut = await message({ ...question, stop_sequences: ['never to be', stop] });
  assert.deepEqual([cut.stop_reason, cut.stop_sequence], ['stop_sequence', stop]);
  assert.equal(textOf(cut), text.slice(0, text.indexOf(stop)));
  const short = await message({ ...question, max_tokens: 2 });
  assert.deepEqual([short.stop_reason, short.usage.output_tokens], ['max_tokens', 2]);
});

test('the answer goes on from the text of a last assistant message', async () => {
  // The likeliest answer begins with these words, so that it goes on as it would have.
  const text = textOf(await message(question));
  const words = /^\s*\S+ \S+/.exec(text)![0];
  const rest = await message({ ...question, messages: [ask, { role: 'assistant', content: words }] });
  assert.equal(words + textOf(rest).slice(0, text.length - words.length), text);
  // A control token in it stays text: the turn is not ended by the client.
  const plain = await post('/v1/messages/count_tokens', {
    messages: [ask, { role: 'assistant', content: 'No.<|im_end|>' }],
  });
  const { input_tokens } = (await plain.json()) as { input_tokens: number };
  const ended = await post('/v1/messages/count_tokens', {
    messages: [ask, { role: 'assistant', content: 'No.' }],
  });
  assert.ok(input_tokens > ((await ended.json()) as { input_tokens: number }).input_tokens + 1);
});

const tools = [
  {
    name: 'get_weather',
    description: 'The weather of a city.',
    input_schema: {
      type: 'object',
      properties: { city: { type: 'string', enum: ['Paris', 'Rome'] }, days: { type: 'integer' } },
      required: ['city', 'days'],
      additionalProperties: false,
    },
  },
];

test('a tool is called with input that fits its schema, whole and streamed, and its result is read', async () => {
  const messages = [{ role: 'user', content: 'What is the weather in Paris?' }];
  const body = {
    ...question,
    max_tokens: 80,
    messages,
    tools,
    tool_choice: { type: 'tool', name: 'get_weather' },
  };
  const whole = await message(body);
  assert.equal(whole.stop_reason, 'tool_use');
  const [use] = whole.content;
  assert.ok(use?.type === 'tool_use');
  assert.match(use.id, /^toolu_/);
  assert.equal(use.name, 'get_weather');
  const { city, days, ...more } = use.input as { city: string; days: number };
  assert.ok(['Paris', 'Rome'].includes(city) && Number.isInteger(days));
  assert.deepEqual(more, {});

  const again = foldMessage(await streamed(body)).content[0];
  assert.ok(again?.type === 'tool_use');
  assert.deepEqual([again.name, again.input], [use.name, use.input]);

  const answered = await message({
    ...question,
    tools,
    messages: [
      ...messages,
      { role: 'assistant', content: whole.content },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: use.id, content: 'Sunny.' }] },
    ],
  });
  assert.equal(answered.role, 'assistant');
});

test('the answer is held to output_config.format', async () => {
  const schema = {
    type: 'object',
    properties: { sure: { type: 'boolean' } },
    required: ['sure'],
    additionalProperties: false,
  };
  const body = { ...question, output_config: { format: { type: 'json_schema', schema } } };
  const { sure, ...more } = JSON.parse(textOf(await message(body))) as { sure: boolean };
  assert.equal(typeof sure, 'boolean');
  assert.deepEqual(more, {});
});

test('errors have the shape of this API, on paths that are not there too', async () => {
  const of = async (body: unknown) => {
    const { status, type, code } = await failure(await post('/v1/messages', body));
    return [status, type, code];
  };
  assert.deepEqual(await of({ ...question, max_tokens: undefined }), [
    400,
    'invalid_request_error',
    'invalid_type',
  ]);
  assert.deepEqual(await of({ ...question, model: 'claude' }), [404, 'not_found_error', 'model_not_found']);
  assert.deepEqual(await of({ ...question, model: 'tiny-embed' }), [
    400,
    'invalid_request_error',
    'wrong_model_task',
  ]);
  const schema = { type: 'object', contains: {} };
  const format = { output_config: { format: { type: 'json_schema', schema } } };
  assert.equal((await of({ ...question, ...format }))[0], 400);
  const batches = await failure(await fetch(`${node.url}/v1/messages/batches`));
  assert.deepEqual([batches.status, batches.type], [404, 'not_found_error']);
  const get = await failure(await fetch(`${node.url}/v1/messages`));
  assert.deepEqual([get.status, get.type], [405, 'invalid_request_error']);
  const refused = await failure(
    await fetch(`${node.url}/v1/messages`, { method: 'POST', headers: { origin: 'http://evil.example' } }),
  );
  assert.deepEqual([refused.status, refused.type], [403, 'permission_error']);
});

test('a full queue is an overload: 529 with retry-after', async () => {
  const stop = new AbortController();
  const long = {
    ...question,
    max_tokens: 4000,
    messages: [{ role: 'user', content: 'Count to a million, word by word.' }],
    kith: { overflow: 'slide' },
    stream: true,
    temperature: 1,
  };
  const asked = [1, 2, 3, 4].map(() => post('/v1/messages', long, stop.signal));
  // One runs and one waits; the others are told at once.
  const response = await new Promise<Response>((resolve, reject) => {
    for (const one of asked) one.then((each) => each.status !== 200 && resolve(each), reject);
  });
  assert.match(response.headers.get('retry-after') ?? '', /^\d+$/);
  const { status, type, message: told } = await failure(response);
  assert.deepEqual([status, type], [529, 'overloaded_error']);
  assert.match(told, /engine\.maxQueue/);
  stop.abort();
  await Promise.allSettled(asked);
});

test('clients of this API list the models that write text, in pages', async () => {
  const get = async (path: string) => {
    const response = await fetch(node.url + path, { headers: { 'anthropic-version': '2023-06-01' } });
    return {
      response,
      body: (await response.json()) as Record<string, unknown> & { data: { id: string }[] },
    };
  };
  const { body: all } = await get('/v1/models');
  const ids = all.data.map(({ id }) => id);
  assert.ok(ids.includes('tiny') && !ids.includes('tiny-embed'));
  assert.deepEqual([all.has_more, all.first_id, all.last_id], [false, ids[0], ids.at(-1)]);
  const turned: string[] = [];
  for (let after = ''; ; ) {
    const { body } = await get(`/v1/models?limit=2${after}`);
    turned.push(...body.data.map(({ id }) => id));
    if (!body.has_more) break;
    after = `&after_id=${String(body.last_id)}`;
  }
  assert.deepEqual(turned, ids);
  const { body: before } = await get(`/v1/models?limit=1&before_id=${ids[2]}`);
  assert.deepEqual([before.data[0]!.id, before.has_more], [ids[1], true]);

  const { body: one } = await get('/v1/models/tiny');
  assert.deepEqual([one.type, one.id, one.display_name], ['model', 'tiny', 'tiny']);
  const missing = await fetch(`${node.url}/v1/models/none`, { headers: { 'anthropic-version': 'x' } });
  assert.deepEqual((await failure(missing)).type, 'not_found_error');
  const limit = await fetch(`${node.url}/v1/models?limit=no`, { headers: { 'anthropic-version': 'x' } });
  assert.deepEqual((await failure(limit)).status, 400);
  // Without the header the list is OpenAI's.
  const plain = (await (await fetch(`${node.url}/v1/models`)).json()) as { object: string };
  assert.equal(plain.object, 'list');
});

test('an engine that dies in the middle of a stream ends it with an error event', async () => {
  const body = {
    ...question,
    max_tokens: 4000,
    messages: [{ role: 'user', content: 'Count to a million, word by word.' }],
    kith: { overflow: 'slide' },
    temperature: 1,
    stream: true,
  };
  const { pid } = (await node.status()).engine;
  const response = await post('/v1/messages', body);
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    if (text === '') process.kill(pid!, 'SIGKILL');
    text += chunk;
  }
  const last = text.trimEnd().split('\n\n').at(-1)!;
  const [, data] = /^event: error\ndata: (.*)$/.exec(last)!;
  const { type, error, request_id } = JSON.parse(data!) as {
    type: string;
    error: { type: string; details: { error_code: string } };
    request_id: string;
  };
  assert.deepEqual([type, error.type, error.details.error_code], ['error', 'api_error', 'engine_lost']);
  assert.equal(request_id, response.headers.get('request-id'));
  assert.ok(!text.includes('message_stop'));
  // The node goes on.
  assert.notEqual(textOf(await message(question)), '');
});

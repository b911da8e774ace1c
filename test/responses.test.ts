/** The Responses API of a whole node with real models, over real sockets. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { systemClock, systemRandom } from '../src/base/index.ts';
import type { Node } from '../src/node/index.ts';
import { openKeyStore } from '../src/server/index.ts';
import { createHome, startNode, type TestHome } from './node-support.ts';

let home: TestHome;
let node: Node;

before(async () => {
  home = await createHome();
  node = await startNode(home, { 'engine.maxActive': 2 });
});
after(async () => {
  await node.close();
  await home.remove();
});

interface Item {
  readonly id: string;
  readonly type: 'message' | 'function_call';
  readonly status: string;
  readonly call_id?: string;
  readonly name?: string;
  readonly arguments?: string;
  readonly content?: {
    text: string;
    logprobs: { token: string; bytes: number[]; top_logprobs: unknown[] }[];
  }[];
}
interface Answer {
  readonly id: string;
  readonly status: string;
  readonly model: string;
  readonly output: Item[];
  readonly incomplete_details: { reason: string } | null;
  readonly usage: { input_tokens: number; output_tokens: number; total_tokens: number };
  readonly error: { code: string; message: string } | null;
  readonly kith?: { backend: string };
}
interface Event {
  readonly type: string;
  readonly sequence_number: number;
  readonly response?: Answer;
  readonly item_id?: string;
  readonly delta?: string;
  readonly code?: string;
}

const send = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  fetch(node.url + path, {
    method,
    ...(body === undefined
      ? { headers }
      : { headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) }),
  });
const post = (body: unknown, headers?: Record<string, string>) =>
  send('POST', '/v1/responses', body, headers);

async function ask(body: object): Promise<Answer> {
  const response = await post(body);
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return JSON.parse(text) as Answer;
}

function eventsOf(text: string): Event[] {
  return text
    .trim()
    .split('\n\n')
    .filter((block) => !block.startsWith(':'))
    .map((block) => {
      const [name, data] = block.split('\n') as [string, string];
      const event = JSON.parse(data.slice('data: '.length)) as Event;
      assert.equal(name, `event: ${event.type}`);
      return event;
    });
}

async function stream(body: object): Promise<Event[]> {
  const response = await post({ ...body, stream: true });
  assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/);
  const events = eventsOf(await response.text());
  assert.deepEqual(
    events.map((event) => event.sequence_number),
    [...events.keys()],
  );
  return events;
}

async function errorOf(response: Response): Promise<string> {
  const { error } = (await response.json()) as { error: { code: string; param: string | null } };
  return `${response.status} ${error.code} ${error.param}`;
}

const textOf = (answer: Answer) =>
  answer.output.map((item) => item.content?.map((part) => part.text).join('') ?? '').join('');
const question = { input: 'Who are you?', temperature: 0 };

test('a stream says what the whole answer says, and ends with it', async () => {
  const body = { ...question, max_output_tokens: 24, instructions: 'Be brief.', kith: { receipt: true } };
  const whole = await ask(body);
  assert.deepEqual(
    [whole.status, whole.incomplete_details, whole.model, whole.kith?.backend],
    ['incomplete', { reason: 'max_output_tokens' }, 'tiny', 'local'],
  );
  const events = await stream(body);
  const last = events.at(-1)!;
  assert.equal(last.type, 'response.incomplete');
  const deltas = events.filter(({ type }) => type === 'response.output_text.delta');
  assert.ok(deltas.length > 5);
  assert.equal(deltas.map(({ delta }) => delta).join(''), textOf(whole));
  assert.equal(textOf(last.response!), textOf(whole));
  assert.equal(last.response!.usage.output_tokens, 24);
  const [item] = last.response!.output;
  assert.ok(events.every(({ item_id }) => item_id === undefined || item_id === item!.id));
});

test('a conversation given as items is answered like the same conversation in one text', async () => {
  const body = { temperature: 0, max_output_tokens: 8 };
  const one = await ask({ ...body, input: 'Who are you?' });
  const items = await ask({
    ...body,
    input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Who are you?' }] }],
  });
  assert.equal(textOf(items), textOf(one));
  const next = await ask({
    ...body,
    input: [{ role: 'user', content: 'Who are you?' }, ...one.output, { role: 'user', content: 'Why?' }],
  });
  assert.ok(next.usage.input_tokens > one.usage.input_tokens + one.usage.output_tokens);
});

const weather = {
  type: 'function',
  name: 'get_weather',
  description: 'The weather of a city',
  parameters: {
    type: 'object',
    properties: { city: { enum: ['Paris', 'Rome'] }, days: { type: 'integer', minimum: 1, maximum: 9 } },
    required: ['city', 'days'],
    additionalProperties: false,
  },
  strict: true,
};

test('a function is called with arguments that its schema allows, and its output is taken', async () => {
  const body = {
    input: [{ role: 'user', content: 'What is the weather in Paris?' }],
    temperature: 0,
    max_output_tokens: 200,
    tools: [weather],
    tool_choice: { type: 'function', name: 'get_weather' },
  };
  const answer = await ask(body);
  assert.equal(answer.status, 'completed');
  const [call, ...more] = answer.output;
  assert.deepEqual(
    [call!.type, call!.name, call!.status, more],
    ['function_call', 'get_weather', 'completed', []],
  );
  const { city, days } = JSON.parse(call!.arguments!) as { city: string; days: number };
  assert.ok(['Paris', 'Rome'].includes(city) && days >= 1 && days <= 9);

  const events = await stream(body);
  const deltas = events.filter(({ type }) => type === 'response.function_call_arguments.delta');
  assert.equal(deltas.map(({ delta }) => delta).join(''), call!.arguments);
  assert.equal(events.at(-1)!.type, 'response.completed');
  assert.equal(events.at(-1)!.response!.output[0]!.arguments, call!.arguments);

  const output = { type: 'function_call_output', call_id: call!.call_id, output: 'Sunny, 20 degrees.' };
  const after = await ask({
    ...body,
    input: [...body.input, call, output],
    tool_choice: 'none',
    max_output_tokens: 12,
  });
  assert.deepEqual(
    after.output.map(({ type }) => type),
    ['message'],
  );
  assert.ok(textOf(after).length > 0);
});

test('a text format holds the answer to its schema', async () => {
  const schema = {
    type: 'object',
    properties: { city: { enum: ['Paris', 'Rome'] } },
    required: ['city'],
    additionalProperties: false,
  };
  const format = { type: 'json_schema', name: 'city', strict: true, schema };
  const answer = await ask({ input: 'Name a city.', temperature: 1, text: { format } });
  assert.equal(answer.status, 'completed');
  assert.ok(['Paris', 'Rome'].includes((JSON.parse(textOf(answer)) as { city: string }).city));
  const odd = { ...format, schema: { type: 'string', colour: 'red' } };
  assert.equal(
    await errorOf(await post({ input: 'x', text: { format: odd } })),
    '400 schema_unsupported text.format',
  );
});

test('log probabilities name the tokens of the text', async () => {
  const answer = await ask({
    ...question,
    max_output_tokens: 4,
    top_logprobs: 2,
    include: ['message.output_text.logprobs'],
  });
  const { text, logprobs } = answer.output[0]!.content![0]!;
  assert.equal(logprobs.length, 4);
  assert.ok(logprobs.every((each) => each.top_logprobs.length === 2));
  const bytes = Uint8Array.from(logprobs.flatMap((each) => each.bytes));
  assert.equal(new TextDecoder().decode(bytes), text);
});

test('the input is counted as the answer counts it', async () => {
  const body = { input: 'Who are you?', instructions: 'Be brief.', tools: [weather], tool_choice: 'auto' };
  const response = await send('POST', '/v1/responses/input_tokens', body);
  const { object, input_tokens } = (await response.json()) as { object: string; input_tokens: number };
  assert.equal(object, 'response.input_tokens');
  assert.equal(input_tokens, (await ask({ ...body, max_output_tokens: 1 })).usage.input_tokens);
});

const refer = ({ id }: { id: string }) => ({ type: 'item_reference', id });
const user = (content: string) => ({ role: 'user', content });
async function count(input: unknown[]): Promise<number> {
  const response = await send('POST', '/v1/responses/input_tokens', { input });
  assert.equal(response.status, 200);
  return ((await response.json()) as { input_tokens: number }).input_tokens;
}

test('what an answer said may be referred to, turn after turn, as if it were sent again', async () => {
  const limits = { temperature: 0, max_output_tokens: 6 };
  const first = await ask({ ...limits, input: [user('Who are you?')] });
  const streamed = (
    await stream({
      ...limits,
      input: [user('Who are you?'), refer(first.output[0]!), user('Why?')],
      store: true,
    })
  ).at(-1)!.response!;
  const turns = [
    user('Who are you?'),
    first.output[0]!,
    user('Why?'),
    streamed.output[0]!,
    user('Since when?'),
  ];
  const references = turns.map((turn) => ('id' in turn ? refer(turn) : turn));
  assert.equal(await count(references), await count(turns));
  assert.ok((await count(references)) > streamed.usage.input_tokens + 6);
  const third = await ask({ ...limits, input: references });
  assert.equal(third.usage.input_tokens, await count(turns));
});

test('a call may be referred to before its output', async () => {
  const body = {
    temperature: 0,
    max_output_tokens: 200,
    tools: [weather],
    tool_choice: { type: 'function', name: 'get_weather' },
  };
  const question = user('What is the weather in Paris?');
  const { output } = await ask({ ...body, input: [question] });
  const [call] = output;
  const told = { type: 'function_call_output', call_id: call!.call_id, output: 'Sunny, 20 degrees.' };
  const next = await ask({
    ...body,
    input: [question, refer(call!), told],
    tool_choice: 'none',
    max_output_tokens: 6,
  });
  assert.ok(textOf(next).length > 0);
  assert.equal(await count([question, refer(call!), told]), await count([question, call!, told]));
});

test('with `store: false` nothing is remembered, and a reference to it is told so', async () => {
  const missing = '400 item_not_found input[0].id';
  for (const streaming of [false, true]) {
    const body = { ...question, max_output_tokens: 2, store: false };
    const answer = streaming ? (await stream(body)).at(-1)!.response! : await ask(body);
    assert.equal(await errorOf(await post({ input: [refer(answer.output[0]!), user('Why?')] })), missing);
  }
  assert.equal(await errorOf(await post({ input: [refer({ id: 'msg_1' })], stream: true })), missing);
});

test('an item may be referred to by the caller who got it, and by no other', async () => {
  using keys = openKeyStore(home.path, { clock: systemClock, random: systemRandom });
  const bounds = { expiresAt: null, requestsPerMinute: null, tokensPerMinute: null };
  const callers = ['one', 'two'].map((name) => {
    const { text } = keys.create({ name, scopes: ['generate'], ...bounds });
    return { authorization: `Bearer ${text}` };
  });
  const everyone = [{}, ...callers];
  for (const asking of everyone) {
    const response = await post({ ...question, max_output_tokens: 2 }, asking);
    const [item] = ((await response.json()) as Answer).output;
    for (const referring of everyone) {
      const body = { input: [refer(item!), user('Why?')], max_output_tokens: 1 };
      const next = await post(body, referring);
      assert.equal(next.status, referring === asking ? 200 : 400);
      await next.text();
    }
  }
});

test('no response is stored, and whoever asks for it is told so', async () => {
  const { id } = await ask({ ...question, max_output_tokens: 1, store: true });
  const asked: [string, string][] = [
    ['GET', `/v1/responses/${id}`],
    ['DELETE', `/v1/responses/${id}`],
    ['POST', `/v1/responses/${id}/cancel`],
    ['GET', `/v1/responses/${id}/input_items`],
  ];
  for (const [method, path] of asked) {
    const response = await send(method, path, method === 'POST' ? {} : undefined);
    assert.equal(await errorOf(response), '404 response_not_found response_id', `${method} ${path}`);
  }
  assert.equal(
    await errorOf(await post({ ...question, previous_response_id: id })),
    '400 unsupported_parameter previous_response_id',
  );
});

test('errors blame fields of this API', async () => {
  const long = 'word '.repeat(50_000);
  assert.match(await errorOf(await post({ input: long })), /^400 context_length_exceeded /);
  assert.equal(await errorOf(await post({ ...question, model: 'nobody' })), '404 model_not_found model');
  assert.equal(
    await errorOf(await post({ ...question, model: 'tiny-embed', stream: true })),
    '400 wrong_model_task model',
  );
  const told = await post({ input: 'x', tools: [{ type: 'web_search' }] });
  assert.equal(await errorOf(told), '400 unsupported_parameter tools[0]');
});

test('every answer says how long it took and which request it was', async () => {
  const body = { ...question, max_output_tokens: 1 };
  for (const response of [
    await post(body),
    await post({ ...body, stream: true }),
    await post({}),
    await send('GET', '/v1/models'),
  ]) {
    assert.match(response.headers.get('openai-processing-ms') ?? '', /^\d+$/);
    assert.match(response.headers.get('x-request-id') ?? '', /^req-/);
    await response.text();
  }
});

test('when the engine dies mid-answer the stream ends with an error and the response as far as it came', async () => {
  const response = await post({
    input: 'Go on.',
    stream: true,
    temperature: 1.5,
    max_output_tokens: 2000,
    logit_bias: { 2: -100 },
  });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let seen = '';
  while (!seen.includes('output_text.delta')) seen += (await reader.read()).value ?? '';
  process.kill((await node.status()).engine.pid!, 'SIGKILL');
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    seen += value;
  }
  const [error, failed] = eventsOf(seen).slice(-2);
  assert.deepEqual([error!.type, error!.code], ['error', 'engine_lost']);
  assert.deepEqual(
    [failed!.type, failed!.response!.status, failed!.response!.error?.code],
    ['response.failed', 'failed', 'server_error'],
  );
  const [item] = failed!.response!.output;
  assert.equal(item!.status, 'incomplete');
  assert.equal(await errorOf(await post({ input: [refer(item!)] })), '400 item_not_found input[0].id');
  assert.equal((await ask({ ...question, max_output_tokens: 2 })).output.length, 1);
});

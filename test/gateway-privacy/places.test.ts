import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Capture, openCapture } from './capture.ts';
import { type Json, MODEL, openKith, post, type Reply } from './kith.ts';
import { Haystack } from './leaks.ts';

/** One value for each place, so that a leak names its place. */
const values = {
  system: 'sys.anna@example.org',
  user: '+49 30 5550 1234',
  history: '4111 1111 1111 1111',
  arguments: 'DE89 3704 0044 0532 0130 00',
  result: 'tool.bert@example.org',
  description: 'desc.cleo@example.org',
  property: 'prop.dora@example.org',
  enum: 'enum.emil@example.org',
  pattern: 'patt.fritz@example.org',
  toolId: 'id.gustav@example.org',
  schema: '203.0.113.77',
  schemaProperty: 'key.hanna@example.org',
  stop: 'stop.ida@example.org',
  caller: 'user.jan@example.org',
  metadata: 'meta.karl@example.org',
  header: 'head.lena@example.org',
  query: 'query.max@example.org',
  encoded: 'perc.nora@example.org',
  escaped: 'esc.otto@example.org',
  base64: 'b64.paula@example.org and more of it',
  name: 'Quirin Zabłocki',
};
type Place = keyof typeof values;

function check(capture: Capture, places: readonly Place[], what: string): void {
  const haystack = new Haystack(capture.bytes());
  assert.ok(capture.bodies.length > 0, `${what}: nothing was sent`);
  for (const place of places) assert.deepEqual(haystack.formsOf(values[place]), [], `${what}: ${place}`);
}

const messages = [
  { role: 'system', content: `You are the assistant of ${values.system}.` },
  { role: 'user', content: `My name is ${values.name}. Call ${values.user}.` },
  {
    role: 'assistant',
    content: `Your card is ${values.history}.`,
    tool_calls: [
      {
        id: values.toolId,
        type: 'function',
        function: { name: 'pay', arguments: JSON.stringify({ iban: values.arguments }) },
      },
    ],
  },
  { role: 'tool', tool_call_id: values.toolId, content: JSON.stringify({ from: values.result }) },
  {
    role: 'user',
    content: `Again ${values.user}, https://example.org/?mail=${encodeURIComponent(values.encoded)} and {"mail":"${values.escaped.replace('@', '\\u0040')}"} and ${Buffer.from(values.base64).toString('base64')}.`,
  },
];
const tools = [
  {
    type: 'function',
    function: {
      name: 'pay',
      description: `Pays ${values.description}.`,
      parameters: {
        type: 'object',
        properties: {
          iban: { type: 'string', enum: [values.enum, 'x'], description: `or ${values.description}` },
          [values.property]: { type: 'string', pattern: `^${values.pattern}$` },
        },
        required: ['iban', values.property],
      },
    },
  },
];
const headers = { 'x-kith-conversation': values.header, 'x-kith-agent': 'planner' };
const asked: readonly Place[] = [
  ...([
    'system',
    'user',
    'history',
    'arguments',
    'result',
    'description',
    'property',
    'enum',
    'pattern',
  ] as const),
  ...([
    'toolId',
    'stop',
    'caller',
    'metadata',
    'header',
    'query',
    'encoded',
    'escaped',
    'base64',
    'name',
  ] as const),
];

for (const backend of ['openai', 'anthropic'] as const)
  test(`no place of a chat request lets a value through to a server of ${backend}'s API`, async () => {
    await using capture = await openCapture();
    await using kith = await openKith([{ name: 'a', base: capture.base, api: backend }]);
    for (const stream of [false, true]) {
      capture.forget();
      const reply = await post(
        `${kith.url}/v1/chat/completions?mail=${encodeURIComponent(values.query)}`,
        {
          ...{ model: MODEL, messages, tools, stream, stop: [values.stop], user: values.caller },
          metadata: { mail: values.metadata },
          kith: { receipt: true },
        },
        { ...headers, 'x-kith-privacy': 'medium' },
      );
      assert.equal(reply.status, 200, reply.text);
      check(capture, asked, `${backend}, ${stream}`);
      for (const field of ['user', 'metadata', 'kith'])
        assert.ok(!(field in capture.bodies[0]), `${field} was sent`);
      // The call comes back as it would have without the placeholders.
      const calls = reply.parts.flatMap(({ choices: [choice] = [] }: Json) =>
        ((choice?.delta ?? choice?.message)?.tool_calls ?? []).map(
          (call: Json) => call.function.arguments ?? '',
        ),
      );
      assert.deepEqual(JSON.parse(calls.join('')), { said: messages.at(-1)!.content });
      checkReceipt(reply);
    }
  });

/** Classes and counts, and no value. */
function checkReceipt(reply: Reply): void {
  const receipt = reply.parts.map(({ kith }) => kith).findLast((one) => one !== undefined);
  const { privacy } = receipt.route;
  assert.deepEqual(
    { ...privacy, replaced: null },
    { level: 'medium', where: 'provider', link: 'encrypted', replaced: null },
  );
  const classes = privacy.replaced.map((one: Json) => one.class);
  for (const name of ['card', 'email', 'iban', 'name', 'phone']) assert.ok(classes.includes(name), name);
  for (const { count, distinct } of privacy.replaced) assert.ok(count >= distinct && distinct >= 1);
  const haystack = new Haystack(Buffer.from(JSON.stringify(receipt)));
  for (const [place, value] of Object.entries(values)) assert.ok(!haystack.has(value), place);
  assert.equal(reply.headers.get('x-kith-privacy'), 'medium');
}

test('the form of a JSON answer holds no value, and the answer has them', async () => {
  await using capture = await openCapture();
  await using kith = await openKith([{ name: 'a', base: capture.base }], { policy: { privacy: 'medium' } });
  for (const stream of [false, true]) {
    capture.forget();
    const reply = await post(`${kith.url}/v1/chat/completions`, {
      model: MODEL,
      messages: [{ role: 'user', content: `Is "${values.user}" \\ right?` }],
      stream,
      response_format: {
        type: 'json_schema',
        json_schema: {
          name: 'answer',
          schema: {
            type: 'object',
            description: `The host is ${values.schema}.`,
            properties: { [values.schemaProperty]: { type: 'string', default: values.enum }, said: {} },
            required: [values.schemaProperty],
          },
        },
      },
    });
    assert.equal(reply.status, 200, reply.text);
    check(capture, ['user', 'schema', 'schemaProperty', 'enum'], 'form');
    const text = reply.parts
      .map(({ choices: [choice] = [] }: Json) => (choice?.delta ?? choice?.message)?.content ?? '')
      .join('');
    assert.deepEqual(JSON.parse(text), { said: `Is "${values.user}" \\ right?` });
  }
});

test('system text, history, results, tools and beginnings of answers in the Messages API are hidden', async () => {
  await using capture = await openCapture();
  await using kith = await openKith([{ name: 'a', base: capture.base, api: 'anthropic' }], {
    policy: { privacy: 'medium' },
  });
  const body = {
    model: MODEL,
    max_tokens: 500,
    system: [{ type: 'text', text: `You are the assistant of ${values.system}.` }],
    messages: [
      { role: 'user', content: `My name is ${values.name}. Call ${values.user}.` },
      {
        role: 'assistant',
        content: [
          { type: 'text', text: `Your card is ${values.history}.` },
          { type: 'tool_use', id: 'toolu_1', name: 'pay', input: { iban: values.arguments } },
        ],
      },
      {
        role: 'user',
        content: [
          {
            type: 'tool_result',
            tool_use_id: 'toolu_1',
            content: [{ type: 'text', text: JSON.stringify({ from: values.result }) }],
          },
          { type: 'text', text: `Again ${values.user}.` },
        ],
      },
      { role: 'assistant', content: `Dear Mr ${values.name}, ${values.user}` },
    ],
    tools: [
      {
        name: 'pay',
        description: `Pays ${values.description}.`,
        input_schema: tools[0]!.function.parameters,
      },
    ],
    stop_sequences: [values.stop],
    metadata: { user_id: values.metadata },
  };
  const reply = await post(`${kith.url}/v1/messages`, body);
  assert.equal(reply.status, 200, reply.text);
  const places: readonly Place[] = [
    ...([
      'system',
      'name',
      'user',
      'history',
      'arguments',
      'result',
      'description',
      'property',
      'enum',
    ] as const),
    ...(['pattern', 'stop', 'metadata'] as const),
  ];
  check(capture, places, 'messages');
  capture.forget();
  const { max_tokens: _, stop_sequences: __, ...counted } = body;
  const count = await post(`${kith.url}/v1/messages/count_tokens`, counted);
  assert.deepEqual(count.parts, [{ input_tokens: 7 }]);
  check(capture, places, 'count of tokens');
});

test('what nobody can look into, or replace, is refused and not sent', async () => {
  await using capture = await openCapture();
  await using kith = await openKith([{ name: 'a', base: capture.base, more: { anyModel: true } }], {
    policy: { privacy: 'medium' },
  });
  const chat = `${kith.url}/v1/chat/completions`;
  const plain = { model: MODEL, messages: [{ role: 'user', content: 'Hi' }] };
  const secretTool = { type: 'function', function: { name: 'AKIAIOSFODNN7EXAMPLE', parameters: {} } };
  const cases: [string, unknown][] = [
    [`${kith.url}/v1/completions`, { model: MODEL, prompt: [1, 2, 3] }],
    [`${kith.url}/v1/embeddings`, { model: 'e', input: [[1, 2, 3]] }],
    [chat, { ...plain, tools: [secretTool] }],
    [chat, { ...plain, model: values.caller }],
  ];
  for (const [url, body] of cases) {
    const reply = await post(url, body);
    const code = reply.parts[0].error?.code;
    assert.equal(`${reply.status} ${code}`, '403 privacy_unmet', reply.text.slice(0, 300));
  }
  assert.equal(capture.bodies.length, 0);
  assert.ok(!new Haystack(capture.bytes()).has(values.caller));
});

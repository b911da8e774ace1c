import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { scanChat, withModel } from './scan.ts';

const scan = (text: string, depth = 32) => scanChat(Buffer.from(text), depth);
const messages = [{ role: 'user', content: 'hello' }];

test('what a plain request asks for is found', () => {
  const shape = scan(
    JSON.stringify({
      model: 'a/b:c',
      messages,
      stream: true,
      stream_options: { include_usage: true },
      max_completion_tokens: 7,
      tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }],
      tool_choice: 'auto',
      temperature: 0.5,
      seed: 3,
    }),
  )!;
  const { fields, modelStart: _start, modelEnd: _end, ...said } = shape;
  assert.deepEqual(said, {
    model: 'a/b:c',
    stream: true,
    includeUsage: true,
    maxTokens: 7,
    maxTokensName: 'max_completion_tokens',
    settled: false,
    messageBytes: JSON.stringify(messages).length,
    tools: true,
  });
  assert.deepEqual([...fields].sort(), ['seed', 'tool_choice']);
});

test('whatever is not clear is left to the ordinary way', () => {
  const all = `"messages":${JSON.stringify(messages)}`;
  for (const body of [
    '',
    'null',
    '[]',
    '{}',
    `{${all}}`,
    '{"model":"m"}',
    `{"model":"m","messages":[]}`,
    `{"model":"m","messages":{}}`,
    `{"model":"m",${all},"model":"n"}`,
    `{"model":"m",${all},${all}}`,
    `{"model":"m",${all},"kith":{}}`,
    `{"model":"m",${all},"user":"me"}`,
    `{"model":"m",${all},"unheard_of":1}`,
    `{"model":"m",${all},"__proto__":1}`,
    `{"mod\\u0065l":"m",${all}}`,
    `{"model":"m\\u0061",${all}}`,
    `{"model":"",${all}}`,
    `{"model":null,${all}}`,
    `{"model":"${'m'.repeat(201)}",${all}}`,
    `{"model":"m",${all},"n":2}`,
    `{"model":"m",${all},"stream":1}`,
    `{"model":"m",${all},"stream_options":{"include_usage":true}}`,
    `{"model":"m",${all},"stream":true,"stream_options":{"x":true}}`,
    `{"model":"m",${all},"max_tokens":0}`,
    `{"model":"m",${all},"max_tokens":1.5}`,
    `{"model":"m",${all},"max_tokens":1,"max_completion_tokens":1}`,
    `{"model":"m",${all}`,
    `{"model":"m",${all}} x`,
    `{"model":"m",${all},}`,
    `{"model":"m","messages":[{"a" 1}]}`,
    `{"model":"m","messages":[01]}`,
    `{"model":"m","messages":["a\nb"]}`,
    `{'model':'m',${all}}`,
    `{"model":"m","messages":["text"]}`,
    `{"model":"m","messages":[{"role":"user"}]}`,
    `{"model":"m","messages":[{"content":"a"}]}`,
    `{"model":"m","messages":[{"role":"robot","content":"a"}]}`,
    `{"model":"m","messages":[{"role":"user","content":7}]}`,
    `{"model":"m","messages":[{"role":"user","content":null}]}`,
    `{"model":"m","messages":[{"role":"user","role":"user","content":"a"}]}`,
    `{"model":"m","messages":[{"role":"user","content":"a","more":1}]}`,
    `{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"a"}}]}]}`,
    `{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"a"},"b"]}]}`,
    `{"model":"m",${all},"temperature":99}`,
    `{"model":"m",${all},"temperature":"1"}`,
    `{"model":"m",${all},"top_p":0}`,
    `{"model":"m",${all},"stop":[""]}`,
    `{"model":"m",${all},"stop":{}}`,
    `{"model":"m",${all},"seed":0.5}`,
    `{"model":"m",${all},"presence_penalty":3}`,
    `{"model":"m",${all},"logit_bias":{"a":1}}`,
    `{"model":"m",${all},"top_logprobs":3}`,
    `{"model":"m",${all},"logprobs":1}`,
    `{"model":"m",${all},"tool_choice":"required"}`,
    `{"model":"m",${all},"tools":["f"]}`,
    `{"model":"m",${all},"tools":[{"type":"function","function":{"name":"a b"}}]}`,
    `{"model":"m",${all},"response_format":{"type":"json_object"}}`,
    `\ufeff{"model":"m",${all}}`,
  ])
    assert.equal(scan(body), null, body);
  assert.equal(scanChat(Buffer.from([0x7b, 0xff, 0x7d]), 32), null);
  const tool = (depth: number) =>
    `{"model":"m",${all},"tools":[{"type":"function","function":{"name":"f","parameters":{"a":${'['.repeat(depth)}${']'.repeat(depth)}}}}]}`;
  assert.equal(scan(tool(28), 32), null);
  assert.notEqual(scan(tool(27), 32), null);
  const parts = `{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"a"}]}]}`;
  assert.notEqual(scan(parts, 5), null);
  assert.equal(scan(parts, 4), null);
  assert.equal(scan(`{"model":"m","messages":${'['.repeat(100_000)}`, 32), null);
});

const names = [
  'model',
  'messages',
  'stream',
  'stream_options',
  'max_tokens',
  'n',
  'tools',
  'stop',
  'temperature',
  'seed',
];
const value = fc.jsonValue({ depthSize: 'medium' });
const request = fc.record(
  {
    model: fc.string({ minLength: 1, maxLength: 30, unit: 'grapheme' }),
    messages: fc.array(
      fc.record({ role: fc.constant('user'), content: fc.string({ unit: 'binary', maxLength: 80 }) }),
      {
        minLength: 1,
      },
    ),
    stream: fc.boolean(),
    temperature: fc.oneof(fc.constant(0), fc.double({ noNaN: true, min: 0, max: 2 })),
    stop: fc.array(fc.string({ minLength: 1, maxLength: 8 }), { maxLength: 3 }),
    tools: fc.uniqueArray(
      fc.record({
        type: fc.constant('function'),
        function: fc.record({
          name: fc.constantFrom('a', 'b', 'c'),
          parameters: fc.dictionary(fc.string(), value),
        }),
      }),
      { maxLength: 3, selector: (tool) => tool.function.name },
    ),
    max_tokens: fc.integer({ min: 1, max: 1e6 }),
    logit_bias: fc.dictionary(fc.constantFrom('1', '22'), fc.integer({ min: -100, max: 100 })),
  },
  { requiredKeys: ['model', 'messages'] },
);
const spaces = fc.constantFrom(undefined, 1, '\t', '  ');

test('the request with another name for its model is the same request to any parser', () => {
  let passed = 0;
  fc.assert(
    fc.property(request, fc.string({ minLength: 1, unit: 'grapheme' }), spaces, (body, name, space) => {
      const text = JSON.stringify(body, null, space);
      const bytes = Buffer.from(text.toWellFormed());
      const shape = scanChat(bytes, 64);
      if (shape === null) {
        // Only names with escapes are doubted here.
        assert.match(JSON.stringify(body.model), /\\/);
        return;
      }
      passed++;
      const parsed = JSON.parse(bytes.toString());
      assert.equal(shape.model, parsed.model);
      assert.equal(shape.stream, parsed.stream ?? false);
      assert.equal(shape.maxTokens, parsed.max_tokens ?? null);
      assert.deepEqual(JSON.parse(withModel(bytes, shape, name).toString()), {
        ...parsed,
        model: name.toWellFormed(),
      });
    }),
    { numRuns: 200 },
  );
  assert.ok(passed > 40, String(passed));
});

test('of bytes that were tampered with nothing is taken that a parser reads otherwise', () => {
  const pieces = fc.constantFrom(
    '"',
    '\\',
    '\\"',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    ' ',
    '\u0000',
    'é',
    '"model"',
    '"model":"x"',
    '\\u0022',
    'null',
    '1',
  );
  const edits = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 3 }), pieces), { maxLength: 4 });
  fc.assert(
    fc.property(request, edits, (body, changes) => {
      let text = JSON.stringify(body);
      for (const [at, cut, piece] of changes) {
        const place = at % (text.length + 1);
        text = text.slice(0, place) + piece + text.slice(place + cut);
      }
      const bytes = Buffer.from(text.toWellFormed());
      const shape = scanChat(bytes, 64);
      if (shape === null) return;
      const spliced = withModel(bytes, shape, 'other').toString();
      let parsed: Record<string, unknown>;
      try {
        parsed = JSON.parse(bytes.toString());
      } catch {
        // What is no JSON before is none after: no parser finds another request in it.
        assert.throws(() => JSON.parse(spliced));
        return;
      }
      assert.equal(shape.model, parsed.model);
      assert.ok(Object.keys(parsed).every((key) => names.includes(key) || key === 'logit_bias'));
      assert.deepEqual(JSON.parse(spliced), { ...parsed, model: 'other' });
    }),
    { numRuns: 400 },
  );
});

test('a long string with any end is passed over as a parser does', () => {
  fc.assert(
    fc.property(fc.nat({ max: 70 }), fc.nat({ max: 9 }), fc.nat({ max: 5 }), (length, slashes, quotes) => {
      const content = `${'x'.repeat(length)}${'\\'.repeat(slashes)}${'"'.repeat(quotes)}${'\\'.repeat(slashes)}`;
      const text = JSON.stringify({ messages: [{ content, role: 'user' }], model: 'm' });
      assert.equal(scan(text)?.model, 'm');
    }),
    { numRuns: 200 },
  );
});

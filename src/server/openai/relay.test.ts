import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { scanChat } from '../../gateway/index.ts';
import { parseChat } from './chat.ts';

/** Mostly what the API takes, with something else in a place or two. */
const orAny = <T>(usual: fc.Arbitrary<T>, anything: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 60, arbitrary: usual as fc.Arbitrary<unknown> }, { weight: 1, arbitrary: anything });
const anything = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom(99, -1, 0, 1.5, '', 'auto', true, null),
);
const sometimes = <T>(usual: fc.Arbitrary<T>) => orAny(usual, anything);
const record = (fields: Record<string, fc.Arbitrary<unknown>>, requiredKeys: string[]) =>
  fc.record(fields, { requiredKeys, noNullPrototype: true });

const part = sometimes(
  record(
    {
      type: orAny(fc.constant('text'), fc.constantFrom('image_url', 'refusal', 7)),
      text: sometimes(fc.string()),
    },
    ['type', 'text'],
  ),
);
const message = sometimes(
  record(
    {
      role: orAny(
        fc.constantFrom('system', 'user', 'assistant'),
        fc.constantFrom('tool', 'developer', 'robot', 1),
      ),
      content: sometimes(fc.oneof(fc.string({ unit: 'binary' }), fc.array(part, { maxLength: 3 }))),
      name: sometimes(fc.string()),
    },
    ['role', 'content'],
  ),
);
const tool = sometimes(
  record(
    {
      type: orAny(fc.constant('function'), fc.constant('web_search')),
      function: sometimes(
        record(
          {
            name: sometimes(fc.constantFrom('a', 'b', 'c')),
            description: sometimes(fc.string()),
            parameters: sometimes(fc.dictionary(fc.string(), anything)),
            strict: sometimes(fc.boolean()),
          },
          ['name'],
        ),
      ),
    },
    ['type', 'function'],
  ),
);
const fields = {
  model: sometimes(fc.constant('m')),
  messages: sometimes(fc.array(message, { maxLength: 3 })),
  stream: sometimes(fc.boolean()),
  stream_options: sometimes(fc.constant({ include_usage: true })),
  max_tokens: sometimes(fc.integer({ min: 1, max: 1000 })),
  n: sometimes(fc.constant(1)),
  temperature: sometimes(fc.double({ min: 0, max: 2, noNaN: true })),
  top_p: sometimes(fc.double({ min: 0.1, max: 1, noNaN: true })),
  stop: sometimes(fc.oneof(fc.constant('a'), fc.array(fc.string(), { maxLength: 18 }))),
  seed: sometimes(fc.integer()),
  logit_bias: sometimes(
    fc.dictionary(fc.constantFrom('1', '23'), sometimes(fc.integer({ min: -100, max: 100 }))),
  ),
  logprobs: sometimes(fc.boolean()),
  top_logprobs: sometimes(fc.integer({ min: 0, max: 22 })),
  parallel_tool_calls: sometimes(fc.boolean()),
  tools: sometimes(fc.array(tool, { maxLength: 3 })),
  tool_choice: sometimes(fc.constantFrom('auto', 'none', 'required')),
  presence_penalty: sometimes(fc.integer({ min: -2, max: 2 })),
  frequency_penalty: sometimes(fc.integer({ min: -3, max: 3 })),
};
const optional = Object.keys(fields).filter((name) => name !== 'model' && name !== 'messages');
const body = fc
  .tuple(fc.record(fields), fc.subarray(optional, { maxLength: 5 }))
  .map(([all, names]) =>
    Object.fromEntries(
      Object.entries(all).filter(([name]) => !optional.includes(name) || names.includes(name)),
    ),
  );

test('what is passed on as it is, the API takes', () => {
  let passed = 0;
  let refused = 0;
  const { signal } = new AbortController();
  fc.assert(
    fc.property(body, (value) => {
      const bytes = Buffer.from(JSON.stringify(value).toWellFormed());
      const shape = scanChat(bytes, 32);
      if (shape === null) {
        refused++;
        return;
      }
      passed++;
      const { request, stream, includeUsage } = parseChat(JSON.parse(bytes.toString()), signal, () => 1);
      assert.deepEqual(
        [shape.model, shape.stream, shape.includeUsage, shape.maxTokens, shape.tools],
        [request.model, stream, includeUsage, request.maxTokens, (request.tools ?? []).length > 0],
      );
    }),
    { numRuns: 1000 },
  );
  assert.ok(passed > 50 && refused > 30, `${passed} passed, ${refused} refused`);
});

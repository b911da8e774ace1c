import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createSeededRandom } from '../../base/index.ts';
import { createDecoder } from '../backends/openai/decode.ts';
import { plainEnd, unknownUsage } from './plain.ts';

/** What the decoder makes of it; null where it refuses it or finds no end. */
function decoded(body: unknown) {
  const decoder = createDecoder({
    ...{ api: 'chat', backend: 'a', model: 'm', server: 'http://a', choices: 1, secrets: [] },
    random: createSeededRandom(1),
    now: () => 0,
  });
  try {
    const finish = decoder.whole(body).find((event) => event.type === 'finish');
    if (!decoder.complete || finish?.type !== 'finish') return null;
    return { reason: finish.reason, usage: decoder.usage };
  } catch {
    return null;
  }
}

const plain = {
  object: 'chat.completion',
  choices: [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 3, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 2 } },
};

test('A whole answer of plain text is read as the decoder reads it', () => {
  assert.deepEqual(plainEnd(plain), {
    reason: 'stop',
    usage: { promptTokens: 3, cachedTokens: 2, completionTokens: 1 },
  });
  assert.deepEqual(plainEnd({ ...plain, usage: null }), { reason: 'stop', usage: unknownUsage });
});

test('Whatever it says of an answer, the decoder says too', () => {
  const odd = fc.constantFrom<unknown[]>(
    null,
    undefined,
    0,
    1,
    -1,
    '',
    'stop',
    'length',
    'error',
    [],
    {},
    [1],
  );
  const usage = fc.oneof(odd, fc.record({ prompt_tokens: odd, completion_tokens: odd }));
  const message = fc.record(
    { content: fc.oneof(odd, fc.constant('hi')), refusal: odd, tool_calls: odd, function_call: odd },
    { requiredKeys: ['content'] },
  );
  const choice = fc.record(
    { index: odd, message: fc.oneof(odd, message), finish_reason: odd, logprobs: odd, delta: odd, usage },
    { requiredKeys: ['index', 'message', 'finish_reason'] },
  );
  const near = fc.record(
    { object: fc.constantFrom('chat.completion', 'error', 1), choices: fc.array(choice, { maxLength: 2 }) },
    { requiredKeys: ['object', 'choices'] },
  );
  let read = 0;
  fc.assert(
    fc.property(near, fc.record({ error: odd, usage, x_groq: odd }, { requiredKeys: [] }), (body, more) => {
      const all = { ...body, ...more };
      const end = plainEnd(all);
      if (end === null) return;
      read++;
      assert.deepEqual(end, decoded(all));
    }),
    { examples: [[plain as never, {}]] },
  );
  assert.ok(read > 0);
});

/**
 * Whatever a server sends, the decoders give events that keep the promises of `ChatEvent`, or a typed error.
 *
 * @module gateway/backends/decoders.test
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createSeededRandom } from '../../base/index.ts';
import type { ChatEvent } from '../types.ts';
import { UpstreamError } from '../upstream/index.ts';
import { createMessageDecoder } from './anthropic/decode.ts';
import { createDecoder } from './openai/decode.ts';
import type { AnswerDecoder } from './stream-answer.ts';

const CHOICES = 2;
const RUNS = 3000;
const common = { backend: 'b', model: 'm', server: 's', now: () => 0, secrets: [] };
const openAi = (api: 'chat' | 'completions') =>
  createDecoder({ ...common, api, choices: CHOICES, random: createSeededRandom(1) });
const anthropic = () => createMessageDecoder({ ...common, random: createSeededRandom(1) });

/** Throws when the events break what `ChatEvent` promises; returns how many choices finished. */
function checkEvents(events: readonly ChatEvent[]): number {
  const open = new Map<number, { calls: number; args: string; finished: boolean }>();
  for (const [place, event] of events.entries()) {
    assert.equal(event.type === 'start', place === 0, 'one start, first');
    if (event.type === 'start' || event.type === 'usage') continue;
    const state = open.get(event.choice) ?? { calls: 0, args: '', finished: false };
    open.set(event.choice, state);
    assert.ok(!state.finished, 'nothing after a finish');
    if (event.type === 'tool_call') {
      assert.equal(event.index, state.calls++);
      state.args = '';
      assert.ok(event.id !== '' && event.name !== '');
    } else if (event.type === 'tool_arguments') {
      assert.equal(event.index, state.calls - 1);
      state.args += event.text;
    } else if (event.type === 'finish') {
      state.finished = true;
      if (state.calls > 0 && event.reason !== 'length') assert.equal(typeof JSON.parse(state.args), 'object');
    }
  }
  return [...open.values()].filter(({ finished }) => finished).length;
}

function decodeAll(decoder: AnswerDecoder, frames: readonly unknown[], choices: number): void {
  const events: ChatEvent[] = [];
  let failed = false;
  try {
    for (const frame of frames) {
      const data = typeof frame === 'string' ? frame : JSON.stringify(frame);
      events.push(...decoder.frame({ event: 'message', data }));
    }
  } catch (error) {
    failed = true;
    assert.ok(error instanceof UpstreamError, error instanceof Error ? error.stack : String(error));
  }
  const finished = checkEvents(events);
  if (decoder.complete && !failed) assert.equal(finished, choices);
  for (const count of Object.values(decoder.usage))
    assert.ok(count === null || (Number.isSafeInteger(count) && count >= 0));
}

const any = fc.jsonValue({ maxDepth: 2 });
/** Mostly the value that belongs there, at times anything. */
const mostly = <T>(right: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 6, arbitrary: right }, { weight: 1, arbitrary: any });
const record = (shape: Record<string, fc.Arbitrary<unknown>>) => fc.record(shape, { requiredKeys: [] });
const small = fc.nat({ max: 2 });
const args = fc.constantFrom('', '{', '}', '{}', '"x":1', '{"x":', '1}', '[]');
const usage = record({ prompt_tokens: mostly(small), completion_tokens: mostly(small) });

const openAiFrame = record({
  model: mostly(fc.constant('m2')),
  error: fc.constantFrom(null, undefined, undefined, undefined, 'no', { message: 'no', code: 429 }),
  usage: mostly(usage),
  choices: mostly(
    fc.array(
      record({
        index: mostly(fc.nat({ max: 1 })),
        text: mostly(fc.constantFrom('', 'a')),
        delta: mostly(
          record({
            content: mostly(fc.constantFrom('', 'a', null)),
            reasoning_content: fc.constant('t'),
            tool_calls: mostly(
              fc.array(
                record({
                  index: mostly(small),
                  id: mostly(fc.constantFrom('', 'x', 'y')),
                  function: mostly(
                    record({ name: mostly(fc.constantFrom('', 'f', 'g')), arguments: mostly(args) }),
                  ),
                }),
                { maxLength: 2 },
              ),
            ),
          }),
        ),
        finish_reason: mostly(fc.constantFrom(null, null, null, 'stop', 'tool_calls', 'length', 'odd')),
        logprobs: fc.constantFrom(
          null,
          undefined,
          { content: [{ token: 'a', logprob: -1 }] },
          { content: 3 },
        ),
      }),
      { maxLength: 2 },
    ),
  ),
});

const index = mostly(small);
const anthropicFrame = fc.oneof(
  record({
    type: fc.constant('message_start'),
    message: mostly(record({ model: mostly(fc.constant('m')), usage: any })),
  }),
  record({
    type: fc.constant('content_block_start'),
    index,
    content_block: mostly(
      record({
        type: fc.constantFrom('text', 'tool_use', 'thinking'),
        text: mostly(fc.constant('a')),
        id: mostly(fc.constantFrom('x', 'y')),
        name: mostly(fc.constantFrom('f', '')),
        input: mostly(fc.constantFrom({}, { a: 1 })),
      }),
    ),
  }),
  record({
    type: fc.constant('content_block_delta'),
    index,
    delta: mostly(
      record({
        type: fc.constantFrom('text_delta', 'input_json_delta', 'thinking_delta'),
        text: mostly(fc.constant('a')),
        partial_json: mostly(args),
      }),
    ),
  }),
  record({ type: fc.constant('content_block_stop'), index }),
  record({
    type: fc.constant('message_delta'),
    delta: mostly(
      record({ stop_reason: mostly(fc.constantFrom('end_turn', 'tool_use', 'max_tokens', 'odd', null)) }),
    ),
    usage: mostly(record({ output_tokens: mostly(small) })),
  }),
  fc.constantFrom(
    { type: 'ping' },
    { type: 'message_stop' },
    { type: 'error', error: { type: 'overloaded_error' } },
  ),
);

test('OpenAI: any chunks give events that keep their promises, or a typed error', () => {
  const frames = fc.array(fc.oneof({ weight: 9, arbitrary: openAiFrame }, { weight: 1, arbitrary: any }), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(fc.constantFrom('chat', 'completions'), frames, (api, list) =>
      decodeAll(openAi(api), list, CHOICES),
    ),
    { numRuns: RUNS },
  );
});

test('Anthropic: any events of a stream give events that keep their promises, or a typed error', () => {
  const begin = fc.constant({ type: 'message_start', message: { model: 'm', usage: { input_tokens: 1 } } });
  const frames = fc
    .tuple(
      mostly(begin),
      fc.array(fc.oneof({ weight: 9, arbitrary: anthropicFrame }, { weight: 1, arbitrary: any }), {
        maxLength: 12,
      }),
    )
    .map(([first, rest]) => [first, ...rest]);
  fc.assert(
    fc.property(frames, (list) => decodeAll(anthropic(), list, 1)),
    { numRuns: RUNS },
  );
});

test('any text in place of JSON is a typed error', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      decodeAll(openAi('chat'), [text], CHOICES);
      decodeAll(anthropic(), [text], 1);
    }),
  );
});

test('any whole JSON value is an answer or a typed error', () => {
  fc.assert(
    fc.property(fc.oneof(any, openAiFrame, anthropicFrame), (value) => {
      for (const decoder of [openAi('chat'), openAi('completions'), anthropic()]) {
        try {
          checkEvents(decoder.whole(value));
        } catch (error) {
          assert.ok(error instanceof UpstreamError, error instanceof Error ? error.stack : String(error));
        }
      }
    }),
    { numRuns: 500 },
  );
});

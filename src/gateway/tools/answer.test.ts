import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom } from '../../base/index.ts';
import type { ChatEvent, FinishReason } from '../types.ts';
import { readCalls } from './answer.ts';
import { formatOf } from './formats.ts';

const { openings, atStart, argumentsKey } = formatOf('hermes');
const call = (name: string, text = '{}') =>
  `<tool_call>{"name": "${name}", "arguments": ${text}}</tool_call>`;
const bytesOf = (text: string) => new TextEncoder().encode(text);
const textEvent = (text: string, tokens: readonly (string | Uint8Array)[] | null = null): ChatEvent => ({
  type: 'text',
  choice: 0,
  text,
  logprobs:
    tokens?.map((token, index) => ({
      token: index,
      bytes: typeof token === 'string' ? bytesOf(token) : token,
      logprob: -1,
      top: [],
    })) ?? null,
});

/** Events of one choice whose text comes in these pieces; whether the choice was ended from here. */
async function read(
  pieces: readonly ChatEvent[],
  reason: FinishReason = 'stop',
): Promise<{ events: ChatEvent[]; ended: boolean }> {
  let ended = false;
  async function* source(): AsyncGenerator<ChatEvent> {
    yield* pieces;
    const why = ended ? 'aborted' : reason;
    yield { type: 'finish', choice: 0, reason: why, stop: null, slidTokens: 0 };
  }
  const events: ChatEvent[] = [];
  const options = { openings, atStart, argumentsKey };
  for await (const event of readCalls(source(), options, createSeededRandom(1), () => (ended = true)))
    events.push(event);
  return { events, ended };
}
const reasonOf = (events: readonly ChatEvent[]) => {
  const last = events.at(-1)!;
  return last.type === 'finish' ? last.reason : assert.fail('no finish');
};
const tokensOf = (events: readonly ChatEvent[]): string =>
  events
    .flatMap((event) => (event.type === 'text' ? (event.logprobs ?? []) : []))
    .map(({ bytes }) => Buffer.from(bytes).toString('latin1'))
    .join('|');

test('the finish says whether tools were called, and whether the last call is whole', async () => {
  const ends = async (text: string, reason?: FinishReason) =>
    reasonOf((await read([textEvent(text)], reason)).events);
  assert.equal(await ends('Hello'), 'stop');
  assert.equal(await ends(`Hello${call('f')}`), 'tool_calls');
  assert.equal(await ends(call('f'), 'length'), 'length');
  assert.equal(await ends('<tool_call>{"name": "f", "argu'), 'length');
  assert.equal(await ends('<tool_call>'), 'length');
});

test('every call has an id of its own', async () => {
  const { events } = await read([textEvent(call('f') + call('g'))]);
  const ids = events.flatMap((event) => (event.type === 'tool_call' ? [event.id] : []));
  assert.equal(new Set(ids).size, 2);
  for (const id of ids) assert.match(id, /^call_[A-Za-z0-9]{24}$/);
});

test('log probabilities come with the text, in whatever pieces, and stop where the calls begin', async () => {
  const whole = await read([
    textEvent('ab ', ['a', 'b ']),
    textEvent('c<', ['c', '<']),
    textEvent('d', ['d']),
  ]);
  assert.equal(tokensOf(whole.events), 'a|b |c|<|d');
  const called = await read([
    textEvent('ab', ['a', 'b']),
    textEvent('.<tool', ['.<', 'tool']),
    textEvent('_call>{"name"', ['_call>', '{"name"']),
    textEvent(': "f", "arguments": {}}</tool_call>', ['x']),
  ]);
  assert.equal(tokensOf(called.events), 'a|b|.<');
  const broken = await read([textEvent('\ufffd<tool_call>', [Uint8Array.of(0xe2), '<tool_call>'])]);
  assert.equal(tokensOf(broken.events), '\xe2');
  const held = await read([textEvent('a<', ['a', '<']), textEvent('', ['x'])]);
  assert.equal(tokensOf(held.events), 'a|<|x');
});

test('an answer that makes the same call a third time ends there', async () => {
  const looped = await read([...Array(9)].map(() => textEvent(call('f', '{"a": 1}'))));
  assert.ok(looped.ended);
  assert.equal(reasonOf(looped.events), 'tool_calls');
  assert.equal(looped.events.filter(({ type }) => type === 'tool_call').length, 3);
  const atOnce = await read([textEvent(call('f').repeat(5))]);
  assert.equal(atOnce.events.filter(({ type }) => type === 'tool_call').length, 3);
  const different = await read([0, 1, 2, 3, 4].map((a) => textEvent(call('f', `{"a": ${a}}`))));
  assert.ok(!different.ended);
  assert.equal(different.events.filter(({ type }) => type === 'tool_call').length, 5);
  const many = await read([...Array(100).keys()].map((a) => textEvent(call('f', `{"a": ${a}}`))));
  assert.equal(many.events.filter(({ type }) => type === 'tool_call').length, 64);
});

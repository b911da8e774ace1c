import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import type { ChatRequest } from '../types.ts';
import { answerKey, isCacheable, topicKey } from './key.ts';
import { request, scope } from './testing/examples.ts';
import type { AnswerScope } from './types.ts';

const tool = { name: 'clock', description: null, parameters: { type: 'object' }, strict: false };
const base = request({ sampler: { temperature: 0.5, topK: 4, seed: 1 }, tools: [tool] });
const id = (changes: Partial<ChatRequest> = {}, scoped: Partial<AnswerScope> = {}) =>
  answerKey({ ...base, ...changes }, { ...scope, ...scoped })?.id;

test('each thing that determines the answer is in the key', () => {
  const others = [
    id(),
    id({ messages: [{ role: 'user', content: 'Who painted the floor?' }] }),
    id({ messages: [{ role: 'system', content: 'Who painted the ceiling?' }] }),
    id({ messages: [{ role: 'user', content: 'Who painted the ceiling?', name: 'ada' }] }),
    id({ n: 2 }),
    id({ sampler: { temperature: 0.6, topK: 4, seed: 1 } }),
    id({ sampler: { temperature: 0.5, topK: 5, seed: 1 } }),
    id({ sampler: { temperature: 0.5, topK: 4, seed: 2 } }),
    id({ sampler: { temperature: 0.5, topK: 4, seed: 1, logitBias: [[3, -100]] } }),
    id({ maxTokens: 5 }),
    id({ stop: ['.'] }),
    id({ overflow: 'slide' }),
    id({ keepTokens: 1 }),
    id({ grammar: { kind: 'json_object' } }),
    id({ tools: [{ ...tool, strict: true }] }),
    id({ tools: [{ ...tool, parameters: { type: 'string' } }] }),
    id({ tools: [] }),
    id({ toolChoice: 'required' }),
    id({ toolChoice: { name: 'clock' } }),
    id({ parallelToolCalls: false }),
    id({ variables: { enable_thinking: false } }),
    id({ prefill: 'It' }),
    id({}, { model: 'large' }),
    id({}, { revision: 'abc' }),
    id({}, { tenant: 'key-2' }),
    id({}, { privacy: 'medium' }),
  ];
  assert.equal(new Set(others).size, others.length);
  assert.match(others[0]!, /^[0-9a-f]{64}$/);
});

test('what does not determine the answer is not in the key', () => {
  assert.equal(id({ timeoutMs: 5 }), id());
  assert.equal(id({ signal: AbortSignal.abort() }), id());
  assert.equal(id({ model: 'alias of the same model' }), id());
  assert.equal(id({ user: 'u-1', metadata: { trace: 7 }, store: true } as Partial<ChatRequest>), id());
  assert.equal(id({ toolChoice: 'auto', parallelToolCalls: true, variables: {}, prefill: '' }), id());
  assert.equal(id({}, { optIn: true, similar: true, revision: null }), id());
  const greedy = (seed: number) => id({ sampler: { temperature: 0, seed } });
  assert.equal(greedy(1), greedy(2));
  const drawn = (seed: number) => id({ sampler: { temperature: 0.5, seed } }, { drawnSeed: true });
  assert.equal(drawn(1), drawn(2));
});

test('the order of object keys never changes the key, any other change of a value does', () => {
  const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
  const keyOf = (parameters: unknown) => id({ tools: [{ ...tool, parameters }] });
  fc.assert(
    fc.property(json, json, (a, b) => {
      assert.equal(keyOf(reversed(a)), keyOf(a));
      if (!equal(a, b)) assert.notEqual(keyOf(a), keyOf(b));
    }),
    { numRuns: 300 },
  );
});

test('no two texts can be moved between fields or messages without another key', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 6 });
  fc.assert(
    fc.property(fc.array(text, { maxLength: 4 }), fc.array(text, { maxLength: 4 }), (a, b) => {
      const keyOf = (texts: readonly string[]) =>
        id({ messages: texts.map((content) => ({ role: 'user', content })) });
      assert.equal(keyOf(a) === keyOf(b), equal(a, b));
      assert.equal(id({ stop: a }) === id({ stop: b }), equal(a, b));
    }),
    { numRuns: 300 },
  );
});

test('only temperature 0 or a wish makes a request cacheable, and never the highest privacy', () => {
  assert.ok(isCacheable(request(), scope));
  assert.ok(!isCacheable(request({ sampler: {} }), scope));
  assert.ok(!isCacheable(request({ sampler: { temperature: 0.1 } }), scope));
  assert.ok(isCacheable(request({ sampler: { temperature: 0.1 } }), { ...scope, optIn: true }));
  assert.ok(!isCacheable(request(), { ...scope, privacy: 'maximum', optIn: true }));
  assert.ok(!isCacheable(request({ sampler: { temperature: 0, topLogprobs: 0 } }), scope));
});

test('what has no canonical form has no key', () => {
  assert.equal(id({ messages: [{ role: 'user', content: '\ud800' }] }), undefined);
  assert.equal(id({ variables: { at: new Date(0) } }), undefined);
  let deep: unknown = 1;
  for (let i = 0; i < 100_000; i++) deep = [deep];
  assert.equal(id({ variables: { deep } }), undefined);
});

test('a topic is everything but the last text of the user', () => {
  const topic = (content: string, changes: Partial<AnswerScope> = {}) =>
    topicKey(request({ messages: [{ role: 'user', content }] }), { ...scope, ...changes })?.id;
  assert.equal(topic('a'), topic('b'));
  assert.notEqual(topic('a'), topic('a', { tenant: 'key-2' }));
  assert.notEqual(topic('a'), topic('a', { privacy: 'medium' }));
  assert.notEqual(topic('a'), topic('a', { model: 'large' }));
  assert.equal(topicKey(request({ messages: [{ role: 'assistant', content: 'a' }] }), scope), null);
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, reversed(item)]),
  );
}

function equal(a: unknown, b: unknown): boolean {
  try {
    assert.deepStrictEqual(a, b);
    return true;
  } catch {
    return false;
  }
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import type { ChatEvent } from '../types.ts';
import { decodeAnswer, decodeTimes, encodeAnswer, HEADER_BYTES } from './codec.ts';
import { createRecorder, isRepeatable, replay } from './record.ts';
import { answer, anyEvents, essence, eventsOf, receipt, request, stored } from './testing/examples.ts';

function record(events: readonly ChatEvent[], maxChars = 1e6) {
  const recorder = createRecorder(maxChars);
  for (const event of events) recorder.add(event);
  return recorder.answer();
}

test('what is replayed says what was recorded, after bytes and back, for any list of events', () => {
  fc.assert(
    fc.property(anyEvents(), (events) => {
      const kept = record(events)!;
      const bytes = encodeAnswer({ answer: kept, storedAt: 1, freshUntil: 2 });
      const back = decodeAnswer(bytes)!;
      assert.deepEqual(essence([...replay(back.answer, null)]), essence(events));
      assert.deepEqual(
        { storedAt: back.storedAt, freshUntil: back.freshUntil },
        { storedAt: 1, freshUntil: 2 },
      );
      // Recording the replay gives the same answer again.
      assert.deepEqual(record([...replay(kept, null)]), kept);
    }),
    { numRuns: 300 },
  );
});

test('the receipt of a replay says that it came from the cache and takes no times for its own', () => {
  const events = [...replay(answer('x'), { status: 'hit', ageMs: 5, savedTokens: 12 })];
  const usage = events.at(-1)!;
  assert.ok(usage.type === 'usage');
  assert.deepEqual(usage.receipt, {
    ...receipt,
    queueMs: null,
    prefillMs: null,
    decodeMs: null,
    cache: { status: 'hit', ageMs: 5, savedTokens: 12 },
  });
  assert.equal(usage.promptTokens, 7);
});

test('an answer without its end, with an abort, with log-probabilities or too long is not recorded', () => {
  const whole = eventsOf('a', 'b');
  assert.ok(record(whole));
  for (let length = 0; length < whole.length; length++) assert.equal(record(whole.slice(0, length)), null);
  const without = (type: string) => whole.filter((event) => event.type !== type);
  assert.equal(record(without('finish')), null);
  assert.equal(record(without('start')), null);
  const changed = (change: (event: ChatEvent) => ChatEvent) => record(whole.map(change));
  assert.equal(
    changed((event) => (event.type === 'finish' ? { ...event, reason: 'aborted' } : event)),
    null,
  );
  assert.equal(
    changed((event) => (event.type === 'text' ? { ...event, logprobs: [] } : event)),
    null,
  );
  assert.equal(record(eventsOf('x'.repeat(11)), 10), null);
  assert.ok(record(eventsOf('x'.repeat(10)), 10));
});

test('an answer that was cut is kept only where the limit of the caller cut it', () => {
  const cut = { ...answer('x'), choices: [{ ...answer('x').choices[0]!, reason: 'length' as const }] };
  assert.ok(isRepeatable(answer('x'), request()));
  assert.ok(!isRepeatable(cut, request()));
  assert.ok(isRepeatable(cut, request({ maxTokens: 5 })));
  assert.ok(!isRepeatable(cut, request({ maxTokens: 6 })));
  assert.ok(!isRepeatable(answer('x'), request({ n: 2 })));
});

test('an answer that was kept by version 1 says that its counts are unknown where they were', () => {
  const first = (receiptExtra: object) => {
    const kept = { ...answer('x'), promptTokens: 0, cachedTokens: 0, completionTokens: 0 };
    const bytes = encodeAnswer({
      ...stored('x'),
      answer: { ...kept, receipt: { ...receipt, ...receiptExtra } },
    });
    bytes.write('1', 1);
    const { promptTokens, cachedTokens, completionTokens } = decodeAnswer(bytes)!.answer;
    return [promptTokens, cachedTokens, completionTokens];
  };
  assert.deepEqual(first({ upstream: { usageReported: false } }), [null, null, null]);
  assert.deepEqual(first({ upstream: { usageReported: true } }), [0, 0, 0]);
  assert.deepEqual(first({}), [0, 0, 0]);
});

test('an answer of unknown counts is kept and replayed without any', () => {
  const events = eventsOf('a').map((event) =>
    event.type === 'usage'
      ? { ...event, promptTokens: null, cachedTokens: null, completionTokens: null }
      : event,
  );
  const kept = record(events)!;
  assert.deepEqual(decodeAnswer(encodeAnswer({ ...stored(''), answer: kept }))!.answer, kept);
  assert.deepEqual([...replay(kept, null)], events);
  const cut = { ...kept, choices: [{ ...kept.choices[0]!, reason: 'length' as const }] };
  assert.ok(!isRepeatable(cut, request({ maxTokens: 1 })), 'what cut it is not known');
});

test('bytes that are no answer are no answer', () => {
  const bytes = encodeAnswer(stored('héllo \ud800'));
  assert.deepEqual(decodeAnswer(bytes), stored('héllo \ud800'));
  assert.equal(decodeTimes(bytes)!.storedAt, 1_700_000_000_000);
  for (let length = 0; length < bytes.length; length++) {
    assert.equal(decodeAnswer(bytes.subarray(0, length)), null);
  }
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const hurt = Buffer.from(bytes);
      hurt[at]! ^= flip;
      const back = decodeAnswer(hurt);
      // Damage is either seen or lies within a text or a number.
      if (back !== null) assert.equal(encodeAnswer(back).subarray(0, 2).toString(), 'K2');
    }),
    { numRuns: 500 },
  );
  assert.equal(HEADER_BYTES, bytes.indexOf('{'));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../../test/property.ts';
import { createManualClock } from '../../../base/index.ts';
import { bytesOf, createItemMemory, type ItemMemoryLimits, itemMemoryLimits } from './item-memory.ts';
import { answerItem } from './items.ts';
import type { OutputItem } from './response.ts';

const open = new AbortController().signal;
const message = (id: string, text: string): OutputItem => ({
  id,
  type: 'message',
  status: 'completed',
  role: 'assistant',
  content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
});
const call = (id: string, json: string): OutputItem => ({
  id,
  type: 'function_call',
  status: 'completed',
  call_id: `call_${id}`,
  name: 'f',
  arguments: json,
});
const costOf = (caller: string | null, item: OutputItem) => bytesOf(caller, item.id, answerItem(item));

function memoryOf(limits: Partial<ItemMemoryLimits> = {}) {
  const clock = createManualClock();
  return { clock, memory: createItemMemory(clock, open, { ...itemMemoryLimits, ...limits }) };
}

test('an item comes back as the input that it would have been', () => {
  const { memory } = memoryOf();
  memory.keep(null, [message('msg_1', 'Hi'), call('fc_1', '{"a":1}'), call('fc_2', '')]);
  assert.deepEqual(memory.recall(null, 'msg_1'), { type: 'message', role: 'assistant', content: 'Hi' });
  assert.deepEqual(memory.recall(null, 'fc_1'), {
    type: 'function_call',
    call_id: 'call_fc_1',
    name: 'f',
    arguments: '{"a":1}',
  });
  const empty = memory.recall(null, 'fc_2');
  assert.equal(empty?.type === 'function_call' && empty.arguments, '{}');
  assert.equal(memory.recall(null, 'msg_2'), null);
});

test('callers see their own items only, and whoever has no key sees those of nobody else', () => {
  const { memory } = memoryOf();
  memory.keep('a', [message('msg_a', 'of a')]);
  memory.keep(null, [message('msg_local', 'of nobody')]);
  const seen = (id: string) => ['a', 'b', null].map((caller) => memory.recall(caller, id) !== null);
  assert.deepEqual(seen('msg_a'), [true, false, false]);
  assert.deepEqual(seen('msg_local'), [false, false, true]);
});

test('an item is forgotten an hour after its last use, without another request', async () => {
  const { clock, memory } = memoryOf();
  memory.keep(null, [message('msg_1', 'one'), message('msg_2', 'two')]);
  await clock.advance(itemMemoryLimits.ageMs - 1);
  assert.ok(memory.recall(null, 'msg_2'));
  await clock.advance(1);
  assert.equal(memory.items, 1);
  assert.equal(memory.recall(null, 'msg_1'), null);
  assert.ok(memory.recall(null, 'msg_2'));
  await clock.advance(itemMemoryLimits.ageMs);
  assert.deepEqual([memory.items, memory.bytes, clock.sleeping], [0, 0, 0]);
  memory.keep(null, [message('msg_3', 'three')]);
  await clock.advance(itemMemoryLimits.ageMs);
  assert.equal(memory.items, 0, 'waiting begins anew');
});

test('a stranger who guesses an id does not prolong its life', async () => {
  const { clock, memory } = memoryOf({ ageMs: 10 });
  memory.keep('a', [message('msg_1', 'one')]);
  await clock.advance(5);
  assert.equal(memory.recall('b', 'msg_1'), null);
  await clock.advance(5);
  assert.equal(memory.items, 0);
});

test('over a bound, what was not used for the longest time goes first', () => {
  const { memory } = memoryOf({ items: 2 });
  memory.keep(null, [message('msg_1', 'one'), message('msg_2', 'two')]);
  memory.recall(null, 'msg_1');
  memory.keep(null, [message('msg_3', 'three')]);
  assert.deepEqual(
    ['msg_1', 'msg_2', 'msg_3'].map((id) => memory.recall(null, id) !== null),
    [true, false, true],
  );
});

test('an item larger than the whole memory pushes nothing out', () => {
  const small = message('msg_1', 'one');
  const { memory } = memoryOf({ bytes: costOf(null, small) });
  memory.keep(null, [small]);
  memory.keep(null, [message('msg_2', 'seven')]);
  assert.deepEqual([memory.items, memory.bytes], [1, costOf(null, small)]);
  assert.ok(memory.recall(null, 'msg_1'));
});

test('nothing waits for items to grow old once the server closes', async () => {
  const clock = createManualClock();
  const closing = new AbortController();
  const memory = createItemMemory(clock, closing.signal);
  memory.keep(null, [message('msg_1', 'one')]);
  assert.equal(clock.sleeping, 1);
  closing.abort();
  memory.keep(null, [message('msg_2', 'two')]);
  assert.equal(clock.sleeping, 0);
  assert.ok(memory.recall(null, 'msg_2'), 'answers that still come to their end are remembered');
});

/** The same in the plainest way: a list, oldest first. */
function model(limits: ItemMemoryLimits) {
  let list: { id: string; caller: string | null; bytes: number; usedAt: number }[] = [];
  const bytes = () => list.reduce((sum, entry) => sum + entry.bytes, 0);
  return {
    bytes,
    ids: () => list.map(({ id }) => id),
    grow: (now: number) => {
      list = list.filter(({ usedAt }) => now < usedAt + limits.ageMs);
    },
    keep(id: string, caller: string | null, size: number, now: number) {
      list = list.filter((entry) => entry.id !== id);
      if (size > limits.bytes) return;
      list.push({ id, caller, bytes: size, usedAt: now });
      while (list.length > limits.items || bytes() > limits.bytes) list.shift();
    },
    recall(id: string, caller: string | null, now: number): boolean {
      const found = list.find((entry) => entry.id === id && entry.caller === caller);
      if (found) list = [...list.filter((entry) => entry !== found), { ...found, usedAt: now }];
      return found !== undefined;
    },
  };
}

test('whatever is kept, asked for and waited for, no bound is ever passed', async () => {
  const caller = fc.constantFrom('a', 'key_b', null);
  const id = fc.nat(12).map((index) => `msg_${index}`);
  const step = fc.oneof(
    fc.record({
      do: fc.constant('keep' as const),
      caller,
      id,
      text: fc.string({ maxLength: 900, unit: 'binary' }),
    }),
    fc.record({ do: fc.constant('recall' as const), caller, id }),
    fc.record({ do: fc.constant('wait' as const), ms: fc.nat(60) }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 60 }),
      fc.record({
        items: fc.integer({ min: 1, max: 6 }),
        bytes: fc.nat(6000),
        ageMs: fc.integer({ min: 1, max: 100 }),
      }),
      async (steps, limits) => {
        const { clock, memory } = memoryOf(limits);
        const plain = model(limits);
        for (const each of steps) {
          if (each.do === 'wait') {
            await clock.advance(each.ms);
            plain.grow(clock.monotonic());
          } else if (each.do === 'keep') {
            const item = message(each.id, each.text);
            memory.keep(each.caller, [item]);
            plain.keep(each.id, each.caller, costOf(each.caller, item), clock.monotonic());
          } else {
            const found = memory.recall(each.caller, each.id) !== null;
            assert.equal(found, plain.recall(each.id, each.caller, clock.monotonic()));
          }
          assert.ok(memory.bytes <= limits.bytes && memory.items <= limits.items);
          assert.deepEqual([memory.items, memory.bytes], [plain.ids().length, plain.bytes()]);
        }
      },
    ),
    { numRuns: 150 },
  );
});

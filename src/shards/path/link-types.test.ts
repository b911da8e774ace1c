import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sameTypes, typesFor } from './link-types.ts';

test('what the owner names holds for all links and stages', () => {
  for (const wish of ['f32', 'f16', 'i8'] as const)
    for (const rttMs of [null, 0, 10, 200])
      assert.deepEqual(typesFor(wish, rttMs), { prefill: wish, decode: wish });
});

test('with auto near links are exact, farther ones round prompts first, and far ones tokens, too', () => {
  const types = (rttMs: number | null) => Object.values(typesFor('auto', rttMs)).join(' ');
  assert.deepEqual([null, 0, 4.9].map(types), ['f32 f32', 'f32 f32', 'f32 f32']);
  assert.deepEqual([5, 29.9].map(types), ['f16 f32', 'f16 f32']);
  assert.deepEqual([30, 500].map(types), ['i8 f16', 'i8 f16']);
});

test('types are the same when both stages are', () => {
  assert.equal(sameTypes(typesFor('auto', 1), typesFor('f32', 80)), true);
  assert.equal(sameTypes(typesFor('auto', 10), typesFor('f32', 10)), false);
  assert.equal(sameTypes(typesFor('auto', 50), typesFor('i8', 50)), false);
});

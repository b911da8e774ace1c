import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createLookup } from './lookup.ts';

const none = new Set<number>();
const propose = (tokens: readonly number[], most: number, last: ReadonlySet<number> = none) => [
  ...createLookup(last).propose(Int32Array.from(tokens), tokens.length, most).draft,
];

test('what followed the last tokens before is proposed, the longer run and the later place first', () => {
  assert.deepEqual(propose([1, 2, 3, 4, 5, 6, 1, 2, 3], 3), [4, 5, 6]);
  assert.deepEqual(propose([1, 2, 3, 7, 9, 2, 3, 8, 1, 2, 3], 1), [7]);
  assert.deepEqual(propose([5, 1, 2, 7, 6, 1, 2, 8, 9, 1, 2], 2), [8, 9]);
  assert.deepEqual(propose([1, 2, 3, 4], 5), []);
  assert.deepEqual(propose([1], 5), []);
  assert.deepEqual(propose([], 5), []);
  assert.deepEqual(propose([1, 2, 1, 2], 0), []);
});

test('what repeats itself is proposed to go on', () => {
  assert.deepEqual(propose([4, 4, 4], 5), [4, 4, 4, 4, 4]);
  assert.deepEqual(propose([1, 2, 1, 2, 1, 2], 5), [1, 2, 1, 2, 1]);
});

test('nothing is proposed from a token on that ends an answer', () => {
  assert.deepEqual(propose([1, 2, 3, 9, 4, 1, 2], 4, new Set([9])), [3]);
});

test('read token by token or at once, growing or replaced, it proposes what stands in the text', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(4), { maxLength: 300 }), fc.nat(300), fc.nat(20), (values, at, most) => {
      const grown = createLookup(none);
      const tokens = Int32Array.from(values);
      for (let count = 1; count < tokens.length; count++) grown.propose(tokens, count, 1);
      const { draft, match } = grown.propose(tokens, tokens.length, most);
      assert.deepEqual([...draft], propose(values, most));
      if (draft.length > 0) {
        // As if the text had gone on like this from an earlier place.
        const text = [...values, ...draft];
        const goesOn = (from: number) =>
          draft.every((token, i) => text[from + i] === token) &&
          Array.from({ length: match }, (_, i) => i + 1).every(
            (back) => text[from - back] === values.at(-back),
          );
        assert.ok(match >= 2 && values.some((_, from) => from >= match && goesOn(from)));
      }
      grown.reset();
      const other = tokens.slice(at);
      assert.deepEqual([...grown.propose(other, other.length, most).draft], propose([...other], most));
    }),
  );
});

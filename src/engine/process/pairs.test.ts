import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { frameOf, groupPassages, longestQuery, pairRow } from './pairs.ts';

const tokenizer = (kind: 'bert' | 'gpt2', around: readonly number[]) => ({
  kind,
  encode: () => Int32Array.from(around),
});
const BERT = frameOf(tokenizer('bert', [101, 102]));

test('a pair is read as BERT and as RoBERTa were trained', () => {
  const [query, passage] = [Int32Array.of(1, 2), Int32Array.of(7, 8, 9)];
  const bert = pairRow(query, passage, BERT, 64);
  assert.deepEqual([[...bert.tokens], bert.second], [[101, 1, 2, 102, 7, 8, 9, 102], 4]);
  const roberta = pairRow(query, passage, frameOf(tokenizer('gpt2', [0, 3])), 64);
  assert.deepEqual([...roberta.tokens], [0, 1, 2, 3, 3, 7, 8, 9, 3]);
  assert.deepEqual([...pairRow(query, new Int32Array(0), BERT, 64).tokens], [101, 1, 2, 102, 102]);
});

test('a tokenizer that puts nothing around texts, or more than two tokens, is refused', () => {
  for (const around of [[], [1], [1, 2, 3]])
    assert.throws(() => frameOf(tokenizer('bert', around)), { code: 'reranker_unsupported' });
});

test('a pair never outgrows the window, keeps all of the query and the beginning of the passage', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 8, max: 96 }),
      fc.array(fc.integer({ min: 200, max: 300 }), { minLength: 1, maxLength: 60 }),
      fc.array(fc.integer({ min: 400, max: 500 }), { maxLength: 200 }),
      (context, q, p) => {
        const [query, passage] = [Int32Array.from(q), Int32Array.from(p)];
        if (q.length > longestQuery(context)) {
          assert.throws(() => pairRow(query, passage, BERT, context), { code: 'input_too_long' });
          return;
        }
        const { tokens, second } = pairRow(query, passage, BERT, context);
        assert.equal(tokens.length, Math.min(context, q.length + p.length + 3));
        assert.deepEqual([...tokens.subarray(0, second)], [101, ...q, 102]);
        assert.deepEqual([...tokens.subarray(second)], [...p.slice(0, tokens.length - second - 1), 102]);
      },
    ),
  );
});

test('groups hold every passage once, in order, and stay bounded', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 9000 }), { maxLength: 700 }), (lengths) => {
      const passages = lengths.map((length) => new Int32Array(length));
      const groups = groupPassages(passages);
      assert.deepEqual(groups.flat(), passages);
      for (const group of groups) {
        const tokens = group.reduce((sum, { length }) => sum + length, 0);
        assert.ok(group.length <= 256 && (group.length === 1 || tokens <= 16_384));
      }
    }),
    { numRuns: 30 },
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { BUCKETS, extractFeatures, SHAPE_COUNT } from './features.ts';

/** Halves of surrogate pairs included. */
const anyUnit = fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code));
const plain = (text: string) => extractFeatures({ text, depth: 0, tools: 0 });
const bag = (text: string) => {
  const { terms, weights } = plain(text);
  return new Map([...terms].map((term, at) => [term, weights[at]]));
};

test('any text gives distinct buckets, a vector of length 1 and finite shapes', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: anyUnit, maxLength: 400 }),
      fc.nat(1000),
      fc.nat(1000),
      (text, depth, tools) => {
        const { terms, weights, shape } = extractFeatures({ text, depth, tools });
        assert.equal(new Set(terms).size, terms.length);
        assert.ok(terms.every((term) => term < BUCKETS));
        const norm = weights.reduce((sum, weight) => sum + weight * weight, 0);
        assert.ok(terms.length === 0 ? norm === 0 : Math.abs(norm - 1) < 1e-5);
        assert.equal(shape.length, SHAPE_COUNT);
        assert.ok(shape.every((value) => Number.isFinite(value) && Math.abs(value) < 12));
      },
    ),
  );
});

test('the same text gives the same numbers whatever came between', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), fc.string({ maxLength: 200 }), (text, other) => {
      const before = plain(text);
      plain(other);
      assert.deepEqual(plain(text), before);
    }),
  );
});

test('case and punctuation do not matter to words, their order does', () => {
  assert.deepEqual(bag('The cat, the DOG!'), bag('the cat the dog'));
  assert.notDeepEqual([...bag('dog bites man').keys()].sort(), [...bag('man bites dog').keys()].sort());
});

test('a text of megabytes costs no more than its first and last part', () => {
  const long = `first ${'x '.repeat(2_000_000)} last`;
  const { terms } = plain(long);
  for (const word of ['first', 'last']) assert.ok(terms.includes(plain(word).terms[0]!));
  assert.ok(terms.length < 10);
  assert.ok(plain(`${'y'.repeat(3e6)}`).terms.length <= 3);
});

test('depth and tools are seen', () => {
  const { shape } = extractFeatures({ text: 'hi', depth: 7, tools: 3 });
  assert.deepEqual([...shape.slice(-2)], [...Float32Array.of(Math.log1p(7) / 2, Math.log1p(3) / 2)]);
});

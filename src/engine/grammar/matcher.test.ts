import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createSeededRandom, isKithError } from '../../base/index.ts';
import type { Grammar } from '../types.ts';
import { createGrammarCheck, createGrammars } from './cache.ts';
import { reads } from './testing/bytes.ts';
import { randomSchema } from './testing/random-schema.ts';

/** The bytes, pieces of JSON across its borders, a control token (258) and two that end (256, 257). */
const PIECES = [
  '{"',
  '":',
  '", "',
  '"}',
  'true',
  'tr',
  '12',
  '0',
  ']]',
  '[[',
  '\\n',
  'é',
  'é"',
  ' "',
  ':"',
  '":"',
  'aaaa',
  'null}',
];
const pieces = [
  ...Array.from({ length: 259 }, (_, id) => (id < 256 ? Buffer.of(id) : Buffer.alloc(0))),
  ...PIECES.map((piece) => Buffer.from(piece)),
  Buffer.from([0xc3]),
  Buffer.from([0xa9, 0x22]),
];
const tokenizer = { size: pieces.length, eog: new Set([256, 257]), bytes: (token: number) => pieces[token]! };
const VOCAB = pieces.length + 3;
const grammars = createGrammars(tokenizer, VOCAB);
const json = (schema: unknown): Grammar => ({ kind: 'json_schema', schema });
const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (isKithError(error)) return error.code;
    throw error;
  }
  return 'nothing';
};

test('a token is allowed exactly when its bytes can follow the text so far', () => {
  let asked = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const random = createSeededRandom(seed);
    const grammar = json(randomSchema(random, 2).schema);
    const matcher = grammars.matcher(grammar);
    const bytes: number[] = [];
    for (let step = 0; step < 12 && !matcher.ended; step++) {
      const logits = new Float32Array(VOCAB);
      matcher.mask(logits);
      const allowed: number[] = [];
      for (let token = 0; token < VOCAB; token++) {
        const text = pieces[token] ?? Buffer.alloc(0);
        let expected = tokenizer.eog.has(token) ? matcher.complete : false;
        // One byte at a time, which the other tests hold to JSON Schema.
        if (text.length > 0 && (token > 255 || step % 4 === 0)) {
          const trial = grammars.matcher(grammar);
          for (const byte of bytes) trial.accept(byte);
          expected = [...text].every((byte) => codeOf(() => trial.accept(byte)) === 'nothing');
          asked++;
        } else if (text.length > 0) expected = logits[token] === 0;
        assert.equal(
          logits[token] === 0,
          expected,
          `seed ${seed}, token ${token} ${text} after ${Buffer.from(bytes)}`,
        );
        if (logits[token] === 0 && text.length > 0) allowed.push(token);
      }
      const chosen = allowed[Math.floor(random.float() * allowed.length)]!;
      matcher.accept(chosen);
      bytes.push(...pieces[chosen]!);
    }
  }
  assert.ok(asked > 5000, `${asked}`);
});

test('taking tokens back and taking others leaves no trace', () => {
  const grammar = json({
    type: 'array',
    items: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'integer' } }] },
  });
  const texts = ['["a",[1,2],"b"]', '[[1],[2]]', '["', '[]'];
  fc.assert(
    fc.property(fc.constantFrom(...texts), fc.constantFrom(...texts), fc.nat(20), (first, second, back) => {
      const matcher = grammars.matcher(grammar);
      for (const byte of Buffer.from(first)) matcher.accept(byte);
      const kept = Math.max(0, first.length - back);
      matcher.rollback(first.length - kept);
      const prefix = first.slice(0, kept);
      const rest = second.startsWith(prefix) ? second.slice(kept) : '';
      for (const byte of Buffer.from(rest)) matcher.accept(byte);
      assert.equal(matcher.complete, reads(grammar, prefix + rest) === 'whole');
    }),
  );
  assert.throws(() => grammars.matcher(grammar).rollback(1), RangeError);
});

test('the end may come when the answer is whole, and only then', () => {
  const matcher = grammars.matcher(json({ type: 'integer', minimum: 10, maximum: 999 }));
  const ends = (): boolean => {
    const logits = new Float32Array(VOCAB);
    matcher.mask(logits);
    assert.equal(logits[256], logits[257]);
    assert.equal(logits[258], Number.NEGATIVE_INFINITY, 'a control token');
    assert.equal(logits[VOCAB - 1], Number.NEGATIVE_INFINITY, 'a row without a token');
    return logits[256] === 0;
  };
  assert.equal(ends(), false);
  assert.equal(
    codeOf(() => matcher.accept(256)),
    'grammar_violated',
  );
  matcher.accept('1'.charCodeAt(0));
  assert.equal(ends(), false);
  matcher.accept(pieces.findIndex((piece) => piece.toString() === '12'));
  assert.deepEqual([ends(), matcher.complete, matcher.ended], [true, true, true]);
  assert.equal(
    codeOf(() => matcher.accept('1'.charCodeAt(0))),
    'grammar_violated',
  );
  matcher.rollback(1);
  assert.equal(matcher.complete, false);
});

test('values of allowed logits stay, and nothing left to choose is an error that says so', () => {
  const matcher = grammars.matcher(json({ type: 'boolean' }));
  const logits = Float32Array.from({ length: VOCAB }, (_, token) => token / 7);
  const before = logits.slice();
  matcher.mask(logits);
  for (let token = 0; token < VOCAB; token++)
    if (logits[token] !== Number.NEGATIVE_INFINITY) assert.equal(logits[token], before[token]);
  assert.equal(logits.filter(Number.isFinite).length, 4, 't, f, tr, true');
  assert.equal(
    codeOf(() => matcher.mask(new Float32Array(VOCAB).fill(Number.NEGATIVE_INFINITY))),
    'grammar_blocked',
  );
  const free = grammars.matcher({ kind: 'regex', pattern: '[^]*'.replace('[^]', '[\\s\\S]') });
  assert.equal(
    codeOf(() => free.mask(new Float32Array(VOCAB).fill(Number.NEGATIVE_INFINITY))),
    'grammar_blocked',
  );
  const digits = { size: 10, eog: new Set<number>(), bytes: (token: number) => Buffer.from(`${token}`) };
  assert.equal(
    codeOf(() =>
      createGrammars(digits, 10)
        .matcher(json({ const: 'a' }))
        .mask(new Float32Array(10)),
    ),
    'grammar_stuck',
  );
});

test('what was found good is not compiled again, and forgotten in time', () => {
  const check = createGrammarCheck();
  const grammar = json({ type: 'array', items: { type: 'integer', minimum: 0, maximum: 99 } });
  assert.deepEqual(check(grammar), grammar);
  assert.deepEqual(check(grammar), grammar);
  for (let i = 0; i < 100; i++) check(json({ const: i }));
  assert.equal(
    codeOf(() => check(json({ not: { type: 'null' } }))),
    'schema_unsupported',
  );
  const many = Array.from({ length: 20 }, (_, i) => json({ const: `v${i}` }));
  for (const one of [...many, ...many]) assert.equal(grammars.matcher(one).complete, false);
});

test('a grammar that reads a text in too many ways ends with a typed error', () => {
  const options = Array.from({ length: 500 }, (_, i) => ({
    type: 'object',
    properties: { x: { type: 'boolean' }, [`k${i}`]: { const: 1 } },
    required: ['x', `k${i}`],
  }));
  const grammar = json({ anyOf: options });
  const attempt = (work: number): string => {
    const matcher = createGrammars(tokenizer, VOCAB, work).matcher(grammar);
    return codeOf(() => {
      for (const byte of Buffer.from('{"x":true,"k499":1}')) {
        matcher.mask(new Float32Array(VOCAB));
        matcher.accept(byte);
      }
      assert.equal(matcher.complete, true);
    });
  };
  assert.equal(attempt(1000), 'grammar_too_complex');
  assert.equal(attempt(1_000_000), 'nothing');
});

/** Schemas that are small as text and large in every other way: what they may cost, as counted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createSeededRandom, InputError, isKithError } from '../../base/index.ts';
import type { Grammar } from '../types.ts';
import { createGrammarCheck, createGrammars } from './cache.ts';
import { byteTokenizer, reads } from './testing/bytes.ts';
import { MAX_WORK } from './work.ts';

type Json = Readonly<Record<string, unknown>>;

const json = (schema: unknown): Grammar => ({ kind: 'json_schema', schema });
const range = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));
const record = (count: number, make: (index: number) => unknown, name = 'p'): Json =>
  Object.fromEntries(range(count, (index) => [`${name}${index}`, make(index)]));

/** Counted work, 60,000 states and 200,000 edges. */
const MOST = MAX_WORK + 260_000;
const REFUSALS = ['grammar_too_large', 'schema_unsupported', 'schema_unsatisfiable', 'schema_invalid'];

/** @returns the code of the refusal, or 'ok' */
function costOf(schema: unknown): { code: string; work: number } {
  try {
    const { fault, work } = createGrammarCheck().outcome(json(schema));
    return { code: fault?.code ?? 'ok', work };
  } catch (error) {
    // Refused before anything is compiled: over the limit of its text.
    assert.ok(error instanceof InputError, String(error));
    return { code: error.code, work: 0 };
  }
}

/** Properties beside two choices that hold together, in which every alternative has properties of its own. */
const productOfProperties = (properties: number, choices: number): Json => ({
  type: 'object',
  properties: record(properties, () => true),
  allOf: ['q', 'r'].map((name) => ({
    anyOf: range(choices, (i) => ({ properties: { [`${name}${i}`]: true } })),
  })),
});
/** The same with alternatives that exclude each other but for one. */
const productOfTypes = (properties: number, choices: number): Json => ({
  properties: record(properties, () => true),
  allOf: [
    { anyOf: [{ type: 'boolean' }, ...range(choices, (i) => ({ type: 'array', minItems: i }))] },
    { anyOf: [{ type: 'boolean' }, ...range(choices, (i) => ({ type: 'string', minLength: i }))] },
  ],
});

test('alternatives beside many properties are refused by count, or share what they do not change', () => {
  for (const [properties, choices] of [
    [4000, 130],
    [4000, 60],
    [1000, 140],
  ] as const) {
    const { code, work } = costOf(productOfProperties(properties, choices));
    assert.equal(code, 'grammar_too_large');
    assert.ok(work <= MAX_WORK + 3 * properties, `${work}`);
  }
  // Pairs that no value can match are dropped, and the rest leaves the properties where they are.
  const { code, work } = costOf(productOfTypes(4000, 90));
  assert.equal(code, 'ok');
  assert.ok(work < MAX_WORK / 2, `${work}`);
  assert.equal(reads(json(productOfTypes(40, 20)), 'true'), 'whole');
  assert.equal(reads(json(productOfTypes(40, 20)), '"text"'), 'no');
});

/** A way to be large, from how large (up to what a request can hold) and how wide. */
type Family = (size: number, width: number) => unknown;

const diamond =
  (keyword: 'allOf' | 'anyOf', beside: Json): Family =>
  (size, width) => ({
    $ref: '#/$defs/d0',
    $defs: record(
      Math.min(size, 200),
      (i) =>
        i === Math.min(size, 200) - 1
          ? { type: 'string' }
          : { ...beside, [keyword]: range(Math.min(width, 4), () => ({ $ref: `#/$defs/d${i + 1}` })) },
      'd',
    ),
  });

const FAMILIES: Readonly<Record<string, Family>> = {
  productOfProperties,
  productOfTypes,
  'products of three': (size, width) => ({
    properties: record(size, () => true),
    allOf: range(3, (n) => ({
      anyOf: range(width, (i) => ({ properties: { [`${n}x${i}`]: { minLength: i } } })),
    })),
  }),
  'properties that all differ': (size, width) => ({
    allOf: range(width, (i) => ({ properties: record(Math.ceil(size / width), () => ({ minLength: i })) })),
  }),
  'additionalProperties over properties': (size, width) => ({
    properties: record(size, () => ({ type: 'string' })),
    anyOf: range(width, (i) => ({ additionalProperties: { maxLength: i } })),
  }),
  'diamond of allOf': diamond('allOf', {}),
  'diamond of anyOf': diamond('anyOf', {}),
  'diamond of anyOf with more': diamond('anyOf', { minLength: 1 }),
  'web of $ref': (size, width) => ({
    $ref: '#/$defs/d0',
    $defs: record(
      width,
      () => ({
        properties: record(Math.min(size, width), (j) => ({ $ref: `#/$defs/d${j}`, type: 'object' })),
      }),
      'd',
    ),
  }),
  'chain of $ref': (size) => ({
    $ref: '#/$defs/d0',
    $defs: record(size, (i) => ({ minLength: 1, $ref: `#/$defs/d${Math.min(i + 1, size - 1)}` }), 'd'),
  }),
  'choices within choices': (size, width) =>
    range(Math.min(size, 31), (i) => i).reduce<Json>(
      (inner, i) => ({
        allOf: [
          { anyOf: [inner, ...range(Math.min(width, 20), () => ({ minLength: i }))] },
          { type: 'string' },
        ],
      }),
      { type: 'string' },
    ),
  'enum and enum': (size, width) => ({
    allOf: [
      { enum: range(size, (i) => i) },
      { anyOf: range(width, (i) => ({ enum: range(30, (j) => i + j) })) },
      { anyOf: range(width, (i) => ({ enum: range(30, (j) => `${i + j}`) })) },
    ],
  }),
  'large values compared': (size, width) => ({
    allOf: range(2, () => ({
      anyOf: range(width, (i) => ({ const: [i, 'y'.repeat(Math.min(size, 900))] })),
    })),
  }),
  'values beside notes': (size) => ({ enum: range(size, (i) => i), ...record(size, () => 1, 'x-') }),
  'oneOf of values': (size, width) => ({
    oneOf: range(width, (i) => ({ enum: range(Math.ceil(size / width), (j) => i * 5000 + j) })),
  }),
  'oneOf of $ref': (size, width) => ({
    $defs: { x: { enum: range(size, (i) => `s${i}`) } },
    oneOf: range(width, () => ({ allOf: [{ $ref: '#/$defs/x' }, { type: 'null' }] })),
  }),
  'properties and required': (size, width) => ({
    properties: record(size, () => true),
    required: range(size, (i) => `p${i}`),
    anyOf: range(width, (i) => ({ required: [`p${i}`, `more${i}`] })),
  }),
  'schemas inside a long name': (size, width) => ({
    properties: { ['k'.repeat(width * 800)]: { properties: record(size, () => true) } },
  }),
  'names that each have notes': (size, width) => ({
    propertyNames: { enum: range(size, (i) => `n${i}`) },
    additionalProperties: record(width * 30, () => 1, 'x-'),
  }),
  'properties that cannot be': (size, width) => ({
    allOf: [
      { anyOf: range(width, () => ({ type: 'object' })) },
      { properties: record(width, () => ({ anyOf: range(Math.ceil(size / width), () => false) })) },
    ],
  }),
  'tuples of draft 7': (size, width) => ({
    items: range(size, () => ({ type: 'integer' })),
    additionalItems: false,
    anyOf: range(width, (i) => ({ minItems: i })),
  }),
  'prefixItems and lengths': (size, width) => ({
    prefixItems: range(size, () => true),
    allOf: [
      { anyOf: range(width, (i) => ({ minItems: i })) },
      { anyOf: range(width, (i) => ({ maxItems: size + i })) },
    ],
  }),
  'alternatives of a pattern, repeated': (size, width) => ({
    type: 'string',
    pattern: `(${range(Math.min(width * 4, 1900), (i) => String.fromCodePoint(0x4e00 + i)).join('|')}){${size}}`,
  }),
  'classes of a pattern, repeated': (size, width) => ({
    type: 'string',
    pattern: `[${range(width * 10, (i) => String.fromCodePoint(0x4e00 + 2 * i)).join('')}]{${size}}`,
  }),
  'sets without characters': (size, width) => ({
    type: 'string',
    pattern: `(.|${range(width * 9, () => '[]').join('|')})*`,
    maxLength: size * 4,
  }),
  'patterns of which little is reached': (size, width) => ({
    anyOf: range(width, (i) => ({
      type: 'string',
      minLength: i,
      pattern: `^[](a|b|c|d|e|f){${size}}$`,
    })),
  }),
  'repeats within repeats': (size, width) => ({
    pattern: `((((a{1,${width}}){1,${width}}){1,9}){1,${size}})`,
  }),
  lengths: (size, width) => ({ anyOf: range(width, (i) => ({ type: 'string', maxLength: size * 7 + i })) }),
  'types many times': (size) => ({ type: range(size, () => 'string'), enum: range(size, (i) => i) }),
  'if and else': (size) => ({ properties: record(size, () => ({ if: {}, else: {} })) }),
  patternProperties: (size) => ({ properties: record(size, () => true), patternProperties: { '^a': {} } }),
};

for (const [name, family] of Object.entries(FAMILIES)) {
  test(`the work of a hostile schema is bounded: ${name}`, (context) => {
    let most = 0;
    const codes = new Set<string>();
    const began = performance.now();
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4900 }), fc.integer({ min: 1, max: 190 }), (size, width) => {
        const { code, work } = costOf(family(size, width));
        assert.ok(code === 'ok' || REFUSALS.includes(code), code);
        assert.ok(work <= MOST, `${work}`);
        most = Math.max(most, work);
        codes.add(code);
      }),
      {
        numRuns: 4,
        examples: [
          [4900, 190],
          [4000, 60],
          [20, 20],
        ],
        seed: 11,
      },
    );
    context.diagnostic(
      `${most} counted, ${[...codes].join(', ')}, ${Math.round(performance.now() - began)} ms in all`,
    );
  });
}

test('a schema that is put together with itself through its properties is written once', () => {
  const schema = {
    $ref: '#/$defs/node',
    $defs: {
      node: {
        type: 'object',
        properties: { next: { $ref: '#/$defs/node', description: 'more', type: 'object' } },
      },
    },
  };
  assert.equal(costOf(schema).code, 'ok');
  assert.equal(reads(json(schema), '{"next":{"next":{}}}'), 'whole');
  assert.equal(reads(json(schema), '{"next":1}'), 'no');
});

test('a refusal is remembered, where requests come in and where answers are written', () => {
  const grammar = json(productOfProperties(4000, 60));
  const check = createGrammarCheck();
  assert.equal(check.knows(grammar), false);
  const { fault, work } = check.outcome(grammar);
  assert.equal(check.knows(grammar), true);
  const again = check.outcome(grammar);
  assert.deepEqual([again.fault === fault, again.work], [true, work]);
  assert.throws(
    () => check(grammar),
    (error) => error === fault,
  );
  for (let i = 0; i < 600; i++) check(json({ const: i }));
  assert.equal(check.knows(grammar), false);
  const grammars = createGrammars(byteTokenizer, 257);
  const refusal = (): unknown => {
    try {
      return grammars.matcher(grammar);
    } catch (error) {
      return error;
    }
  };
  const first = refusal();
  assert.ok(first instanceof InputError);
  assert.equal(refusal(), first);
});

test('an answer that needs much work for every token is ended, one that needs it now and then is not', () => {
  const attempt = (pattern: string, text: string, work?: number): string => {
    const matcher = createGrammars(byteTokenizer, 257, work).matcher(json({ type: 'string', pattern }));
    try {
      for (const byte of Buffer.from(`"${text}"`)) {
        matcher.mask(new Float32Array(257));
        matcher.accept(byte);
      }
      return 'written';
    } catch (error) {
      if (isKithError(error)) return error.code;
      throw error;
    }
  };
  const random = createSeededRandom(3);
  // Another set of readings after each character, so that nothing is found again.
  const text = range(200, () => (random.float() < 0.5 ? 'a' : 'b')).join('');
  const same = `${'ab'.repeat(100)}`;
  const pattern = '^.*a.{16}.*$';
  const codes = (work: number): string[] => [attempt(pattern, text, work), attempt(pattern, same, work)];
  assert.deepEqual(codes(4_000_000), ['written', 'written']);
  assert.deepEqual(codes(48_000), ['grammar_too_complex', 'written']);
  assert.equal(attempt(pattern, text.slice(0, 20), 48_000), 'written');
});

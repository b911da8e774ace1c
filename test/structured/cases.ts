/**
 * Two hundred schemas for structured output: written by hand for what clients send, the rest made at random.
 *
 * @module test/structured/cases
 */
import { createSeededRandom } from '../../src/base/index.ts';
import { randomSchema } from '../../src/engine/grammar/testing/random-schema.ts';

export interface SchemaCase {
  readonly name: string;
  readonly schema: unknown;
}

const text = (maxLength: number, more: object = {}): object => ({ type: 'string', maxLength, ...more });
const object = (properties: object, more: object = {}): object => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
  ...more,
});
const list = (items: object, maxItems: number, minItems = 0): object => ({
  type: 'array',
  items,
  minItems,
  maxItems,
});
const pattern = (expression: string): object => ({ type: 'string', pattern: expression });

const HAND: Readonly<Record<string, object>> = {
  'a person': object({ name: text(20), age: { type: 'integer', minimum: 0, maximum: 130 } }),
  'a person, email optional': object(
    { name: text(20), email: pattern('^[a-z]{1,8}@[a-z]{1,8}\\.(com|org)$') },
    { required: ['name'] },
  ),
  'a date': pattern('^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])$'),
  'a uuid': pattern('^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'),
  'an ip address': pattern(
    '^((25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)\\.){3}(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)$',
  ),
  'a hex colour': pattern('^#[0-9a-fA-F]{6}$'),
  'a pattern anywhere': text(12, { pattern: 'z' }),
  'a pattern at the end, bounded': text(9, { pattern: '[0-9]$', minLength: 4 }),
  'an escape-rich text': pattern('^["\\\\\\n]{3,6}$'),
  'no letters of English': text(6, { pattern: '^[^a-zA-Z]+$' }),
  'Chinese text': pattern('^[\\u4e00-\\u9fff]{2,4}$'),
  'an emoji': pattern('^[\\u{1F600}-\\u{1F64F}]$'),
  sentiment: { enum: ['positive', 'negative', 'neutral'] },
  'enum of one prefix': { enum: ['a', 'aa', 'aaa', 'aab', 'b'] },
  'enum of many kinds': { enum: [1, '1', true, null, [1], { one: 1 }] },
  'enum of quotes': { enum: ['"', '\\', '\n', '\u0001', 'é"'] },
  'const text': { const: 'exactly this' },
  'const structure': { const: { a: [1, 2, { b: null }] } },
  'a boolean': { type: 'boolean' },
  'a null': { type: 'null' },
  'two types': { type: ['boolean', 'null'] },
  'nullable text': { type: ['string', 'null'], maxLength: 10 },
  'a percentage': { type: 'number', minimum: 0, maximum: 100 },
  'a probability': { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1 },
  'a temperature': { type: 'number', minimum: -273.15, maximum: 1e6 },
  'a tiny range': { type: 'number', minimum: 0.125, maximum: 0.1251 },
  'a negative range': { type: 'integer', minimum: -999, maximum: -990 },
  'a range over zero': { type: 'integer', exclusiveMinimum: -2, exclusiveMaximum: 2 },
  'a port': { type: 'integer', minimum: 1, maximum: 65_535 },
  'a safe integer': { type: 'integer' },
  'a large floor': { type: 'integer', minimum: 9_007_199_254_740_000 },
  'any number': { type: 'number' },
  'a list of booleans': list({ type: 'boolean' }, 5, 2),
  'exactly three digits': list({ type: 'integer', minimum: 0, maximum: 9 }, 3, 3),
  'an empty list': list({ type: 'string' }, 0),
  'a list of lists': list(list({ type: 'integer', minimum: 0, maximum: 9 }, 2, 2), 2, 1),
  'a tuple': { type: 'array', prefixItems: [text(4), { type: 'boolean' }], items: false, minItems: 2 },
  'a tuple and more': {
    type: 'array',
    prefixItems: [{ const: 'head' }],
    items: { type: 'integer', minimum: 0, maximum: 9 },
    minItems: 2,
    maxItems: 4,
  },
  'an empty object': object({}),
  'odd names': object({ 'a b': { const: 1 }, 'c"d': { const: 2 }, é: { const: 3 }, '': { const: 4 } }),
  'all optional': object({ a: { const: 1 }, b: { const: 2 }, c: { const: 3 } }, { required: [] }),
  'the last required': object({ a: { const: 1 }, b: { const: 2 }, c: { const: 3 } }, { required: ['c'] }),
  'nested four deep': object({ a: object({ b: object({ c: object({ d: { type: 'boolean' } }) }) }) }),
  'a map of numbers': {
    type: 'object',
    properties: { kind: { const: 'map' } },
    required: ['kind'],
    additionalProperties: { type: 'integer', minimum: 0, maximum: 9 },
  },
  'either of two objects': {
    anyOf: [object({ cat: text(5) }), object({ dog: { type: 'integer', minimum: 0, maximum: 9 } })],
  },
  'either, told by a tag': {
    oneOf: [
      object({ kind: { const: 'circle' }, r: { type: 'integer', minimum: 1, maximum: 9 } }),
      object({ kind: { const: 'square' }, side: { type: 'integer', minimum: 1, maximum: 9 } }),
    ],
  },
  'either type': { oneOf: [{ type: 'boolean' }, { type: 'integer', minimum: 0, maximum: 3 }] },
  'one of two required': {
    type: 'object',
    properties: { a: { type: 'boolean' }, b: { type: 'boolean' } },
    additionalProperties: false,
    anyOf: [{ required: ['a'] }, { required: ['b'] }],
  },
  'joined by allOf': {
    allOf: [
      { type: 'object', properties: { a: { type: 'boolean' } }, required: ['a'] },
      { properties: { b: { type: 'null' } }, required: ['b'] },
    ],
  },
  'joined bounds': { allOf: [{ type: 'integer', minimum: 5 }, { maximum: 7 }] },
  'a list that nests': {
    $ref: '#/$defs/tree',
    $defs: { tree: list({ $ref: '#/$defs/tree' }, 2) },
  },
  'a linked list': {
    $ref: '#/$defs/node',
    $defs: {
      node: object({
        v: { type: 'integer', minimum: 0, maximum: 9 },
        next: { anyOf: [{ type: 'null' }, { $ref: '#/$defs/node' }] },
      }),
    },
  },
  'an expression': {
    $defs: {
      e: {
        anyOf: [
          { type: 'integer', minimum: 0, maximum: 99 },
          object({ op: { enum: ['+', '*'] }, l: { $ref: '#/$defs/e' }, r: { $ref: '#/$defs/e' } }),
        ],
      },
    },
    $ref: '#/$defs/e',
  },
  'a family': object(
    {
      name: text(8),
      children: list({ $ref: '#/$defs/child' }, 2),
    },
    { $defs: { child: object({ name: text(8), children: list({ $ref: '#/$defs/child' }, 1) }) } },
  ),
  'a tool call': object({
    name: { enum: ['get_weather', 'get_time', 'search'] },
    arguments: object({ city: text(12), unit: { enum: ['c', 'f'] } }, { required: ['city'] }),
  }),
  'tool calls in parallel': list(
    {
      anyOf: [
        object({
          name: { const: 'add' },
          arguments: object({
            a: { type: 'integer', maximum: 99, minimum: 0 },
            b: { type: 'integer', minimum: 0, maximum: 99 },
          }),
        }),
        object({ name: { const: 'stop' }, arguments: object({}) }),
      ],
    },
    2,
    1,
  ),
  'an invoice': object({
    number: pattern('^INV-\\d{4}$'),
    lines: list(object({ item: text(8), price: { type: 'number', minimum: 0, maximum: 99 } }), 2, 1),
    paid: { type: 'boolean' },
  }),
  'a review': object({
    stars: { type: 'integer', minimum: 1, maximum: 5 },
    text: text(30),
    tags: list({ enum: ['good', 'bad'] }, 3),
  }),
  'steps of thought': object({ steps: list(object({ thought: text(20) }), 2, 1), answer: text(10) }),
  'a definition by pointer': object({ a: { type: 'boolean' }, b: { $ref: '#/properties/a' } }),
};

export const CASES: readonly SchemaCase[] = [
  ...Object.entries(HAND).map(([name, schema]) => ({ name, schema })),
  ...Array.from({ length: 200 - Object.keys(HAND).length }, (_, i) => ({
    name: `random ${i}`,
    schema: bounded(randomSchema(createSeededRandom(5000 + i), 1 + (i % 3)).schema),
  })),
];

/** With lengths where there were none, so that a small model comes to an end. */
function bounded(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(bounded);
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).map(
    ([key, value]) => [key, key === 'const' || key === 'enum' ? value : bounded(value)] as const,
  );
  const record = Object.fromEntries(entries);
  if (record.type === 'string' && record.maxLength === undefined) return { ...record, maxLength: 24 };
  if (record.type === 'array' && record.maxItems === undefined && record.prefixItems === undefined) {
    return { ...record, maxItems: 3 };
  }
  return record;
}

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { createSeededRandom, isKithError, type KithError } from '../../base/index.ts';
import { compileGrammar, parseGrammar } from './grammar.ts';
import { reads, writes } from './testing/bytes.ts';
import { randomSchema } from './testing/random-schema.ts';

const ajv = new Ajv2020({ strict: false, allErrors: false, logger: false });
const json = (schema: unknown) => ({ kind: 'json_schema', schema }) as const;

function whole(schema: unknown, ...texts: string[]): void {
  for (const text of texts) assert.equal(reads(json(schema), text), 'whole', text);
}
function refused(schema: unknown, ...texts: string[]): void {
  for (const text of texts) assert.notEqual(reads(json(schema), text), 'whole', text);
}
function errorOf(work: () => unknown): KithError {
  try {
    work();
  } catch (error) {
    assert.ok(isKithError(error), String(error));
    return error;
  }
  return assert.fail('nothing was thrown');
}
const compiling = (schema: unknown): KithError => errorOf(() => compileGrammar(parseGrammar(json(schema))));

describe('A schema', () => {
  test('takes every compact valid value and writes only valid ones, 400 at random', () => {
    let written = 0;
    for (let seed = 1; seed <= 400; seed++) {
      const random = createSeededRandom(seed);
      const { schema, value } = randomSchema(random, 3);
      const valid = ajv.compile(schema);
      for (let i = 0; i < 4; i++) {
        const text = JSON.stringify(value());
        assert.ok(valid(JSON.parse(text)), `seed ${seed}: the test made an invalid value ${text}`);
        assert.equal(
          reads(json(schema), text),
          'whole',
          `seed ${seed}: ${JSON.stringify(schema)} refuses ${text}`,
        );
        const spaced = writes(json(schema), random, 400);
        if (spaced === null) continue;
        written++;
        assert.ok(valid(JSON.parse(spaced)), `seed ${seed}: ${JSON.stringify(schema)} wrote ${spaced}`);
      }
    }
    assert.ok(written > 1000, `${written}`);
  });

  test('has its properties in order, the optional ones or not', () => {
    const schema = {
      type: 'object',
      properties: { a: { type: 'integer' }, b: { type: 'string' }, c: { type: 'null' } },
      required: ['b'],
    };
    whole(schema, '{"a":1,"b":"x","c":null}', '{"b":""}', '{"b": "x", "c": null}');
    refused(
      schema,
      '{}',
      '{"b":"x","a":1}',
      '{"a":1}',
      '{"b":"x",}',
      '{ "b":"x"}',
      '{"b":"x","d":1}',
      '{"b":  "x"}',
    );
  });

  test('bounds numbers exactly', () => {
    const narrow = { type: 'integer', minimum: -17, maximum: 230 };
    for (let value = -300; value <= 400; value++) {
      (value >= -17 && value <= 230 ? whole : refused)(narrow, String(value));
    }
    refused(narrow, '-0', '007', '1.0', '1e1');
    whole(
      { type: 'number', exclusiveMinimum: 0.5, maximum: 10.25 },
      '0.5001',
      '0.51',
      '10.25',
      '10.250',
      '9',
      '1.0',
    );
    refused(
      { type: 'number', exclusiveMinimum: 0.5, maximum: 10.25 },
      '0.5',
      '0.500',
      '10.26',
      '10.2501',
      '11',
      '-1',
    );
    whole({ type: 'number', minimum: -1e-7, maximum: 1e-7 }, '0', '-0.0000001', '0.00000005');
    refused({ type: 'number', minimum: -1e-7, maximum: 1e-7 }, '0.0000002', '1');
    whole({ type: 'integer' }, '9007199254740991', '-9007199254740991', '0');
    refused({ type: 'integer' }, '9007199254740992', '1.5', '1e3');
    whole({ type: 'number' }, '1e+21', '-1.5e-7', '123456789.25', '1.7e307');
    refused({ type: 'number' }, '1e400', '.5', '1.', '+1', 'NaN');
    whole({ type: 'integer', minimum: 1.5, exclusiveMaximum: 4 }, '2', '3');
    refused({ type: 'integer', minimum: 1.5, exclusiveMaximum: 4 }, '1', '4');
  });

  test('keeps numbers within their bounds at random', () => {
    const random = createSeededRandom(7);
    for (let i = 0; i < 300; i++) {
      const low = (random.float() - 0.5) * 10 ** Math.floor(random.float() * 12 - 4);
      const high = low + random.float() * 10 ** Math.floor(random.float() * 8 - 4);
      const schema = { type: 'number', exclusiveMinimum: low, exclusiveMaximum: high };
      let text: string | null = null;
      try {
        text = writes(json(schema), random, 100);
      } catch (error) {
        assert.ok(isKithError(error) && error.code === 'schema_unsatisfiable', String(error));
      }
      if (text !== null) assert.ok(Number(text) > low && Number(text) < high, `${low} < ${text} < ${high}`);
    }
  });

  test('counts characters of text, not bytes or escapes', () => {
    const schema = { type: 'string', minLength: 2, maxLength: 3 };
    whole(schema, '"ab"', '"é😀b"', '"\\n\\t"', '"\\"\\\\"');
    refused(schema, '"a"', '"abcd"', '"\\n"', '"é"', '"\\ud83d\\ude00"', '"\\/\\/"', '"a\nb"');
  });

  test('holds text to patterns as JSON Schema means them', () => {
    whole({ type: 'string', pattern: 'cat' }, '"cat"', '"a cat"', '"\\ncat\\""');
    refused({ type: 'string', pattern: 'cat' }, '"ca"', '"dog"');
    whole({ type: 'string', pattern: '^a|b$' }, '"ax"', '"xb"', '"a"');
    refused({ type: 'string', pattern: '^a|b$' }, '"xa"', '"bx"');
    whole(
      { type: 'string', pattern: '^(?:\\d{1,3}\\.){3}\\d{1,3}$', maxLength: 9 },
      '"1.2.3.4"',
      '"11.2.3.4"',
    );
    refused(
      { type: 'string', pattern: '^(?:\\d{1,3}\\.){3}\\d{1,3}$', maxLength: 9 },
      '"11.22.33.4"',
      '"1.2.3"',
    );
    whole({ type: 'string', pattern: '^[\\u4e00-\\u9fff]+$' }, '"世界"');
    refused({ type: 'string', pattern: '^[\\u4e00-\\u9fff]+$' }, '"w"', '""');
    whole({ type: 'string', pattern: '^.\\s\\W$' }, '"a\\n!"', '"x -"');
    refused({ type: 'string', pattern: '^.\\s\\W$' }, '"\\n !"', '"a a"');
  });

  test('agrees with JavaScript on which texts a pattern matches', () => {
    const alphabet = ['a', 'b', 'A', '1', '_', '-', ' ', '\n', 'é', '😀', '"', '\\', '.', '\u2028'];
    const patterns = [
      'a+b*',
      '^(a|b)*$',
      '^[^ab]$',
      '[a-b1]{2,3}$',
      '^\\w+$',
      '\\s',
      '^a?b?A?$',
      '^.*$',
      '^(a(b|1)?)+\\.?$',
      '\\D\\d',
      '^[\\w-]+$',
      '(?<n>a)|^$',
      '^\\u{1F600}',
      'a{0}b',
      '^[^\\s"\\\\]*$',
    ];
    const random = createSeededRandom(3);
    for (const pattern of patterns) {
      const expression = new RegExp(pattern, 'u');
      for (let i = 0; i < 60; i++) {
        const text = Array.from(
          { length: Math.floor(random.float() * 5) },
          () => alphabet[Math.floor(random.float() * alphabet.length)],
        ).join('');
        assert.equal(
          reads(json({ type: 'string', pattern }), JSON.stringify(text)) === 'whole',
          expression.test(text),
          `${pattern} on ${JSON.stringify(text)}`,
        );
      }
    }
  });

  test('refers to itself as deep as the text goes', () => {
    const schema = {
      $ref: '#/$defs/node',
      $defs: {
        node: {
          type: 'object',
          properties: {
            v: { type: 'integer' },
            next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] },
          },
          required: ['v', 'next'],
        },
      },
    };
    const deep = `${'{"v":1,"next":'.repeat(500)}null${'}'.repeat(500)}`;
    whole(schema, '{"v":1,"next":null}', deep);
    refused(schema, '{"v":1}', `${deep}}`, deep.slice(0, -1));
    whole(true, '[[[{"a":[]}]]]', '"x"', `${'['.repeat(300)}${']'.repeat(300)}`);
  });

  test('tells additional properties from described ones', () => {
    const schema = {
      type: 'object',
      properties: { ab: { type: 'string' }, a: { type: 'string' } },
      additionalProperties: { type: 'integer' },
    };
    whole(schema, '{"ab":"x","b":1,"abc":2,"":3,"a\\n":4}', '{}', '{"x":1}');
    refused(schema, '{"ab":1}', '{"a":"x","ab":2}', '{"b":"x"}', '{"a":"x","a":1}');
    whole({ type: 'object', additionalProperties: true, required: ['z'] }, '{"z":[1],"y":2}');
    refused({ type: 'object', additionalProperties: true, required: ['z'] }, '{"y":2}', '{}');
  });

  test('joins what must hold together', () => {
    whole(
      {
        type: 'object',
        properties: { a: { type: 'integer' } },
        allOf: [{ properties: { b: { type: 'string' } }, required: ['b'] }],
      },
      '{"a":1,"b":"x"}',
    );
    const either = {
      type: 'object',
      properties: { a: { type: 'integer' }, b: { type: 'integer' } },
      anyOf: [{ required: ['a'] }, { required: ['b'] }],
    };
    whole(either, '{"a":1}', '{"b":1}', '{"a":1,"b":2}');
    refused(either, '{}');
    const narrowed = { $ref: '#/$defs/n', maximum: 5, $defs: { n: { type: 'integer', minimum: 3 } } };
    whole(narrowed, '3', '5');
    refused(narrowed, '2', '6');
    assert.match(
      compiling({ allOf: [{ type: 'string', pattern: 'a' }, { pattern: 'b' }] }).message,
      /different 'pattern'/,
    );
  });

  test('takes oneOf only where alternatives exclude each other', () => {
    const kinds = (a: unknown, b: unknown) => ({
      oneOf: [
        { type: 'object', properties: { k: a, v: { type: 'integer' } }, required: ['k', 'v'] },
        { type: 'object', properties: { k: b, w: { type: 'string' } }, required: ['k', 'w'] },
      ],
    });
    whole(kinds({ const: 'a' }, { enum: ['b', 'c'] }), '{"k":"a","v":1}', '{"k":"c","w":""}');
    refused(kinds({ const: 'a' }, { enum: ['b', 'c'] }), '{"k":"a","w":""}');
    for (const schema of [
      kinds({ const: 'a' }, { type: 'string' }),
      { oneOf: [{ type: 'number' }, { type: 'integer' }] },
      { oneOf: [true, { type: 'null' }] },
    ]) {
      assert.equal(compiling(schema).code, 'schema_unsupported');
    }
    whole(
      {
        oneOf: [
          { type: 'integer', maximum: 3 },
          { type: 'integer', exclusiveMinimum: 3 },
        ],
      },
      '3',
      '4',
    );
  });
});

describe('What cannot be compiled', () => {
  test('is named, with its place: every keyword outside the subset', () => {
    const keywords = {
      multipleOf: 2,
      uniqueItems: true,
      minProperties: 1,
      maxProperties: 2,
      not: { type: 'null' },
      if: {},
      else: {},
      dependentSchemas: {},
      dependentRequired: {},
      contains: {},
      minContains: 1,
      maxContains: 1,
      propertyNames: { pattern: '^a' },
      patternProperties: {},
      format: 'jwt',
      unevaluatedProperties: false,
      unevaluatedItems: false,
      $anchor: 'x',
      $dynamicRef: '#x',
      nullable: true,
      additionalItems: false,
      $vocabulary: {},
    };
    for (const [keyword, value] of Object.entries(keywords)) {
      const error = compiling({
        type: 'object',
        properties: { 'a/b': { anyOf: [{ type: 'null' }, { [keyword]: value }] } },
      });
      assert.equal(error.code, 'schema_unsupported');
      assert.ok(error.message.includes(`'${keyword}'`), error.message);
      assert.equal(error.details.pointer, `#/properties/a~1b/anyOf/1/${keyword}`);
      assert.equal(error.param, 'grammar');
    }
  });

  test('is refused where it has no meaning', () => {
    const cases: [unknown, string][] = [
      [undefined, 'schema_invalid'],
      [3, 'schema_invalid'],
      [{ type: 'text' }, 'schema_invalid'],
      [{ type: 'string', minLength: -1 }, 'schema_invalid'],
      [{ anyOf: [] }, 'schema_invalid'],
      [{ properties: [] }, 'schema_invalid'],
      [{ $ref: '#/$defs/none' }, 'schema_invalid'],
      [{ $ref: 'https://example.org/s.json' }, 'schema_unsupported'],
      [{ $ref: '#' }, 'schema_unsatisfiable'],
      [{ anyOf: [{ $ref: '#' }, { type: 'null' }] }, 'schema_unsupported'],
      [{ enum: [] }, 'schema_unsatisfiable'],
      [false, 'schema_unsatisfiable'],
      [{ type: 'integer', minimum: 3, maximum: 2 }, 'schema_unsatisfiable'],
      [{ type: 'string', minLength: 5, pattern: '^a{1,3}$' }, 'schema_unsatisfiable'],
      [{ type: 'object', properties: { a: { $ref: '#' } }, required: ['a'] }, 'schema_unsatisfiable'],
      [{ type: 'array', items: { $ref: '#' }, minItems: 1 }, 'schema_unsatisfiable'],
      [{ type: 'object', required: ['a'], additionalProperties: false }, 'schema_unsatisfiable'],
      [{ type: 'string', pattern: '(?=a)b' }, 'pattern_unsupported'],
      [{ type: 'string', pattern: '\\bword' }, 'pattern_unsupported'],
      [{ type: 'string', pattern: 'a\ud800' }, 'pattern_unsupported'],
      [{ const: '\ud800' }, 'schema_unsupported'],
      [{ type: 'string', pattern: '(a)\\1' }, 'pattern_unsupported'],
      [{ type: 'string', pattern: '\\p{L}' }, 'pattern_unsupported'],
      [{ type: 'string', pattern: '(^a)b' }, 'pattern_unsupported'],
      [{ type: 'string', pattern: 'a**' }, 'pattern_unsupported'],
      [{ type: 'string', pattern: '[z-a]' }, 'pattern_unsupported'],
      [{ type: 'string', pattern: '(a' }, 'pattern_unsupported'],
      [{ type: 'string', pattern: 'a)' }, 'pattern_unsupported'],
      [{ enum: ['a'], pattern: 'a' }, 'schema_unsupported'],
    ];
    for (const [schema, code] of cases) {
      const error = compiling(schema);
      assert.equal(error.code, code, `${JSON.stringify(schema)}: ${error.message}`);
      assert.equal(error.status, 400);
    }
    const cyclic: Record<string, unknown> = {};
    cyclic.properties = { a: cyclic };
    assert.equal(compiling(cyclic).code, 'schema_invalid');
  });

  test('a branch without an end is never entered', () => {
    const endless = { type: 'object', properties: { a: { $ref: '#/$defs/e' } }, required: ['a'] };
    const schema = {
      type: 'object',
      properties: { x: { anyOf: [{ $ref: '#/$defs/e' }, { type: 'null' }] }, y: { $ref: '#/$defs/e' } },
      $defs: { e: endless },
    };
    whole(schema, '{"x":null}', '{}');
    assert.equal(reads(json(schema), '{"x":{'), 'no');
    assert.equal(reads(json(schema), '{"y'), 'no');
  });

  test('is bounded when it is hostile', () => {
    const nest = (depth: number): unknown => {
      let schema: unknown = {};
      for (let i = 0; i < depth; i++) schema = { type: 'array', items: schema };
      return schema;
    };
    const doubling = Object.fromEntries(
      Array.from({ length: 40 }, (_, i) => [
        `d${i}`,
        i === 0
          ? { type: 'string', maxLength: 50 }
          : {
              allOf: [
                { $ref: `#/$defs/d${i - 1}` },
                { anyOf: [{ $ref: `#/$defs/d${i - 1}` }, { $ref: `#/$defs/d${i - 1}` }] },
              ],
            },
      ]),
    );
    const hostile: unknown[] = [
      nest(70),
      nest(20_000),
      { $ref: '#/$defs/d39', $defs: doubling },
      { enum: Array.from({ length: 6000 }, (_, i) => i) },
      { type: 'string', maxLength: 1e9 },
      { type: 'string', maxLength: 100_000, pattern: '(a|b|c|d)+' },
      { type: 'string', pattern: '((((a{100}){100}){100}){100})' },
      { type: 'string', pattern: `${'('.repeat(200)}a${')'.repeat(200)}` },
      { type: 'string', pattern: 'a'.repeat(10_000) },
      { type: 'array', items: { type: 'integer' }, maxItems: 1e8 },
      { description: 'x'.repeat(300_000) },
      { const: JSON.parse(`${'['.repeat(1000)}${']'.repeat(1000)}`) },
      { anyOf: Array.from({ length: 5001 }, () => ({ type: 'null' })) },
    ];
    for (const [index, schema] of hostile.entries()) {
      const { code } = compiling(schema);
      assert.ok(['grammar_too_large', 'schema_invalid'].includes(code), `${code} for the schema ${index}`);
    }
  });

  test('and what is ambiguous without end ends in a typed error or goes on', () => {
    const lists = {
      $defs: {
        s: {
          anyOf: [
            { type: 'array', items: { $ref: '#/$defs/s' }, minItems: 1 },
            { type: 'array', items: { $ref: '#/$defs/s' }, maxItems: 3 },
          ],
        },
      },
      $ref: '#/$defs/s',
    };
    whole(lists, `${'['.repeat(200)}${']'.repeat(200)}`);
    whole({ type: 'string', pattern: '^(a+)+$' }, JSON.stringify('a'.repeat(2000)));
    whole({ type: 'string', pattern: '^(a|b)*a(a|b){12}$' }, JSON.stringify(`${'ab'.repeat(100)}a`));
    const many = {
      anyOf: Array.from({ length: 1500 }, (_, i) => ({
        type: 'object',
        properties: { same: { type: 'string' }, [`k${i}`]: { const: i } },
        required: ['same', `k${i}`],
      })),
    };
    whole(many, '{"same":"text","k1499":1499}');
  });
});

describe('Other grammars', () => {
  test('match a whole text by an expression', () => {
    const grammar = { kind: 'regex', pattern: '(yes|no)(, .{1,10})?' } as const;
    assert.equal(reads(grammar, 'yes'), 'whole');
    assert.equal(reads(grammar, 'no, é'), 'whole');
    assert.equal(reads(grammar, 'no, '), 'begun');
    assert.equal(reads(grammar, ' yes'), 'no');
    assert.equal(reads({ kind: 'regex', pattern: 'a*' }, ''), 'whole');
  });

  test('put texts around a value', () => {
    const call = (name: string, parameters: unknown) =>
      ({
        kind: 'sequence',
        parts: [
          { kind: 'literal', text: `<call>${name} ` },
          json(parameters),
          { kind: 'literal', text: '</call>' },
        ],
      }) as const;
    const grammar = {
      kind: 'choice',
      options: [call('add', { type: 'array', items: { type: 'integer' } }), call('stop', { const: null })],
    } as const;
    assert.equal(reads(grammar, '<call>add [1, 2]</call>'), 'whole');
    assert.equal(reads(grammar, '<call>stop null</call>'), 'whole');
    assert.equal(reads(grammar, '<call>stop [1]'), 'no');
    assert.equal(reads({ kind: 'json_object' }, '{"any":[true]}'), 'whole');
    assert.equal(reads({ kind: 'json_object' }, '['), 'no');
  });

  test('are refused when they are not grammars', () => {
    let deep: unknown = { kind: 'literal', text: 'x' };
    for (let i = 0; i < 20; i++) deep = { kind: 'sequence', parts: [deep] };
    for (const [input, code] of [
      [null, 'grammar_invalid'],
      [{ kind: 'ebnf' }, 'grammar_invalid'],
      [{ kind: 'regex' }, 'grammar_invalid'],
      [{ kind: 'choice', options: [] }, 'grammar_invalid'],
      [deep, 'grammar_too_large'],
      [{ kind: 'literal', text: 'x'.repeat(1e6) }, 'grammar_too_large'],
    ] as const) {
      assert.equal(errorOf(() => parseGrammar(input)).code, code);
    }
  });
});

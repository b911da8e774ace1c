import assert from 'node:assert/strict';
import { isIPv4, isIPv6 } from 'node:net';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import { z } from 'zod';
import { createSeededRandom, isKithError } from '../../base/index.ts';
import { createGrammarCheck } from './cache.ts';
import { reads, writes } from './testing/bytes.ts';

const json = (schema: unknown) => ({ kind: 'json_schema', schema }) as const;
const check = createGrammarCheck();
const takes = (schema: unknown, value: unknown): boolean =>
  reads(json(schema), JSON.stringify(value)) === 'whole';
const parses = (type: z.ZodType) => (text: string) => type.safeParse(text).success;

/** Each format with another reader of it, and texts that people write. */
const FORMATS: Readonly<Record<string, [valid: (text: string) => boolean, ...texts: string[]]>> = {
  date: [parses(z.iso.date()), '2024-02-29', '2026-11-21', '2000-02-29'],
  time: [
    (text) => parses(z.iso.datetime({ offset: true }))(`2024-01-01T${text}`),
    '12:30:00Z',
    '23:59:59.5+02:00',
  ],
  'date-time': [
    parses(z.iso.datetime({ offset: true })),
    '2026-11-21T15:30:00Z',
    '2026-11-21T15:30:00.123-05:30',
  ],
  duration: [parses(z.iso.duration()), 'P3D', 'PT1H30M', 'P1Y2M', 'P2W'],
  email: [parses(z.email()), 'ann@example.org', 'a.b+c@mail.example.co.uk'],
  hostname: [parses(z.hostname()), 'localhost', 'www.example-site.com'],
  ipv4: [isIPv4, '127.0.0.1', '255.10.0.9'],
  ipv6: [isIPv6, '2001:db8:0:0:0:0:0:1'],
  uuid: [parses(z.guid()), '123e4567-e89b-12d3-a456-426614174000'],
  uri: [
    URL.canParse,
    'https://example.com/a/b?c=d&e#f',
    'http://localhost:8080',
    'mailto:a@b.org',
    'urn:isbn:123',
  ],
};

test('what is written in a format has it, and what people write in it can be written', () => {
  for (const [format, [valid, ...texts]] of Object.entries(FORMATS)) {
    const schema = { type: 'string', format };
    for (const text of texts) {
      assert.ok(valid(text), text);
      assert.ok(takes(schema, text), `${format}: ${text}`);
    }
    let written = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const text = writes(json(schema), createSeededRandom(seed), 200);
      if (text === null) continue;
      written++;
      assert.ok(valid(JSON.parse(text) as string), `${format}: ${text}`);
    }
    assert.ok(written > 15, `${format}: ${written}`);
    assert.ok(!takes(schema, 'no such thing'));
  }
  assert.ok(!takes({ format: 'date' }, '2023-02-29'));
  assert.ok(takes({ format: 'date' }, 5), 'a format restricts texts only');
});

test('a format beside a pattern leaves it to the pattern, and beside lengths holds both', () => {
  assert.ok(takes({ type: 'string', format: 'phone', pattern: '^\\d{3}$' }, '123'));
  assert.ok(!takes({ type: 'string', format: 'uri', maxLength: 12 }, 'https://example.com'));
});

test('formats of numbers are bounds', () => {
  assert.ok(takes({ type: 'integer', format: 'uint8', maximum: 300 }, 255));
  assert.ok(!takes({ type: 'integer', format: 'uint8', maximum: 300 }, 256));
  assert.ok(!takes({ type: 'integer', format: 'uint8', maximum: 30 }, 31));
  assert.ok(!takes({ type: 'integer', format: 'uint', minimum: 2 }, 1));
  assert.ok(takes({ type: 'number', format: 'double' }, 0.5));
  const orNull = { type: ['integer', 'null'], format: 'uint8' };
  assert.deepEqual([takes(orNull, null), takes(orNull, 255), takes(orNull, 256)], [true, true, false]);
});

test('older forms mean the same as newer ones', () => {
  const tuple = {
    type: 'array',
    items: [{ type: 'string' }],
    additionalItems: { type: 'number' },
    minItems: 1,
  };
  assert.ok(takes(tuple, ['a', 1, 2]));
  assert.ok(!takes(tuple, ['a', 'b']));
  assert.ok(!takes({ ...tuple, additionalItems: false }, ['a', 1]));
  const names = { propertyNames: { enum: ['a', 'b'] }, additionalProperties: { type: 'number' } };
  assert.ok(takes({ type: 'object', ...names }, { a: 1, b: 2 }));
  assert.ok(!takes({ type: 'object', ...names }, { c: 1 }));
  const never = { type: 'object', properties: { a: { not: {} }, b: { type: 'null' } } };
  assert.ok(takes(never, { b: null }));
  assert.ok(!takes(never, { a: null }));
});

test('names of properties and given values are no keywords', () => {
  const schema = {
    type: 'object',
    properties: { format: { const: { format: 'x', not: {} } }, not: { enum: [{ items: [1] }] } },
  };
  assert.ok(takes(schema, { format: { format: 'x', not: {} }, not: { items: [1] } }));
});

const TYPES: Readonly<Record<string, z.ZodType>> = {
  mail: z.email(),
  link: z.url(),
  uuid: z.uuid(),
  when: z.iso.datetime(),
  day: z.iso.date(),
  address: z.ipv4(),
  blob: z.base64(),
  short: z.string().min(1).max(10).regex(/^a+$/),
  whole: z.int(),
  small: z.int32(),
  share: z.number().min(0).max(1),
  positive: z.number().positive(),
  record: z.record(z.string(), z.number()),
  byName: z.record(z.enum(['a', 'b']), z.number()),
  some: z.partialRecord(z.enum(['a', 'b']), z.number()),
  list: z.array(z.string()).nonempty(),
  pair: z.tuple([z.string(), z.number()]),
  more: z.tuple([z.string()], z.number()),
  anything: z.any(),
  object: z.object({
    a: z.string(),
    b: z.number().optional(),
    c: z.string().nullable(),
    d: z.string().default('x'),
  }),
  strict: z.strictObject({ a: z.string().describe('text') }),
  loose: z.looseObject({ a: z.string() }),
  kinds: z.discriminatedUnion('t', [
    z.object({ t: z.literal('a'), x: z.string() }),
    z.object({ t: z.literal('b'), y: z.number() }),
  ]),
  either: z.union([z.string(), z.number()]),
  literal: z.literal(['a', 1, null]),
};

test('schemas as zod writes them can be held to, in both drafts', () => {
  for (const target of ['draft-2020-12', 'draft-7'] as const) {
    for (const [name, type] of Object.entries(TYPES)) {
      const schema = z.toJSONSchema(type, { target });
      check(json(schema));
      for (let seed = 1; seed <= 6; seed++) {
        const text = writes(json(schema), createSeededRandom(seed), 300);
        if (text !== null) assert.ok(type.safeParse(JSON.parse(text)).success, `${target} ${name}: ${text}`);
      }
    }
  }
});

test('a tuple of draft 7 writes what a validator of draft 7 takes', () => {
  const schema = z.toJSONSchema(z.tuple([z.string().max(3), z.boolean()]), { target: 'draft-7' });
  const valid = new Ajv({ strict: false }).compile(schema);
  const text = writes(json(schema), createSeededRandom(3), 200);
  assert.ok(text !== null && valid(JSON.parse(text)), String(text));
});

test('a format that nothing checks is refused by its name', () => {
  assert.throws(
    () => check(json({ type: 'string', format: 'jwt' })),
    (error) =>
      isKithError(error) && /'format'.*"jwt"/.test(error.message) && error.details.pointer === '#/format',
  );
});

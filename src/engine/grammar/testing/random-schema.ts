/**
 * Schemas made at random, each with valid values of it.
 *
 * @module engine/grammar/testing/random-schema
 */
import type { Random } from '../../../base/index.ts';

export interface RandomSchema {
  readonly schema: Record<string, unknown>;
  /** A valid value, with properties in the schema's order. */
  value(): unknown;
}

const PATTERNS: readonly (readonly [pattern: string, sample: (random: Random) => string])[] = [
  ['^[A-Z]{2}-[0-9]{3}$', (r) => `${letters(r, 2).toUpperCase()}-${100 + below(r, 900)}`],
  [
    '^\\d{4}-(0[1-9]|1[0-2])$',
    (r) => `${1000 + below(r, 9000)}-${String(1 + below(r, 12)).padStart(2, '0')}`,
  ],
  ['cat|dog', (r) => `${letters(r, 2)}${below(r, 2) === 0 ? 'cat' : 'dog'}"\n${letters(r, 1)}`],
  ['^(ab?)+$', (r) => 'aba'.repeat(1 + below(r, 3))],
  ['^[^"\\\\a-z]{1,5}$', (r) => ['é', 'ZZ', '😀1', '\n', '世界!'][below(r, 5)]!],
  ['^\\w+@\\w+\\.(com|org)$', (r) => `${letters(r, 4)}@${letters(r, 3)}.org`],
];
const TEXTS = [
  '',
  'a',
  'cat',
  'Once upon',
  'é',
  '世界',
  '😀😀',
  'line\nbreak',
  'quote"s',
  'back\\slash',
  '\u0001',
  '/',
];
const NAMES = ['name', 'age', 'tags', 'a"b', 'ü', 'id', 'x', 'nam', 'names', ''];

function below(random: Random, count: number): number {
  return Math.floor(random.float() * count);
}
function letters(random: Random, count: number): string {
  return Array.from({ length: count }, () => String.fromCharCode(97 + below(random, 26))).join('');
}

export function randomSchema(random: Random, depth: number): RandomSchema {
  const pick = <T>(list: readonly T[]): T => list[below(random, list.length)]!;
  const chance = (share: number): boolean => random.float() < share;
  const kinds = ['null', 'boolean', 'integer', 'number', 'string', 'pattern', 'enum', 'const'];
  if (depth > 0) kinds.push('object', 'object', 'object', 'array', 'array', 'tuple', 'anyOf', 'map');
  switch (pick(kinds)) {
    case 'null':
      return { schema: { type: 'null' }, value: () => null };
    case 'boolean':
      return { schema: { type: 'boolean' }, value: () => chance(0.5) };
    case 'integer': {
      const minimum = below(random, 2000) - 1000;
      const maximum = minimum + below(random, 10 ** below(random, 6));
      const sort = below(random, 3);
      if (sort === 0) return { schema: { type: 'integer' }, value: () => below(random, 2 ** 40) - 2 ** 39 };
      if (sort === 1)
        return { schema: { type: 'integer', minimum }, value: () => minimum + below(random, 1e6) };
      return {
        schema: { type: 'integer', minimum, maximum },
        value: () => minimum + below(random, maximum - minimum + 1),
      };
    }
    case 'number': {
      const low = (below(random, 20_000) - 10_000) / 100;
      const high = Number((low + 0.5 + below(random, 1000) / 8).toFixed(3));
      if (chance(0.3))
        return {
          schema: { type: 'number' },
          value: () => (random.float() - 0.5) * 10 ** (below(random, 60) - 30),
        };
      return {
        schema: { type: 'number', exclusiveMinimum: low, maximum: high },
        value: () => (chance(0.3) ? high : Number((low + 0.01 + random.float() * 0.4).toFixed(6))),
      };
    }
    case 'string': {
      const minLength = below(random, 4);
      const maxLength = minLength + below(random, 12);
      if (chance(0.4)) return { schema: { type: 'string' }, value: () => pick(TEXTS) };
      return {
        schema: { type: 'string', minLength, maxLength },
        value: () =>
          Array.from({ length: minLength + below(random, maxLength - minLength + 1) }, () =>
            pick(['a', 'é', '😀', '"', '\t', ' ']),
          ).join(''),
      };
    }
    case 'pattern': {
      const [pattern, sample] = pick(PATTERNS);
      return { schema: { type: 'string', pattern }, value: () => sample(random) };
    }
    case 'enum': {
      const values = ['red', 'green', 'greenish', 12, 120, null, true, { k: [1, 'x'] }].slice(
        below(random, 4),
        5 + below(random, 4),
      );
      return { schema: { enum: values }, value: () => pick(values) };
    }
    case 'const': {
      const value = pick(['v1', 0, false, 'a "quoted" é', [1, 2, {}]] as unknown[]);
      return { schema: { const: value }, value: () => value };
    }
    case 'array': {
      const item = randomSchema(random, depth - 1);
      const minItems = below(random, 3);
      const maxItems = minItems + below(random, 3);
      const bounded = chance(0.7);
      return {
        schema: { type: 'array', items: item.schema, minItems, ...(bounded ? { maxItems } : {}) },
        value: () =>
          Array.from({ length: minItems + below(random, maxItems - minItems + 1) }, () => item.value()),
      };
    }
    case 'tuple': {
      const items = Array.from({ length: 1 + below(random, 3) }, () => randomSchema(random, depth - 1));
      const least = below(random, items.length + 1);
      return {
        schema: {
          type: 'array',
          prefixItems: items.map((item) => item.schema),
          items: false,
          minItems: least,
        },
        value: () =>
          items.slice(0, least + below(random, items.length - least + 1)).map((item) => item.value()),
      };
    }
    case 'anyOf': {
      const options = [randomSchema(random, depth - 1), randomSchema(random, depth - 1)];
      return {
        schema: { anyOf: options.map((option) => option.schema) },
        value: () => pick(options).value(),
      };
    }
    case 'map': {
      const item = randomSchema(random, depth - 1);
      return {
        schema: {
          type: 'object',
          properties: { kind: { const: 'm' } },
          additionalProperties: item.schema,
          required: ['kind'],
        },
        value: () =>
          Object.fromEntries([
            ['kind', 'm'],
            ...Array.from(
              { length: below(random, 3) },
              () => [`k${letters(random, 2)}`, item.value()] as const,
            ),
          ]),
      };
    }
    default: {
      const names = NAMES.filter(() => chance(0.4)).slice(0, 4);
      const members = names.map((name) => ({
        name,
        needed: chance(0.6),
        item: randomSchema(random, depth - 1),
      }));
      return {
        schema: {
          type: 'object',
          properties: Object.fromEntries(members.map(({ name, item }) => [name, item.schema])),
          required: members.filter(({ needed }) => needed).map(({ name }) => name),
          additionalProperties: false,
        },
        value: () =>
          Object.fromEntries(
            members
              .filter(({ needed }) => needed || chance(0.5))
              .map(({ name, item }) => [name, item.value()]),
          ),
      };
    }
  }
}

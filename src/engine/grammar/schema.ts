/**
 * The subset of JSON Schema 2020-12 that can be compiled, and the check that a schema keeps to it. A keyword outside is
 * an error that names it and where it stands; nothing is ignored except annotations.
 *
 * @module engine/grammar/schema
 */
import { InputError, messageOf } from '../../base/index.ts';
import { grammarTooLarge, schemaInvalid, schemaUnsupported } from './errors.ts';
import { MAX_PATTERN } from './pattern.ts';
import { simplifySchema } from './simplify-schema.ts';
import type { Work } from './work.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonRecord = { readonly [key: string]: Json };
/** A schema that passed `readSchema`. */
export type Schema = boolean | JsonRecord;

/** Characters of JSON text. */
const MAX_TEXT = 256 * 1024;
const MAX_DEPTH = 64;
/** Levels of JSON, values of `enum` and `const` included. */
const MAX_JSON_DEPTH = 200;
const MAX_SUBSCHEMAS = 5000;
const MAX_ENUM = 5000;
/** More cannot become states of their own. */
const MAX_COUNT = 100_000;

export const TYPES = ['null', 'boolean', 'object', 'array', 'number', 'integer', 'string'] as const;
export type JsonType = (typeof TYPES)[number];

/** Say something about values without restricting them. */
const ANNOTATIONS = new Set([
  '$schema',
  '$comment',
  'title',
  'description',
  'default',
  'examples',
  'deprecated',
  'readOnly',
  'writeOnly',
  'example',
  'contentEncoding',
  'contentMediaType',
  'contentSchema',
]);

export interface CheckedSchema {
  readonly root: Schema;
  /** The schema at a `$ref`, which `readSchema` found to be one. */
  resolve(ref: string): { readonly schema: Schema; readonly pointer: string };
}

type Visit = (value: Json, pointer: string) => void;
type Keyword = (value: Json, pointer: string, visit: Visit) => void;

const count: Keyword = (value, pointer) => {
  if (!Number.isInteger(value) || (value as number) < 0)
    throw schemaInvalid(pointer, 'a count must be an integer from 0');
  if ((value as number) > MAX_COUNT) throw grammarTooLarge(`${pointer} is ${value}`, MAX_COUNT);
};
const finite: Keyword = (value, pointer) => {
  if (typeof value !== 'number') throw schemaInvalid(pointer, 'a bound must be a number');
};
const one: Keyword = (value, pointer, visit) => visit(value, pointer);
const list: Keyword = (value, pointer, visit) => {
  if (!Array.isArray(value) || value.length === 0) {
    throw schemaInvalid(pointer, 'a list of at least one schema is needed');
  }
  for (const [index, item] of value.entries()) visit(item as Json, `${pointer}/${index}`);
};
const named: Keyword = (value, pointer, visit) => {
  if (!isRecord(value)) throw schemaInvalid(pointer, 'an object of schemas is needed');
  for (const [key, item] of Object.entries(value)) visit(item, `${pointer}/${escapePointer(key)}`);
};

const KEYWORDS: ReadonlyMap<string, Keyword> = new Map<string, Keyword>([
  [
    'type',
    (value, pointer) => {
      const types = Array.isArray(value) ? value : [value];
      if (types.length === 0) throw schemaInvalid(pointer, 'a type is needed');
      if (types.length > 2 * TYPES.length) throw schemaInvalid(pointer, 'there are not so many types');
      for (const type of types) {
        if (!(TYPES as readonly unknown[]).includes(type)) {
          throw schemaInvalid(pointer, `${JSON.stringify(type).slice(0, 40)} is not a type`);
        }
      }
    },
  ],
  [
    'enum',
    (value, pointer) => {
      if (!Array.isArray(value)) throw schemaInvalid(pointer, 'a list of values is needed');
      if (value.length > MAX_ENUM) throw grammarTooLarge(`${pointer} has ${value.length} values`, MAX_ENUM);
    },
  ],
  ['const', () => {}],
  ['properties', named],
  [
    'required',
    (value, pointer) => {
      if (!Array.isArray(value) || value.some((key) => typeof key !== 'string')) {
        throw schemaInvalid(pointer, 'a list of property names is needed');
      }
    },
  ],
  ['additionalProperties', one],
  [
    'items',
    (value, pointer, visit) => {
      if (Array.isArray(value))
        throw schemaUnsupported(pointer, 'items is a list; since 2020-12 that is prefixItems');
      visit(value, pointer);
    },
  ],
  ['prefixItems', list],
  ['minItems', count],
  ['maxItems', count],
  ['anyOf', list],
  ['oneOf', list],
  ['allOf', list],
  ['$defs', named],
  ['definitions', named],
  [
    '$ref',
    (value, pointer) => {
      if (typeof value !== 'string') throw schemaInvalid(pointer, '$ref must be text');
    },
  ],
  ['minLength', count],
  ['maxLength', count],
  [
    'pattern',
    (value, pointer) => {
      if (typeof value !== 'string') throw schemaInvalid(pointer, 'a pattern must be text');
      if (value.length > MAX_PATTERN)
        throw grammarTooLarge(`a pattern of ${value.length} characters`, MAX_PATTERN);
    },
  ],
  [
    'format',
    (value, pointer) => {
      const name = JSON.stringify(value)?.slice(0, 60);
      throw schemaUnsupported(pointer, `the keyword 'format' is not supported with ${name}; use a pattern`);
    },
  ],
  ['minimum', finite],
  ['maximum', finite],
  ['exclusiveMinimum', finite],
  ['exclusiveMaximum', finite],
  [
    'uniqueItems',
    (value, pointer) => {
      if (value !== false) throw schemaUnsupported(pointer, "the keyword 'uniqueItems' is not supported");
    },
  ],
]);

/** Names that begin like this are nobody's keywords: OpenAPI and many tools put notes under them. */
const NOTE = 'x-';

/** Keywords that say nothing about values of their own. */
const SILENT = new Set([...ANNOTATIONS, '$defs', 'definitions', '$id', 'uniqueItems']);

/** True where the keyword restricts values. */
export const restricts = (keyword: string): boolean => !SILENT.has(keyword) && !keyword.startsWith(NOTE);

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export const escapePointer = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');

/** @throws InputError `schema_invalid`, `schema_unsupported`, `grammar_too_large` */
export function readSchema(input: unknown, work: Work): CheckedSchema {
  const root = simplifySchema(copyJson(input));
  const schemas = new Map<string, Schema>();
  const refs: [ref: string, pointer: string][] = [];
  let open = 0;

  function visit(value: Json, pointer: string): void {
    if (typeof value !== 'boolean' && !isRecord(value)) {
      throw schemaInvalid(pointer, 'a schema must be an object, true or false');
    }
    // A schema's place is as long as the names on the way to it, and there may be thousands inside a long name.
    work.chargeText(pointer);
    schemas.set(pointer, value);
    if (schemas.size > MAX_SUBSCHEMAS) throw grammarTooLarge('the schemas inside it', MAX_SUBSCHEMAS);
    if (typeof value === 'boolean') return;
    if (++open > MAX_DEPTH) throw grammarTooLarge('the depth of the schema', MAX_DEPTH);
    for (const [keyword, held] of Object.entries(value)) {
      work.chargeText(keyword);
      if (ANNOTATIONS.has(keyword) || keyword.startsWith(NOTE)) continue;
      if (keyword === '$id' && pointer === '') continue;
      const at = `${pointer}/${escapePointer(keyword)}`;
      const check = KEYWORDS.get(keyword);
      if (check === undefined) {
        throw schemaUnsupported(at, `the keyword '${keyword.slice(0, 64)}' is not supported`);
      }
      if (Array.isArray(held)) work.charge(held.length);
      check(held, at, visit);
      if (keyword === '$ref') refs.push([held as string, at]);
    }
    open--;
  }
  visit(root, '');

  const resolved = new Map<string, { readonly schema: Schema; readonly pointer: string }>();
  const resolve: CheckedSchema['resolve'] = (ref) => {
    const known = resolved.get(ref);
    if (known !== undefined) return known;
    const pointer = pointerOf(ref);
    const schema = pointer === null ? undefined : schemas.get(pointer);
    if (schema === undefined)
      throw schemaUnsupported('', `$ref '${ref.slice(0, 200)}' does not lead to a schema`);
    const target = { schema, pointer: pointer! };
    resolved.set(ref, target);
    return target;
  };
  for (const [ref, at] of refs) {
    const pointer = pointerOf(ref);
    if (pointer === null) {
      throw schemaUnsupported(
        at,
        `$ref '${ref.slice(0, 200)}' leads outside; only '#' and '#/...' are followed`,
      );
    }
    if (!schemas.has(pointer)) throw schemaInvalid(at, `$ref '${ref.slice(0, 200)}' leads to no schema`);
  }
  return { root: root as Schema, resolve };
}

function pointerOf(ref: string): string | null {
  if (ref === '#') return '';
  if (!ref.startsWith('#/')) return null;
  try {
    return decodeURIComponent(ref.slice(1));
  } catch {
    return null;
  }
}

/** What the schema says as JSON: no cycles, nothing that changes under our hands, bounded. */
export function copyJson(input: unknown): Json {
  let text: string | undefined;
  try {
    text = JSON.stringify(input);
  } catch (cause) {
    throw new InputError('schema_invalid', `The schema is not JSON: ${messageOf(cause).slice(0, 200)}`, {
      param: 'grammar',
      cause,
    });
  }
  if (text === undefined) throw schemaInvalid('', 'there is no schema');
  if (text.length > MAX_TEXT) throw grammarTooLarge(`a schema of ${text.length} characters`, MAX_TEXT);
  if (depthOf(text) > MAX_JSON_DEPTH) throw grammarTooLarge('the depth of its JSON', MAX_JSON_DEPTH);
  return JSON.parse(text) as Json;
}

function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const sign = text.charCodeAt(at);
    if (quoted) {
      if (sign === 0x5c) at++;
      else if (sign === 0x22) quoted = false;
    } else if (sign === 0x22) quoted = true;
    else if (sign === 0x5b || sign === 0x7b) deepest = Math.max(deepest, ++depth);
    else if (sign === 0x5d || sign === 0x7d) depth--;
  }
  return deepest;
}

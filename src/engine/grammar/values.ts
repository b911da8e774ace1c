/**
 * JSON values inside schemas: which types they have, which of them are equal, which of them a schema leaves.
 *
 * @module engine/grammar/values
 */
import { isRecord, type Json, type JsonRecord, type JsonType, type Schema, TYPES } from './schema.ts';
import type { Work } from './work.ts';

export interface Values {
  /** Equal as JSON. Values are compared by a number that each is given once, however large they are. */
  same(a: Json, b: Json): boolean;
  /** Those of `a` that are in `b`. */
  common(a: readonly Json[], b: readonly Json[]): Json[];
  /** The values that `enum` and `const` leave, or null without either. */
  of(schema: JsonRecord): readonly Json[] | null;
}

export function createValues(work: Work): Values {
  const numbers = new Map<string, number>();
  const known = new WeakMap<object, number>();

  function numberOf(value: Json): number {
    if (typeof value !== 'object' || value === null) return numberOfText(JSON.stringify(value));
    let number = known.get(value);
    if (number !== undefined) return number;
    const parts = Array.isArray(value)
      ? (value as readonly Json[]).map((item) => numberOf(item))
      : Object.keys(value)
          .sort()
          .map((key) => `${JSON.stringify(key)}:${numberOf((value as JsonRecord)[key]!)}`);
    work.charge(parts.length);
    number = numberOfText(Array.isArray(value) ? `[${parts.join()}]` : `{${parts.join()}}`);
    known.set(value, number);
    return number;
  }

  function numberOfText(text: string): number {
    work.chargeText(text);
    let number = numbers.get(text);
    if (number === undefined) {
      number = numbers.size;
      numbers.set(text, number);
    }
    return number;
  }

  const same = (a: Json, b: Json): boolean => a === b || numberOf(a) === numberOf(b);

  return {
    same,
    common(a, b) {
      const held = new Set(b.map(numberOf));
      return a.filter((value) => held.has(numberOf(value)));
    },
    of(schema) {
      const listed = Array.isArray(schema.enum) ? (schema.enum as readonly Json[]) : null;
      const { const: only } = schema;
      if (listed === null && only === undefined) return null;
      if (listed !== null) work.charge(listed.length);
      const values = only === undefined ? listed! : (listed?.filter((value) => same(value, only)) ?? [only]);
      const types = typesOf(schema);
      return values.filter((value) => hasType(value, types));
    },
  };
}

/** The schemas of a keyword that holds a list of them. */
export const listed = (value: Json | undefined): readonly Schema[] =>
  Array.isArray(value) ? (value as readonly Schema[]) : [];

/** Types a schema allows; `integer` beside `number` where numbers are. */
export function typesOf(schema: JsonRecord): readonly JsonType[] {
  const { type } = schema;
  if (type === undefined) return TYPES;
  const given = (Array.isArray(type) ? type : [type]) as JsonType[];
  return given.includes('number') && !given.includes('integer') ? [...given, 'integer'] : given;
}

export function hasType(value: Json, types: readonly JsonType[]): boolean {
  if (value === null) return types.includes('null');
  if (Array.isArray(value)) return types.includes('array');
  if (typeof value === 'number') {
    return types.includes('number') || (types.includes('integer') && Number.isInteger(value));
  }
  return types.includes(typeof value as JsonType);
}

export function requiredOf(schema: JsonRecord): readonly string[] {
  return Array.isArray(schema.required) ? (schema.required as readonly string[]) : [];
}

export const propertiesOf = (schema: JsonRecord): JsonRecord | null =>
  isRecord(schema.properties) ? schema.properties : null;

/**
 * Schemas that hold together (`allOf`, keywords beside `anyOf` or `$ref`) as one plain schema, and the proof that two
 * schemas never hold for one value (`oneOf`).
 *
 * @module engine/grammar/merge
 */
import { isDeepStrictEqual } from 'node:util';
import { canonicalJson } from '../../base/index.ts';
import { grammarTooLarge, schemaUnsupported } from './errors.ts';
import {
  type CheckedSchema,
  isRecord,
  type Json,
  type JsonRecord,
  type JsonType,
  restricts,
  type Schema,
  TYPES,
} from './schema.ts';

const COMBINING = ['allOf', 'anyOf', 'oneOf', '$ref'] as const;
const MAX_STEPS = 20_000;
const MAX_DEPTH = 200;

export interface Placed {
  readonly schema: Schema;
  readonly pointer: string;
}

export interface Combiner {
  /**
   * Alternatives that together mean the schema. Each is free of combining keywords, or nothing but one of them that
   * stands alone (`$ref`), or an alternative as it was written.
   */
  alternatives(schema: JsonRecord, pointer: string): readonly Placed[];
}

/** Keywords of a schema that restrict values. */
const keywords = (schema: JsonRecord): string[] => Object.keys(schema).filter(restricts);

export function createCombiner(checked: CheckedSchema): Combiner {
  let steps = 0;
  const step = (): void => {
    if (++steps > MAX_STEPS)
      throw grammarTooLarge('the combinations of allOf, anyOf, oneOf and $ref', MAX_STEPS);
  };

  /** Alternatives without any combining keyword. */
  function flatten(schema: Schema, pointer: string, refs: readonly string[]): readonly Placed[] {
    step();
    if (typeof schema === 'boolean') return schema ? [{ schema: {}, pointer }] : [];
    let parts: readonly Placed[] = [{ schema: without(schema), pointer }];
    const join = (others: readonly Placed[]): void => {
      const joined: Placed[] = [];
      for (const a of parts) {
        for (const b of others) {
          step();
          joined.push({
            schema: merge(a.schema as JsonRecord, b.schema as JsonRecord, pointer),
            pointer: a.pointer,
          });
        }
      }
      parts = joined;
    };
    if (typeof schema.$ref === 'string') {
      const target = checked.resolve(schema.$ref);
      if (refs.includes(target.pointer)) {
        throw schemaUnsupported(
          `${pointer}/$ref`,
          'a $ref that leads back to itself cannot be combined with other keywords',
        );
      }
      if (refs.length > MAX_DEPTH) throw grammarTooLarge('a chain of $ref', MAX_DEPTH);
      join(flatten(target.schema, target.pointer, [...refs, target.pointer]));
    }
    for (const [index, part] of listed(schema.allOf)) join(flatten(part, `${pointer}/allOf/${index}`, refs));
    for (const keyword of ['anyOf', 'oneOf'] as const) {
      if (schema[keyword] === undefined) continue;
      if (keyword === 'oneOf') proveDisjoint(schema, pointer);
      join(
        listed(schema[keyword]).flatMap(([index, part]) =>
          flatten(part, `${pointer}/${keyword}/${index}`, refs),
        ),
      );
    }
    return parts;
  }

  function proveDisjoint(schema: JsonRecord, pointer: string): void {
    const parts = listed(schema.oneOf);
    for (const [i, a] of parts) {
      for (const [j, b] of parts) {
        if (j <= i || disjoint(a, b, 0)) continue;
        throw schemaUnsupported(
          `${pointer}/oneOf`,
          `one value may match alternatives ${i} and ${j} of oneOf; tell them apart by type, const or enum, or use anyOf`,
        );
      }
    }
  }

  /** True only when it is certain that no value matches both. */
  function disjoint(left: Schema, right: Schema, depth: number): boolean {
    step();
    if (left === false || right === false) return true;
    if (left === true || right === true || depth > MAX_DEPTH) return false;
    for (const [a, b] of [
      [left, right],
      [right, left],
    ] as const) {
      if (typeof a.$ref === 'string' && disjoint(checked.resolve(a.$ref).schema, b, depth + 1)) return true;
      for (const [, part] of listed(a.allOf)) if (disjoint(part, b, depth + 1)) return true;
      for (const keyword of ['anyOf', 'oneOf'] as const) {
        const parts = listed(a[keyword]);
        if (parts.length > 0 && parts.every(([, part]) => disjoint(part, b, depth + 1))) return true;
      }
    }
    return plainDisjoint(left, right, depth);
  }

  function plainDisjoint(a: JsonRecord, b: JsonRecord, depth: number): boolean {
    const some = valuesOf(a);
    const others = valuesOf(b);
    if (some !== null && others !== null) return common(some, others).length === 0;
    const types = typesOf(a).filter((type) => typesOf(b).includes(type));
    if (some !== null) return some.every((value) => !hasType(value, typesOf(b)));
    if (others !== null) return others.every((value) => !hasType(value, typesOf(a)));
    return types.every((type) => {
      if (type === 'object') return objectsDisjoint(a, b, depth) || objectsDisjoint(b, a, depth);
      if (type === 'number' || type === 'integer') return below(a, b) || below(b, a);
      return false;
    });
  }

  function objectsDisjoint(a: JsonRecord, b: JsonRecord, depth: number): boolean {
    const theirs = isRecord(b.properties) ? b.properties : {};
    const ours = isRecord(a.properties) ? a.properties : {};
    for (const key of requiredOf(a)) {
      if (!Object.hasOwn(theirs, key)) {
        if (b.additionalProperties === false) return true;
        continue;
      }
      // A property that one requires and the other only describes: a value of both has it, and it must match both.
      if (Object.hasOwn(ours, key) && disjoint(ours[key] as Schema, theirs[key] as Schema, depth + 1))
        return true;
    }
    return false;
  }

  return {
    alternatives(schema, pointer) {
      const used = COMBINING.filter((keyword) => schema[keyword] !== undefined);
      if (used.length === 0) return [{ schema, pointer }];
      const alone = keywords(schema).length === 1;
      const keyword = used[0]!;
      if (alone && keyword === '$ref') return [{ schema, pointer }];
      const parts = listed(schema[keyword]);
      if (alone && (keyword !== 'allOf' || parts.length === 1)) {
        if (keyword === 'oneOf') proveDisjoint(schema, pointer);
        return parts.map(([index, part]) => ({ schema: part, pointer: `${pointer}/${keyword}/${index}` }));
      }
      return flatten(schema, pointer, []);
    },
  };
}

function listed(value: Json | undefined): [number, Schema][] {
  return Array.isArray(value) ? [...(value as readonly Schema[]).entries()] : [];
}

function without(schema: JsonRecord): JsonRecord {
  return Object.fromEntries(
    Object.entries(schema).filter(
      ([key]) => restricts(key) && !(COMBINING as readonly string[]).includes(key),
    ),
  );
}

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

/** The values that `enum` and `const` leave, or null without either. */
export function valuesOf(schema: JsonRecord): readonly Json[] | null {
  const listedValues = Array.isArray(schema.enum) ? (schema.enum as readonly Json[]) : null;
  const values =
    schema.const === undefined
      ? listedValues
      : (listedValues?.filter((value) => isDeepStrictEqual(value, schema.const)) ?? [schema.const]);
  return values?.filter((value) => hasType(value, typesOf(schema))) ?? null;
}

export function requiredOf(schema: JsonRecord): readonly string[] {
  return Array.isArray(schema.required) ? (schema.required as readonly string[]) : [];
}

/** Every number of `a` is below every number of `b`. */
function below(a: JsonRecord, b: JsonRecord): boolean {
  const tops: [number, boolean][] = [];
  if (typeof a.maximum === 'number') tops.push([a.maximum, false]);
  if (typeof a.exclusiveMaximum === 'number') tops.push([a.exclusiveMaximum, true]);
  const floors: [number, boolean][] = [];
  if (typeof b.minimum === 'number') floors.push([b.minimum, false]);
  if (typeof b.exclusiveMinimum === 'number') floors.push([b.exclusiveMinimum, true]);
  return tops.some(([top, open]) =>
    floors.some(([floor, openFloor]) => top < floor || (top === floor && (open || openFloor))),
  );
}

function merge(a: JsonRecord, b: JsonRecord, pointer: string): JsonRecord {
  const out = new Map<string, Json>(Object.entries(a));
  if (isRecord(a.properties) || isRecord(b.properties)) out.set('properties', mergeProperties(a, b));
  for (const [key, value] of Object.entries(b)) {
    const own = a[key];
    if (key === 'properties') continue;
    if (own === undefined) {
      out.set(key, value);
      continue;
    }
    if (isDeepStrictEqual(own, value)) continue;
    switch (key) {
      case 'type':
        out.set('type', mergeTypes(typesOf(a), typesOf(b)));
        break;
      case 'enum':
        out.set('enum', common(own as readonly Json[], value as readonly Json[]));
        break;
      case 'const':
        out.set('enum', []);
        break;
      case 'required':
        out.set('required', [...new Set([...(own as string[]), ...(value as string[])])]);
        break;
      case 'minimum':
      case 'exclusiveMinimum':
      case 'minLength':
      case 'minItems':
        out.set(key, Math.max(own as number, value as number));
        break;
      case 'maximum':
      case 'exclusiveMaximum':
      case 'maxLength':
      case 'maxItems':
        out.set(key, Math.min(own as number, value as number));
        break;
      case 'additionalProperties':
        out.set(key, both(own as Schema, value as Schema));
        break;
      case 'items':
        if (a.prefixItems === undefined && b.prefixItems === undefined) {
          out.set(key, both(own as Schema, value as Schema));
          break;
        }
        throw schemaUnsupported(pointer, 'prefixItems and items of schemas that hold together differ');
      default:
        throw schemaUnsupported(pointer, `schemas that hold together have different '${key}'`);
    }
  }
  if (a.prefixItems !== undefined || b.prefixItems !== undefined) {
    const other = a.prefixItems === undefined ? a : b;
    if (other.prefixItems === undefined && other.items !== undefined) {
      throw schemaUnsupported(pointer, 'prefixItems and items of schemas that hold together differ');
    }
  }
  return Object.fromEntries(out);
}

/** Values that are in both. By text, since a comparison of each with each takes minutes for long lists. */
function common(a: readonly Json[], b: readonly Json[]): Json[] {
  const texts = new Set(b.map((value) => canonicalJson(value)));
  return a.filter((value) => texts.has(canonicalJson(value)));
}

function mergeTypes(a: readonly JsonType[], b: readonly JsonType[]): JsonType[] {
  const common = a.filter((type) => b.includes(type));
  return common.includes('number') ? common.filter((type) => type !== 'integer') : common;
}

function mergeProperties(a: JsonRecord, b: JsonRecord): JsonRecord {
  const out = new Map<string, Json>();
  const ours = isRecord(a.properties) ? a.properties : {};
  const theirs = isRecord(b.properties) ? b.properties : {};
  for (const key of new Set([...Object.keys(ours), ...Object.keys(theirs)])) {
    const left = Object.hasOwn(ours, key) ? ours[key] : a.additionalProperties;
    const right = Object.hasOwn(theirs, key) ? theirs[key] : b.additionalProperties;
    if (left === undefined || right === undefined) out.set(key, (left ?? right)!);
    else out.set(key, both(left as Schema, right as Schema));
  }
  return Object.fromEntries(out);
}

function both(a: Schema, b: Schema): Schema {
  if (a === true || isDeepStrictEqual(a, b)) return b;
  if (b === true) return a;
  if (a === false || b === false) return false;
  return { allOf: [a, b] };
}

/**
 * Two plain schemas that hold together as one. What only one of them says is shared with it and not copied; what has to
 * be copied is counted first.
 *
 * @module engine/grammar/join
 */
import { schemaUnsupported } from './errors.ts';
import type { Json, JsonRecord, JsonType, Schema } from './schema.ts';
import { propertiesOf, typesOf, type Values } from './values.ts';
import type { Work } from './work.ts';

/** Null when no value can match both: their types or their values exclude each other. */
export type Join = (a: JsonRecord, b: JsonRecord, pointer: string) => JsonRecord | null;

export function createJoin(work: Work, values: Values): Join {
  /** The same two schemas are one schema wherever they meet, so that it is written once. */
  const pairs = new WeakMap<object, WeakMap<object, Schema>>();
  /** What `both` made: flat lists, since a list of lists would be as deep as it is long. */
  const made = new WeakMap<object, readonly Schema[]>();
  const keys = new WeakMap<object, readonly string[]>();

  function keysOf(record: JsonRecord): readonly string[] {
    let known = keys.get(record);
    if (known === undefined) {
      known = Object.keys(record);
      work.charge(known.length);
      keys.set(record, known);
    }
    return known;
  }

  function both(a: Schema, b: Schema): Schema {
    if (a === b || a === true) return b;
    if (b === true) return a;
    if (a === false || b === false) return false;
    const known = pairs.get(a)?.get(b);
    if (known !== undefined) return known;
    const joined = join(a, b);
    if (!pairs.has(a)) pairs.set(a, new WeakMap());
    pairs.get(a)!.set(b, joined);
    return joined;
  }

  function join(a: JsonRecord, b: JsonRecord): Schema {
    const own = made.get(a) ?? [a];
    const others = made.get(b) ?? [b];
    work.charge(own.length + others.length);
    const parts = [...own];
    const held = new Set<Schema>(own);
    for (const other of others) {
      if (held.has(other)) continue;
      // Schemas that were made here are told apart by what they are, those that were written by what they say.
      if (own.length === 1 && others.length === 1 && values.same(a, other as JsonRecord)) return other;
      parts.push(other);
    }
    if (parts.length === own.length) return a;
    const joined: JsonRecord = { allOf: parts };
    made.set(joined, parts);
    return joined;
  }

  function joinProperties(a: JsonRecord, b: JsonRecord): JsonRecord {
    const ours = propertiesOf(a);
    const theirs = propertiesOf(b);
    const open = (schema: JsonRecord): boolean =>
      schema.additionalProperties === undefined || schema.additionalProperties === true;
    if (theirs === null && open(b)) return ours!;
    if (ours === null && open(a)) return theirs!;
    if (ours === theirs) return ours!;
    const names = [...(ours === null ? [] : keysOf(ours)), ...(theirs === null ? [] : keysOf(theirs))];
    work.charge(names.length);
    const out = new Map<string, Json>();
    for (const name of names) {
      if (out.has(name)) continue;
      const left = ours !== null && Object.hasOwn(ours, name) ? ours[name] : a.additionalProperties;
      const right = theirs !== null && Object.hasOwn(theirs, name) ? theirs[name] : b.additionalProperties;
      if (left === undefined || right === undefined) out.set(name, (left ?? right)!);
      else out.set(name, both(left as Schema, right as Schema));
    }
    return Object.fromEntries(out);
  }

  /** The keyword as both schemas have it, differently; null when nothing is left. */
  function meet(key: string, a: JsonRecord, b: JsonRecord, pointer: string): Json | null {
    const own = a[key]!;
    const value = b[key]!;
    switch (key) {
      case 'type': {
        const types = joinTypes(typesOf(a), typesOf(b));
        return types.length === 0 ? null : types;
      }
      case 'enum': {
        work.charge((own as readonly Json[]).length + (value as readonly Json[]).length);
        const common = values.common(own as readonly Json[], value as readonly Json[]);
        return common.length === 0 ? null : common;
      }
      case 'const':
        return null;
      case 'required':
        work.charge((own as readonly Json[]).length + (value as readonly Json[]).length);
        return [...new Set([...(own as string[]), ...(value as string[])])];
      case 'minimum':
      case 'exclusiveMinimum':
      case 'minLength':
      case 'minItems':
        return Math.max(own as number, value as number);
      case 'maximum':
      case 'exclusiveMaximum':
      case 'maxLength':
      case 'maxItems':
        return Math.min(own as number, value as number);
      case 'additionalProperties':
        return both(own as Schema, value as Schema);
      case 'items':
        if (a.prefixItems === undefined && b.prefixItems === undefined)
          return both(own as Schema, value as Schema);
        throw schemaUnsupported(pointer, 'prefixItems and items of schemas that hold together differ');
      default:
        throw schemaUnsupported(pointer, `schemas that hold together have different '${key}'`);
    }
  }

  /** Keywords that can leave nothing come first: what is dropped need not be joined. */
  const FIRST = ['type', 'enum', 'const'];

  return (a, b, pointer) => {
    const theirs = keysOf(b);
    work.charge(keysOf(a).length + theirs.length);
    const out: Record<string, Json> = {};
    for (const key of [...FIRST.filter((name) => b[name] !== undefined), ...theirs]) {
      if (key === 'properties' || Object.hasOwn(out, key)) continue;
      const own = a[key];
      const value = b[key]!;
      // Lists of schemas are never long twice: what is the same is mostly the very same.
      if (own === undefined || own === value || values.same(own, value)) {
        out[key] = value;
        continue;
      }
      const met = meet(key, a, b, pointer);
      if (met === null) return null;
      out[key] = met;
    }
    const joined: Record<string, Json> = { ...a, ...out };
    if (propertiesOf(a) !== null || propertiesOf(b) !== null) joined.properties = joinProperties(a, b);
    if (a.prefixItems !== undefined || b.prefixItems !== undefined) {
      const other = a.prefixItems === undefined ? a : b;
      if (other.prefixItems === undefined && other.items !== undefined)
        throw schemaUnsupported(pointer, 'prefixItems and items of schemas that hold together differ');
    }
    return joined;
  };
}

function joinTypes(a: readonly JsonType[], b: readonly JsonType[]): JsonType[] {
  const common = a.filter((type) => b.includes(type));
  return common.includes('number') ? common.filter((type) => type !== 'integer') : common;
}

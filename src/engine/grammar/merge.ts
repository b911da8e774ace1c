/**
 * Schemas that hold together (`allOf`, keywords beside `anyOf` or `$ref`) as alternatives without such keywords.
 *
 * @module engine/grammar/merge
 */
import { createDisjoint } from './disjoint.ts';
import { grammarTooLarge, schemaUnsupported } from './errors.ts';
import { createJoin } from './join.ts';
import { type CheckedSchema, type JsonRecord, restricts, type Schema } from './schema.ts';
import { listed, type Values } from './values.ts';
import type { Work } from './work.ts';

const COMBINING: readonly string[] = ['allOf', 'anyOf', 'oneOf', '$ref'];
/** Combinations of alternatives, dropped ones included, and pairs that `oneOf` compares. */
const MAX_STEPS = 20_000;
/** Schemas inside schemas that are put together at once, `$ref` followed. */
const MAX_DEPTH = 400;

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
  /** The schema's alternatives come out of putting schemas together. */
  combines(schema: JsonRecord): boolean;
}

export function createCombiner(checked: CheckedSchema, work: Work, values: Values): Combiner {
  let steps = 0;
  const step = (count = 1): void => {
    steps += count;
    if (steps > MAX_STEPS)
      throw grammarTooLarge('the combinations of allOf, anyOf, oneOf and $ref', MAX_STEPS);
  };
  const join = createJoin(work, values);
  const disjoint = createDisjoint({ checked, work, values, step });
  const plain = new WeakMap<JsonRecord, JsonRecord>();
  /** Targets of the `$ref` that are being followed. */
  const open = new Set<Schema>();

  /** The schema's own keywords that restrict values, without combining ones. */
  function without(schema: JsonRecord): JsonRecord {
    let own = plain.get(schema);
    if (own === undefined) {
      const entries = Object.entries(schema);
      work.charge(entries.length);
      own = Object.fromEntries(entries.filter(([key]) => restricts(key) && !COMBINING.includes(key)));
      plain.set(schema, own);
    }
    return own;
  }

  /** Every part of `parts` together with every part of `others`, without those that exclude each other. */
  function product(parts: readonly Placed[], others: readonly Placed[], pointer: string): readonly Placed[] {
    step(parts.length * others.length);
    const joined: Placed[] = [];
    for (const a of parts) {
      for (const b of others) {
        const schema = join(a.schema as JsonRecord, b.schema as JsonRecord, pointer);
        if (schema !== null) joined.push({ schema, pointer: a.pointer });
      }
    }
    return joined;
  }

  /** Alternatives without any combining keyword. */
  function flatten(schema: Schema, pointer: string, depth: number): readonly Placed[] {
    step();
    if (depth > MAX_DEPTH) throw grammarTooLarge('the depth of schemas that are put together', MAX_DEPTH);
    if (typeof schema === 'boolean') return schema ? [{ schema: {}, pointer }] : [];
    let parts: readonly Placed[] = [{ schema: without(schema), pointer }];
    if (typeof schema.$ref === 'string') {
      const target = checked.resolve(schema.$ref);
      if (open.has(target.schema)) {
        throw schemaUnsupported(
          `${pointer}/$ref`,
          'a $ref that leads back to itself cannot be combined with other keywords',
        );
      }
      if (typeof target.schema !== 'boolean') open.add(target.schema);
      parts = product(parts, flatten(target.schema, target.pointer, depth + 1), pointer);
      open.delete(target.schema);
    }
    for (const [index, part] of listed(schema.allOf).entries())
      parts = product(parts, flatten(part, `${pointer}/allOf/${index}`, depth + 1), pointer);
    for (const keyword of ['anyOf', 'oneOf'] as const) {
      if (schema[keyword] === undefined) continue;
      if (keyword === 'oneOf') proveDisjoint(schema, pointer);
      const others: Placed[] = [];
      for (const [index, part] of listed(schema[keyword]).entries()) {
        for (const each of flatten(part, `${pointer}/${keyword}/${index}`, depth + 1)) {
          step();
          others.push(each);
        }
      }
      parts = product(parts, others, pointer);
    }
    return parts;
  }

  function proveDisjoint(schema: JsonRecord, pointer: string): void {
    const parts = listed(schema.oneOf);
    for (let i = 0; i < parts.length; i++) {
      for (let j = i + 1; j < parts.length; j++) {
        if (disjoint(parts[i]!, parts[j]!)) continue;
        throw schemaUnsupported(
          `${pointer}/oneOf`,
          `one value may match alternatives ${i} and ${j} of oneOf; tell them apart by type, const or enum, or use anyOf`,
        );
      }
    }
  }

  /** The combining keyword that is all the schema says; null where schemas have to be put together. */
  function single(schema: JsonRecord): string | null {
    const keys = Object.keys(schema);
    work.charge(keys.length);
    const own = keys.filter(restricts);
    if (own.length !== 1 || !COMBINING.includes(own[0]!)) return null;
    const keyword = own[0]!;
    return keyword === 'allOf' && listed(schema.allOf).length !== 1 ? null : keyword;
  }

  const combined = (schema: JsonRecord): boolean =>
    COMBINING.some((keyword) => schema[keyword] !== undefined);

  return {
    combines: (schema) => combined(schema) && single(schema) === null,
    alternatives(schema, pointer) {
      if (!combined(schema)) return [{ schema, pointer }];
      const keyword = single(schema);
      if (keyword === null) return flatten(schema, pointer, 0);
      if (keyword === '$ref') return [{ schema, pointer }];
      const parts = listed(schema[keyword]);
      work.charge(parts.length);
      if (keyword === 'oneOf') proveDisjoint(schema, pointer);
      return parts.map((part, index) => ({ schema: part, pointer: `${pointer}/${keyword}/${index}` }));
    },
  };
}

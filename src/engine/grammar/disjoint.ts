/**
 * The proof that two schemas never hold for one value, which `oneOf` needs.
 *
 * @module engine/grammar/disjoint
 */
import type { CheckedSchema, Json, JsonRecord, Schema } from './schema.ts';
import { hasType, listed, propertiesOf, requiredOf, typesOf, type Values } from './values.ts';
import type { Work } from './work.ts';

const MAX_DEPTH = 200;

export interface DisjointInit {
  readonly checked: CheckedSchema;
  readonly work: Work;
  readonly values: Values;
  /** Called for each pair of schemas that is looked at. */
  readonly step: () => void;
}

/** True only when it is certain that no value matches both. */
export type Disjoint = (a: Schema, b: Schema) => boolean;

export function createDisjoint({ checked, work, values, step }: DisjointInit): Disjoint {
  function disjoint(left: Schema, right: Schema, depth: number): boolean {
    step();
    if (left === false || right === false) return true;
    if (left === true || right === true || depth > MAX_DEPTH) return false;
    for (const [a, b] of [
      [left, right],
      [right, left],
    ] as const) {
      if (typeof a.$ref === 'string' && disjoint(checked.resolve(a.$ref).schema, b, depth + 1)) return true;
      for (const part of listed(a.allOf)) if (disjoint(part, b, depth + 1)) return true;
      for (const keyword of ['anyOf', 'oneOf'] as const) {
        const parts = listed(a[keyword]);
        if (parts.length > 0 && parts.every((part) => disjoint(part, b, depth + 1))) return true;
      }
    }
    return plainDisjoint(left, right, depth);
  }

  function plainDisjoint(a: JsonRecord, b: JsonRecord, depth: number): boolean {
    const some = values.of(a);
    const others = values.of(b);
    const ours = typesOf(a);
    const theirs = typesOf(b);
    work.charge(4 + (some?.length ?? 0) + (others?.length ?? 0));
    if (some !== null && others !== null) return values.common(some, others).length === 0;
    if (some !== null) return some.every((value: Json) => !hasType(value, theirs));
    if (others !== null) return others.every((value: Json) => !hasType(value, ours));
    return ours
      .filter((type) => theirs.includes(type))
      .every((type) => {
        if (type === 'object') return objectsDisjoint(a, b, depth) || objectsDisjoint(b, a, depth);
        if (type === 'number' || type === 'integer') return below(a, b) || below(b, a);
        return false;
      });
  }

  function objectsDisjoint(a: JsonRecord, b: JsonRecord, depth: number): boolean {
    const theirs = propertiesOf(b) ?? {};
    const ours = propertiesOf(a) ?? {};
    for (const key of requiredOf(a)) {
      work.charge(1);
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

  return (a, b) => disjoint(a, b, 0);
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

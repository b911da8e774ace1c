/**
 * A checked schema as a network. The texts it takes are the valid values as JSON.stringify writes them, with at most one
 * space after each comma and colon, and with properties in the order in which the schema names them.
 *
 * Where the schema leaves open what else may come, it is read as closed: with `properties` and no
 * `additionalProperties` no other property comes, with `prefixItems` and no `items` no further item.
 *
 * @module engine/grammar/write-schema
 */
import { ANY, type Characters, character, complement, createCharacterWriter } from './characters.ts';
import { schemaUnsupported } from './errors.ts';
import { createCombiner } from './merge.ts';
import type { NetworkBuilder, Rule } from './network.ts';
import { FREE_NUMBER, type NumberBounds, writeNumber } from './numbers.ts';
import { parsePattern } from './pattern.ts';
import {
  type CheckedSchema,
  escapePointer,
  isRecord,
  type Json,
  type JsonRecord,
  type JsonType,
  restricts,
  type Schema,
} from './schema.ts';
import { createValues, hasType, requiredOf, typesOf } from './values.ts';
import type { Work } from './work.ts';
import { writePattern } from './write-pattern.ts';

const BOUNDS = ['minimum', 'exclusiveMinimum', 'maximum', 'exclusiveMaximum'] as const;

/** Writes the values of a schema from one state to another. */
export function writeSchema(
  builder: NetworkBuilder,
  from: number,
  checked: CheckedSchema,
  to: number,
  work: Work,
): void {
  const values = createValues(work);
  const combiner = createCombiner(checked, work, values);
  const writeJson = createCharacterWriter(builder, 'json');
  const writePlain = createCharacterWriter(builder, 'plain');
  const rules = new Map<string, Rule>();
  /** Schemas that were put together, by the schema that says what of. */
  const combined = new Map<JsonRecord, Rule>();
  /** Bodies to write: a queue, since rules refer to rules without end. */
  const bodies: (() => void)[] = [];

  function rule(key: string, body: (rule: Rule) => void): Rule {
    const known = rules.get(key);
    if (known !== undefined) return known;
    const created = builder.rule(key);
    rules.set(key, created);
    bodies.push(() => body(created));
    return created;
  }

  const byte = (at: number, sign: string, next: number): void => {
    builder.byte(at, sign.charCodeAt(0), sign.charCodeAt(0), next);
  };
  /** `sign`, then a space or none. */
  const separator = (at: number, sign: string, next: number): void => {
    const after = builder.state();
    byte(at, sign, after);
    byte(after, ' ', next);
    builder.skip(after, next);
  };
  const literal = (at: number, text: string, next: number): void =>
    builder.literal(at, Buffer.from(text), next);

  function writeValue(at: number, schema: Schema, pointer: string, next: number): void {
    if (schema === false) return;
    if (schema === true) {
      builder.call(at, anything(), next);
      return;
    }
    if (combiner.combines(schema)) {
      builder.call(at, combination(schema, pointer), next);
      return;
    }
    for (const part of combiner.alternatives(schema, pointer)) {
      if (part.schema === schema && typeof schema.$ref === 'string') {
        const target = checked.resolve(schema.$ref);
        const called = rule(`#${target.pointer}`, (own) =>
          writeValue(own.start, target.schema, target.pointer, own.end),
        );
        builder.call(at, called, next);
      } else if (part.schema === schema) writeOne(at, schema, pointer, next);
      // An alternative may have alternatives of its own.
      else writeValue(at, part.schema, part.pointer, next);
    }
  }

  /** A rule, since what is put together may lead back to itself through its properties. */
  function combination(schema: JsonRecord, pointer: string): Rule {
    let own = combined.get(schema);
    if (own === undefined) {
      own = builder.rule(pointer);
      combined.set(schema, own);
      const { start, end } = own;
      bodies.push(() => {
        for (const part of combiner.alternatives(schema, pointer))
          writeOne(start, part.schema as JsonRecord, part.pointer, end);
      });
    }
    return own;
  }

  function writeOne(at: number, schema: JsonRecord, pointer: string, next: number): void {
    const left = values.of(schema);
    const keywords = Object.keys(schema);
    work.charge(keywords.length + (left?.length ?? 0));
    if (left !== null) {
      if (left.length > 0) refuseBesideValues(keywords, pointer);
      for (const value of left) if (fits(value, schema, pointer)) writeConstant(at, value, next);
      return;
    }
    if (!keywords.some(restricts)) {
      builder.call(at, anything(), next);
      return;
    }
    for (const type of typesOf(schema)) writeType(at, type, schema, pointer, next);
  }

  function writeType(at: number, type: JsonType, schema: JsonRecord, pointer: string, next: number): void {
    switch (type) {
      case 'null':
        literal(at, 'null', next);
        return;
      case 'boolean':
        literal(at, 'true', next);
        literal(at, 'false', next);
        return;
      case 'number':
        writeNumeric(at, schema, false, next);
        return;
      case 'integer':
        if (!typesOf(schema).includes('number')) writeNumeric(at, schema, true, next);
        return;
      case 'string':
        writeString(at, schema, next);
        return;
      case 'array':
        writeArray(at, schema, pointer, next);
        return;
      case 'object':
        writeObject(at, schema, pointer, next);
        return;
    }
  }

  function writeNumeric(at: number, schema: JsonRecord, integer: boolean, next: number): void {
    const bounds = boundsOf(schema, integer);
    if (integer || BOUNDS.some((key) => bounds[key] !== null)) {
      const called = rule(`number ${JSON.stringify(bounds)}`, (own) =>
        writeNumber(builder, own.start, bounds, own.end),
      );
      builder.call(at, called, next);
      return;
    }
    const free = rule('number', (own) =>
      writePattern(builder, own.start, parsePattern(FREE_NUMBER, false), own.end, writePlain),
    );
    builder.call(at, free, next);
  }

  function writeString(at: number, schema: JsonRecord, next: number): void {
    const min = typeof schema.minLength === 'number' ? schema.minLength : 0;
    const max = typeof schema.maxLength === 'number' ? schema.maxLength : null;
    const pattern = typeof schema.pattern === 'string' ? schema.pattern : null;
    work.chargeText(pattern ?? '');
    const called = rule(`string ${min} ${max} ${pattern}`, (own) => {
      const open = builder.state();
      const close = builder.state();
      byte(own.start, '"', open);
      byte(close, '"', own.end);
      const automaton = pattern === null ? ANY_TEXT : parsePattern(pattern, true, work);
      writePattern(builder, open, automaton, close, writeJson, { min, max });
    });
    builder.call(at, called, next);
  }

  function writeArray(at: number, schema: JsonRecord, pointer: string, next: number): void {
    const prefix = Array.isArray(schema.prefixItems) ? (schema.prefixItems as readonly Schema[]) : [];
    const rest = (schema.items ?? prefix.length === 0) as Schema;
    const min = typeof schema.minItems === 'number' ? schema.minItems : 0;
    const max = rest === false ? prefix.length : Number.POSITIVE_INFINITY;
    const most = Math.min(
      max,
      typeof schema.maxItems === 'number' ? schema.maxItems : Number.POSITIVE_INFINITY,
    );
    const single = Math.max(prefix.length, min, 1);
    const restPointer = `${pointer}/items`;
    // The pointer of a merged schema is that of its parts, so that the rule belongs to this array alone.
    const item = builder.rule(restPointer);
    bodies.push(() => writeValue(item.start, rest, restPointer, item.end));
    const writeItem = (index: number, before: number, after: number): void => {
      if (index >= prefix.length) builder.call(before, item, after);
      else writeValue(before, prefix[index]!, `${pointer}/prefixItems/${index}`, after);
    };
    const close = builder.state();
    byte(close, ']', next);
    let after = builder.state();
    byte(at, '[', after);
    if (min === 0) builder.skip(after, close);
    const chain = most === Number.POSITIVE_INFINITY ? single : most;
    for (let index = 0; index < chain; index++) {
      const before = index === 0 ? after : builder.state();
      if (index > 0) separator(after, ',', before);
      after = builder.state();
      writeItem(index, before, after);
      if (index + 1 >= min) builder.skip(after, close);
    }
    if (most !== Number.POSITIVE_INFINITY) return;
    const again = builder.state();
    separator(after, ',', again);
    writeItem(chain, again, after);
  }

  function writeObject(at: number, schema: JsonRecord, pointer: string, next: number): void {
    const described = isRecord(schema.properties) ? schema.properties : {};
    const names = Object.keys(described);
    const closed = schema.properties !== undefined && schema.additionalProperties === undefined;
    const extra = (schema.additionalProperties ?? !closed) as Schema;
    const extraPointer = `${pointer}/additionalProperties`;
    work.charge(names.length + requiredOf(schema).length);
    const required = new Set(requiredOf(schema));
    const beyond = [...required].filter((key) => !Object.hasOwn(described, key));
    // A property that is required and not described is valid with any value that additionalProperties leaves.
    const beyondSchema = (schema.additionalProperties ?? true) as Schema;
    const open = builder.state();
    byte(at, '{', open);
    const close = builder.state();
    byte(close, '}', next);
    /** Before any property, and after one. `none` is null from the first required property on. */
    let none: number | null = open;
    let some = builder.state();
    const writeProperty = (key: string, value: Schema, place: string): void => {
      const start = builder.state();
      if (none !== null) builder.skip(none, start);
      separator(some, ',', start);
      const named = builder.state();
      literal(start, JSON.stringify(key), named);
      const valued = builder.state();
      separator(named, ':', valued);
      const after = builder.state();
      writeValue(valued, value, place, after);
      if (required.has(key)) none = null;
      else builder.skip(some, after);
      some = after;
    };
    for (const key of names) {
      writeProperty(key, described[key] as Schema, `${pointer}/properties/${escapePointer(key)}`);
    }
    for (const key of beyond) writeProperty(key, beyondSchema, extraPointer);
    if (extra !== false) {
      const taken = [...names, ...beyond];
      const member = builder.rule(extraPointer);
      bodies.push(() => {
        const named = builder.state();
        const valued = builder.state();
        writeOtherName(member.start, taken, named);
        separator(named, ':', valued);
        writeValue(valued, extra, extraPointer, member.end);
      });
      const start = builder.state();
      if (none !== null) builder.skip(none, start);
      separator(some, ',', start);
      builder.call(start, member, some);
    }
    if (none !== null) builder.skip(none, close);
    builder.skip(some, close);
  }

  /** A property name that is none of `taken`: the tree of those names, left at any point. */
  function writeOtherName(at: number, taken: readonly string[], next: number): void {
    const open = builder.state();
    const free = builder.state();
    const close = builder.state();
    byte(at, '"', open);
    byte(close, '"', next);
    writeJson(free, ANY, free);
    builder.skip(free, close);
    interface Branch {
      readonly state: number;
      readonly on: Map<number, Branch>;
      ends: boolean;
    }
    const tree: Branch = { state: open, on: new Map(), ends: false };
    const all = [tree];
    for (const name of taken) {
      let branch = tree;
      for (const sign of name) {
        const code = sign.codePointAt(0)!;
        let deeper = branch.on.get(code);
        if (deeper === undefined) {
          deeper = { state: builder.state(), on: new Map(), ends: false };
          branch.on.set(code, deeper);
          all.push(deeper);
        }
        branch = deeper;
      }
      branch.ends = true;
    }
    for (const branch of all) {
      const known = [...branch.on.keys()].sort((a, b) => a - b);
      for (const code of known) writeJson(branch.state, character(code), branch.on.get(code)!.state);
      writeJson(
        branch.state,
        complement(known.map((code) => [code, code] as const) satisfies Characters),
        free,
      );
      if (!branch.ends) builder.skip(branch.state, close);
    }
  }

  function writeConstant(at: number, value: Json, next: number): void {
    if (Array.isArray(value) || isRecord(value)) {
      const record = isRecord(value);
      const entries: [string | null, Json][] = record
        ? Object.entries(value)
        : (value as readonly Json[]).map((item) => [null, item]);
      let state = builder.state();
      byte(at, record ? '{' : '[', state);
      for (const [index, [key, item]] of entries.entries()) {
        if (index > 0) state = then((before, after) => separator(before, ',', after), state);
        if (key !== null) {
          state = then((before, after) => literal(before, JSON.stringify(key), after), state);
          state = then((before, after) => separator(before, ':', after), state);
        }
        state = then((before, after) => writeConstant(before, item, after), state);
      }
      byte(state, record ? '}' : ']', next);
      return;
    }
    literal(at, JSON.stringify(value), next);
  }

  function then(write: (before: number, after: number) => void, before: number): number {
    const after = builder.state();
    write(before, after);
    return after;
  }

  /** Any JSON value. */
  function anything(): Rule {
    return rule('any', (own) => {
      for (const type of ['null', 'boolean', 'number', 'string', 'array', 'object'] as const) {
        writeType(own.start, type, {}, '', own.end);
      }
    });
  }

  writeValue(from, checked.root, '', to);
  for (let next = 0; next < bodies.length; next++) bodies[next]!();
}

/** Any text, as an automaton over characters. */
const ANY_TEXT = { states: 2, edges: [[[ANY, 0]], []], empty: [[1], []] } as const;

function boundsOf(schema: JsonRecord, integer: boolean): NumberBounds {
  const read = (key: (typeof BOUNDS)[number]): number | null =>
    typeof schema[key] === 'number' ? (schema[key] as number) : null;
  return {
    integer,
    minimum: read('minimum'),
    exclusiveMinimum: read('exclusiveMinimum'),
    maximum: read('maximum'),
    exclusiveMaximum: read('exclusiveMaximum'),
  };
}

const BESIDE_VALUES = new Set<string>(['type', 'enum', 'const', 'minLength', 'maxLength', ...BOUNDS]);

function refuseBesideValues(keywords: readonly string[], pointer: string): void {
  for (const keyword of keywords) {
    if (!restricts(keyword) || BESIDE_VALUES.has(keyword)) continue;
    throw schemaUnsupported(`${pointer}/${keyword}`, `'${keyword}' beside enum or const is not supported`);
  }
}

/** Whether a value of `enum` or `const` satisfies the keywords beside it. */
function fits(value: Json, schema: JsonRecord, pointer: string): boolean {
  if (!hasType(value, typesOf(schema))) return false;
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw schemaUnsupported(pointer, 'a value holds half a surrogate pair');
    const length = Array.from(value).length;
    const { minLength, maxLength } = schema;
    return (
      !(typeof minLength === 'number' && length < minLength) &&
      !(typeof maxLength === 'number' && length > maxLength)
    );
  }
  if (typeof value !== 'number') return true;
  const { minimum, exclusiveMinimum, maximum, exclusiveMaximum } = boundsOf(schema, false);
  return (
    (minimum === null || value >= minimum) &&
    (exclusiveMinimum === null || value > exclusiveMinimum) &&
    (maximum === null || value <= maximum) &&
    (exclusiveMaximum === null || value < exclusiveMaximum)
  );
}

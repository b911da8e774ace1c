/**
 * Data of JSON, YAML and TOML as text: the names above values are headings, values that stand together are a block of
 * `name: value` lines, and so is what is small, with the names above it as a part of its own.
 *
 * @module knowledge/parse/value-tree
 */
import type { Place, Property } from '../types.ts';
import { type DocumentWriter, oneLine } from './document-writer.ts';
import type { ParseLimits } from './types.ts';

const NAME_CHARACTERS = 200;
/** Headings of a deep tree: those further in are part of the names. */
const HEADING_LEVELS = 6;

/** Characters of an object that stands with others under the heading above it: alone it would be next to no text. */
const SMALL = 400;

type Scalar = string | number | boolean | bigint | Date;

function asScalar(value: unknown): Scalar | null {
  if (value instanceof Date) return value;
  const type = typeof value;
  return type === 'string' || type === 'number' || type === 'boolean' || type === 'bigint'
    ? (value as Scalar)
    : null;
}

function scalarText(value: Scalar): string {
  if (!(value instanceof Date)) return String(value);
  return Number.isNaN(value.getTime()) ? '' : value.toISOString();
}

type Entry = readonly [name: string | null, value: unknown];

function entriesOf(value: object): Iterable<Entry> {
  if (Array.isArray(value)) return value.map((item): Entry => [null, item]);
  if (value instanceof Map) return [...value].map(([key, item]): Entry => [String(key), item]);
  return Object.entries(value);
}

function isSmall(value: object): boolean {
  let room = SMALL;
  const look = (each: object): void => {
    for (const [name, item] of entriesOf(each)) {
      room -= (name?.length ?? 0) + 2;
      const scalar = asScalar(item);
      if (typeof scalar === 'string') room -= scalar.length;
      else if (scalar !== null) room -= 4;
      else if (room > 0 && typeof item === 'object' && item !== null) look(item);
      if (room <= 0) return;
    }
  };
  look(value);
  return room > 0;
}

class Walk {
  readonly #writer: DocumentWriter;
  readonly #limits: ParseLimits;
  readonly #place: Place;
  #lines: string[] = [];
  /** Values that the walk is inside of: aliases may lead back to them. */
  readonly #open = new Set<object>();

  constructor(writer: DocumentWriter, limits: ParseLimits, place: Place) {
    this.#writer = writer;
    this.#limits = limits;
    this.#place = place;
  }

  #flush(level: number): void {
    if (this.#lines.length > 0) this.#block(level, this.#lines.join('\n'));
    this.#lines = [];
  }

  /** Below the headings that are above the level: those of what came before end here. */
  #block(level: number, text: string): void {
    this.#writer.back(level);
    this.#writer.block('text', text, this.#place);
  }

  /** `path`: names above that are no headings. */
  value(value: object, level: number, depth: number, path: string): void {
    if (this.#open.has(value)) return;
    this.#open.add(value);
    this.#value(value, level, depth, path);
    this.#open.delete(value);
  }

  #value(value: object, level: number, depth: number, path: string): void {
    if (depth > this.#limits.depth) {
      this.#writer.cutDepth();
      return;
    }
    const inner: (readonly [name: string | null, value: object])[] = [];
    for (const [name, item] of entriesOf(value)) {
      if (this.#writer.full) {
        this.#flush(level);
        return;
      }
      const scalar = asScalar(item);
      if (scalar !== null) this.#lines.push(line(path, name, scalarText(scalar)));
      else if (typeof item === 'object' && item !== null) inner.push([name, item]);
    }
    this.#flush(level);
    // What has no heading comes first, to stand together; items of a list stay in their order.
    const inOrder = Array.isArray(value)
      ? inner
      : [...inner.filter(([, item]) => isSmall(item)), ...inner.filter(([, item]) => !isSmall(item))];
    for (const [name, item] of inOrder) {
      if (this.#writer.full) return;
      this.#inner(name, item, level, depth, path);
    }
  }

  #inner(name: string | null, item: object, level: number, depth: number, path: string): void {
    if (name === null) {
      this.value(item, level, depth + 1, path);
      return;
    }
    const short = oneLine(name, NAME_CHARACTERS);
    const list = Array.isArray(item) ? item.map(asScalar) : [];
    if (list.length > 0 && list.every((scalar) => scalar !== null)) {
      const said = list.map(scalarText);
      const whole = said.length <= 20 && said.every((text) => text.length < 60 && !text.includes('\n'));
      if (whole) {
        this.#block(level, line(path, short, said.join(', ')));
        return;
      }
    }
    if (level > HEADING_LEVELS || short === '' || isSmall(item)) {
      this.value(item, level, depth + 1, path === '' ? short : `${path}.${short}`);
      return;
    }
    this.#writer.heading(level, short);
    this.value(item, level + 1, depth + 1, path);
  }
}

function line(path: string, name: string | null, value: string): string {
  const full = [path, name === null ? '' : oneLine(name, NAME_CHARACTERS)]
    .filter((part) => part !== '')
    .join('.');
  return full === '' ? value : `${full}: ${value}`;
}

/** A tree of values into an open document. `place` is given to each block. */
export function writeTree(
  writer: DocumentWriter,
  limits: ParseLimits,
  value: unknown,
  place: Place = {},
): void {
  const scalar = asScalar(value);
  if (scalar !== null) writer.block('text', scalarText(scalar), place);
  else if (typeof value === 'object' && value !== null) {
    new Walk(writer, limits, place).value(value, 1, 1, '');
    if (writer.nested) writer.topLevel();
  }
}

/** Properties out of frontmatter: what is nested has the names above it before its own. */
export function writeProperties(writer: DocumentWriter, value: unknown, prefix = '', depth = 0): void {
  if (typeof value !== 'object' || value === null || depth > 3) return;
  for (const [name, item] of entriesOf(value)) {
    if (name === null) continue;
    const key = prefix === '' ? name : `${prefix}.${name}`;
    const property = asProperty(item);
    if (property !== null) writer.property(key, property);
    else if (!Array.isArray(item)) writeProperties(writer, item, key, depth + 1);
  }
}

function asProperty(value: unknown): Property | null {
  if (Array.isArray(value)) {
    const said = value.slice(0, 1_000).map(asScalar);
    return said.filter((item) => item !== null).map(scalarText);
  }
  const scalar = asScalar(value);
  if (scalar === null) return null;
  if (typeof scalar === 'bigint' || scalar instanceof Date) return scalarText(scalar);
  return scalar;
}

/** A text or a list of texts; anything else is none. */
export function textsOf(value: unknown): string[] {
  const items: unknown[] = Array.isArray(value) ? value.slice(0, 1_000) : [value];
  return items
    .map(asScalar)
    .filter((item) => item !== null)
    .map(scalarText);
}

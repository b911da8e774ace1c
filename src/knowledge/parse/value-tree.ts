/**
 * Data of JSON, YAML and TOML as text: the names above a value are headings, values that stand together are a block of
 * `name: value` lines.
 *
 * @module knowledge/parse/value-tree
 */
import type { Place, Property } from '../types.ts';
import { type DocumentWriter, oneLine } from './document-writer.ts';
import type { ParseLimits } from './types.ts';

const NAME_CHARACTERS = 200;
/** Headings of a deep tree: those further in are part of the names. */
const HEADING_LEVELS = 6;

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

  #flush(): void {
    if (this.#lines.length > 0) this.#writer.block('text', this.#lines.join('\n'), this.#place);
    this.#lines = [];
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
    const inner: Entry[] = [];
    for (const [name, item] of entriesOf(value)) {
      if (this.#writer.full) {
        this.#flush();
        return;
      }
      const scalar = asScalar(item);
      if (scalar !== null) this.#lines.push(line(path, name, scalarText(scalar)));
      else if (typeof item === 'object' && item !== null) inner.push([name, item]);
    }
    this.#flush();
    for (const [name, item] of inner) {
      if (this.#writer.full) return;
      this.#inner(name, item as object, level, depth, path);
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
        this.#writer.block('text', line(path, short, said.join(', ')), this.#place);
        return;
      }
    }
    if (level > HEADING_LEVELS || short === '') {
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

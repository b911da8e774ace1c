/**
 * Filters as SQL over documents. Values are always bound, never part of the text.
 *
 * @module knowledge/store/filter
 */
import { InputError, type SqlValue } from '../../base/index.ts';
import type { Filter } from '../types.ts';
import { matchesGlob } from './glob.ts';
import { testOf } from './property-test.ts';
import { foldTag, propertyValues } from './rows.ts';

export interface Condition {
  /** Of a row `d` of the table of documents; `1` for none. */
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

/** What SQL alone cannot tell, and has to be looked up. */
export interface Lookup {
  documents(): Iterable<{ readonly id: number; readonly path: string }>;
  /** Each value once, as JSON, that some document has of a property. */
  valuesOf(property: string): readonly string[];
}

/** Values in one filter: SQLite takes no more than some thousand of them, and plans each. */
const MOST_VALUES = 1000;

/** Paths and types: one of them. Tags and properties: all of them. A tag holds for those below it, too (`a` for `a/b`). */
export function conditionOf(filter: Filter | undefined, lookup: Lookup): Condition {
  const parts: string[] = [];
  const values: SqlValue[] = [];
  const add = (sql: string, ...bound: SqlValue[]) => {
    parts.push(sql);
    values.push(...bound);
  };
  if (filter?.paths !== undefined) {
    const ways: string[] = [];
    for (const path of filter.paths) {
      if (path.endsWith('/')) {
        // '0' is the character after '/': the range is all that begins with the folder, by the index of paths.
        ways.push('(d.path >= ? AND d.path < ?)');
        values.push(path, `${path.slice(0, -1)}0`);
      } else {
        ways.push('d.path = ?');
        values.push(path);
      }
    }
    parts.push(ways.length === 0 ? '0' : `(${ways.join(' OR ')})`);
  }
  if (filter?.types !== undefined)
    add(`d.type IN (${filter.types.map(() => '?').join(', ')})`, ...filter.types);
  for (const tag of filter?.tags ?? []) {
    const folded = foldTag(tag);
    add(
      'd.id IN (SELECT document FROM tag WHERE tag = ? OR (tag >= ? AND tag < ?))',
      folded,
      `${folded}/`,
      `${folded}0`,
    );
  }
  if (filter?.modifiedFrom !== undefined) add('d.modified >= ?', filter.modifiedFrom);
  if (filter?.modifiedTo !== undefined) add('d.modified <= ?', filter.modifiedTo);
  for (const [name, value] of Object.entries(filter?.properties ?? {})) {
    for (const each of propertyValues(value))
      add('d.id IN (SELECT document FROM property WHERE name = ? AND value = ?)', name, each);
  }
  for (const test of filter?.where ?? []) {
    const fits = testOf(test);
    const stored = lookup.valuesOf(test.property).filter((json) => {
      const value = storedValue(json);
      return value !== null && fits(value);
    });
    const without = test.is === '!=' || test.is === 'unset';
    add(
      `d.id ${without ? 'NOT IN' : 'IN'} (SELECT document FROM property WHERE name = ? AND value IN (SELECT value FROM json_each(?)))`,
      test.property,
      JSON.stringify(stored),
    );
  }
  if (filter?.globs !== undefined) {
    const { globs } = filter;
    const kept: number[] = [];
    for (const { id, path } of lookup.documents())
      if (globs.some((glob) => matchesGlob(glob, path))) kept.push(id);
    add('d.id IN (SELECT value FROM json_each(?))', JSON.stringify(kept));
  }
  if (values.length > MOST_VALUES)
    throw new InputError(
      'filter_invalid',
      `The filter has ${values.length} values, and ${MOST_VALUES} are allowed: name folders (ending in /) instead of files.`,
      { param: 'filter' },
    );
  return { sql: parts.length === 0 ? '1' : parts.join(' AND '), values };
}

/** Null for what is no value: the file may be from elsewhere. */
function storedValue(json: string): string | number | boolean | null {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
      ? value
      : null;
  } catch {
    return null;
  }
}

export function isEmptyFilter(filter: Filter | undefined): boolean {
  return filter === undefined || Object.values(filter).every((value) => value === undefined);
}

/**
 * What may be asked of a property of documents (frontmatter, headers of mails, facts that a file says of itself).
 *
 * Values are what files say, so that `2020` stands there as a number or as text: both are equal to it. Less and more are of numbers,
 * and of dates from the year on (`2024-05-17`); a date that is asked for with less of it means the whole month or year.
 *
 * @module knowledge/store/property-test
 */
import { InputError } from '../../base/index.ts';
import type { PropertyTest } from '../types.ts';

type Value = string | number | boolean;

const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d{1,3})?$/i;
/** A year, perhaps with month, day and time, as ISO 8601 writes them. */
const DATE = /^\d{4}(?:-\d{2}(?:-\d{2}(?:[T ][\d:.]+(?:Z|[+-]\d{2}:?\d{2})?)?)?)?$/;
/** Not a year alone, which may be any number. */
const STORED_DATE = /^\d{4}-\d{2}/;

/** @throws InputError `filter_invalid` */
export function testOf({ property, is, value }: PropertyTest): (stored: Value) => boolean {
  if (is === 'set' || is === 'unset') return () => true;
  if (value === undefined) throw invalid(`${property} ${is} needs a value to be compared with`);
  if (is === '=' || is === '!=') return (stored) => isEqual(stored, value);
  const number = numberOf(value);
  const date = typeof value !== 'boolean' && DATE.test(String(value)) ? String(value) : null;
  if (number === null && date === null)
    throw invalid(
      `${property} ${is} ${JSON.stringify(value)} cannot be told: only numbers and dates (2024-05-17, 2024-05, 2024) are less or more than others`,
    );
  return (stored) => {
    const mine = numberOf(stored);
    if (mine !== null && number !== null) return holds(is, mine - number);
    if (date === null || typeof stored !== 'string' || !STORED_DATE.test(stored)) return false;
    const part = stored.slice(0, date.length);
    return holds(is, part < date ? -1 : part > date ? 1 : 0);
  };
}

function isEqual(stored: Value, value: Value): boolean {
  if (String(stored) === (typeof value === 'string' ? value.normalize('NFC') : String(value))) return true;
  const [mine, other] = [numberOf(stored), numberOf(value)];
  return mine !== null && mine === other;
}

function numberOf(value: Value): number | null {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && NUMBER.test(value) ? Number(value) : null;
}

function holds(is: '<' | '<=' | '>' | '>=', difference: number): boolean {
  if (is === '<') return difference < 0;
  if (is === '<=') return difference <= 0;
  return is === '>' ? difference > 0 : difference >= 0;
}

function invalid(why: string): InputError {
  return new InputError('filter_invalid', `The filter cannot be used: ${why.slice(0, 400)}.`, {
    param: 'filter',
  });
}

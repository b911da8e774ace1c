/**
 * Reading values of JSON that another server wrote. Chunks of a stream come hundreds of times a second: these checks
 * cost a hundredth of a schema's.
 *
 * @module gateway/backends/json
 */

export type JsonObject = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Null for anything but a string. */
export const stringIn = (value: unknown): string | null => (typeof value === 'string' ? value : null);

/** A whole number from 0; null for anything else. */
export const countIn = (value: unknown): number | null =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;

export const arrayIn = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

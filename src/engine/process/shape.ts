/**
 * Checks for values that crossed the process boundary. Both ends build on the same few readers, so a field that is
 * missing, of the wrong type or out of range is the typed error `request_invalid` before any native code sees it.
 *
 * @module engine/process/shape
 */

import { InputError } from '../../base/index.ts';
import type { FrameMeta } from './frames.ts';

function bad(name: string, want: string, value: unknown): InputError {
  const shown = typeof value === 'string' ? JSON.stringify(value.slice(0, 60)) : String(value);
  return new InputError('request_invalid', `\`${name}\` must be ${want}, not ${shown}.`, { param: name });
}

/** Readers over one record. `at` is the name of the record in messages. */
export function shapeOf(meta: FrameMeta, at = ''): Shape {
  return new Shape(meta, at);
}

export class Shape {
  readonly #meta: FrameMeta;
  readonly #at: string;

  constructor(meta: FrameMeta, at: string) {
    this.#meta = meta;
    this.#at = at;
  }

  #name(key: string): string {
    return this.#at === '' ? key : `${this.#at}.${key}`;
  }

  integer(key: string, min: number, max: number): number {
    const value = this.#meta[key];
    if (!Number.isInteger(value) || (value as number) < min || (value as number) > max) {
      throw bad(this.#name(key), `an integer from ${min} to ${max}`, value);
    }
    return value as number;
  }

  number(key: string, min: number, max: number): number {
    const value = this.#meta[key];
    if (typeof value !== 'number' || !(value >= min && value <= max)) {
      throw bad(this.#name(key), `a number from ${min} to ${max}`, value);
    }
    return value;
  }

  string(key: string, maxLength: number): string {
    const value = this.#meta[key];
    if (typeof value !== 'string' || value.length > maxLength) {
      throw bad(this.#name(key), `text of at most ${maxLength} characters`, value);
    }
    return value;
  }

  boolean(key: string): boolean {
    const value = this.#meta[key];
    if (typeof value !== 'boolean') throw bad(this.#name(key), 'true or false', value);
    return value;
  }

  oneOf<T extends string>(key: string, values: readonly T[]): T {
    const value = this.#meta[key];
    if (!values.includes(value as T)) throw bad(this.#name(key), `one of ${values.join(', ')}`, value);
    return value as T;
  }

  list(key: string, maxLength: number): readonly unknown[] {
    const value = this.#meta[key];
    if (!Array.isArray(value) || value.length > maxLength) {
      throw bad(
        this.#name(key),
        `a list of at most ${maxLength} entries`,
        Array.isArray(value) ? `${value.length} entries` : value,
      );
    }
    return value;
  }

  strings(key: string, maxCount: number, maxLength: number): readonly string[] {
    return this.list(key, maxCount).map((value, index) => {
      if (typeof value !== 'string' || value.length > maxLength) {
        throw bad(`${this.#name(key)}[${index}]`, `text of at most ${maxLength} characters`, value);
      }
      return value;
    });
  }

  integers(key: string, maxCount: number, min: number, max: number): readonly number[] {
    return this.list(key, maxCount).map((value, index) => {
      if (!Number.isInteger(value) || (value as number) < min || (value as number) > max) {
        throw bad(`${this.#name(key)}[${index}]`, `an integer from ${min} to ${max}`, value);
      }
      return value as number;
    });
  }

  record(key: string): Shape {
    const value = this.#meta[key];
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw bad(this.#name(key), 'an object', value);
    }
    return new Shape(value as FrameMeta, this.#name(key));
  }

  records(key: string, maxCount: number): readonly Shape[] {
    return this.list(key, maxCount).map((value, index) => {
      const name = `${this.#name(key)}[${index}]`;
      if (typeof value !== 'object' || value === null || Array.isArray(value))
        throw bad(name, 'an object', value);
      return new Shape(value as FrameMeta, name);
    });
  }

  has(key: string): boolean {
    const value = this.#meta[key];
    return value !== undefined && value !== null;
  }
}

/** Throws `token_invalid` unless every id is in [0, vocab). */
export function checkTokens(tokens: Int32Array, vocab: number, name: string): void {
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index] as number;
    if (token < 0 || token >= vocab) {
      throw new InputError(
        'token_invalid',
        `\`${name}\` has token ${token} at index ${index}; this model's tokens are 0 to ${vocab - 1}.`,
        { param: name, details: { index, token, vocab } },
      );
    }
  }
}

/** Throws `value_not_finite` when a number is NaN or infinite. */
export function checkFinite(values: Float32Array, name: string): void {
  for (let index = 0; index < values.length; index++) {
    if (!Number.isFinite(values[index])) {
      throw new InputError(
        'value_not_finite',
        `\`${name}\` has ${values[index]} at index ${index}; all must be finite.`,
        {
          param: name,
          details: { index },
        },
      );
    }
  }
}

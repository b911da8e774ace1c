/**
 * Values of metric labels, bounded in number. Strangers choose agent names and paths; without a bound each new one
 * would be a series for ever. What comes after the limit is counted as `other`.
 *
 * @module server/metrics/labels
 */

/** Label of what had no place any more. */
export const other = 'other';
/** Label where there is nothing to name: no agent, no route, no error. */
export const none = 'none';

/** Label of an error's code; what looks like none is `other`. */
export function codeLabel(code: string | null): string {
  if (code === null) return none;
  return /^[a-z0-9_.-]{1,64}$/i.test(code) ? code : other;
}

/** Passes the first `limit` different values and turns all later ones into `other`. */
export function boundedValues(limit: number): (value: string) => string {
  const known = new Set<string>();
  return (value) => {
    if (known.has(value)) return value;
    if (known.size >= limit) return other;
    known.add(value);
    return value;
  };
}

/** Records by key, made on first use; the ones over `limit` share one made by `overflow`. */
export class BoundedRecords<T> {
  readonly #records = new Map<string, T>();
  readonly #limit: number;
  readonly #overflow: () => T;
  #rest: T | null = null;

  constructor(limit: number, overflow: () => T) {
    this.#limit = limit;
    this.#overflow = overflow;
  }

  of(key: string, make: () => T): T {
    const found = this.#records.get(key);
    if (found !== undefined) return found;
    if (this.#records.size >= this.#limit) {
      this.#rest ??= this.#overflow();
      return this.#rest;
    }
    const made = make();
    this.#records.set(key, made);
    return made;
  }

  *[Symbol.iterator](): Iterator<T> {
    yield* this.#records.values();
    if (this.#rest !== null) yield this.#rest;
  }
}

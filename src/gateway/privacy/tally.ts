/**
 * What was replaced, by class: for receipts.
 *
 * @module gateway/privacy/tally
 */
import type { PiiClass } from './types.ts';

/** For the receipt: classes and counts, no values. */
export interface FoundClass {
  readonly class: PiiClass;
  /** Places where something was replaced. */
  readonly count: number;
  /** Different values. */
  readonly distinct: number;
}

/** Counts what is replaced while it is open: one request. */
export class Tally {
  readonly #counts = new Map<PiiClass, { count: number; values: Set<string> }>();

  add(className: PiiClass, core: string): void {
    const known = this.#counts.get(className);
    if (known === undefined) this.#counts.set(className, { count: 1, values: new Set([core]) });
    else {
      known.count++;
      known.values.add(core);
    }
  }

  found(): FoundClass[] {
    return [...this.#counts]
      .map(([name, { count, values }]) => ({ class: name, count, distinct: values.size }))
      .sort((a, b) => (a.class < b.class ? -1 : 1));
  }
}

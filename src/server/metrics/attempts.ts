/**
 * Figures of attempts: what became of the asks of each backend, whether their answers counted or not.
 *
 * @module server/metrics/attempts
 */
import type { AttemptRecord } from '../../gateway/index.ts';
import { BoundedRecords, boundedValues, none, other } from './labels.ts';

export interface AttemptSet {
  readonly backend: string;
  readonly outcome: string;
  /** Class of the error; `none` without one. */
  readonly error: string;
  count: number;
}

const maxBackends = 100;
/** Backends × outcomes × error classes that really come together. */
const maxSets = 1000;

export class AttemptFigures {
  readonly sets = new BoundedRecords<AttemptSet>(maxSets, () => ({
    backend: other,
    outcome: other,
    error: other,
    count: 0,
  }));
  readonly #backend = boundedValues(maxBackends);

  observe(attempts: readonly AttemptRecord[]): void {
    for (const { backend: name, outcome, kind } of attempts) {
      const backend = this.#backend(name);
      const error = kind ?? none;
      this.sets.of(`${backend}\n${outcome}\n${error}`, () => ({ backend, outcome, error, count: 0 })).count++;
    }
  }
}

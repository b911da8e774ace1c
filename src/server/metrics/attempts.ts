/**
 * Figures of attempts: what became of the asks of each backend, whether their answers counted or not.
 *
 * @module server/metrics/attempts
 */
import type { AttemptRecord } from '../../gateway/index.ts';
import { BoundedRecords, boundedValues, none, other } from './labels.ts';
import { RecentCounts } from './recent-counts.ts';

export interface AttemptSet {
  readonly backend: string;
  readonly outcome: string;
  /** Class of the error; `none` without one. */
  readonly error: string;
  count: number;
}

/** Attempts of one backend that came to one end within the window. */
export type AttemptRow = Readonly<AttemptSet>;

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
  readonly #recent = new Map<AttemptSet, RecentCounts>();
  readonly #windowMs: number;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** @param now monotonic ms */
  observe(attempts: readonly AttemptRecord[], now: number): void {
    for (const { backend: name, outcome, kind } of attempts) {
      const backend = this.#backend(name);
      const error = kind ?? none;
      const set = this.sets.of(`${backend}\n${outcome}\n${error}`, () => ({
        backend,
        outcome,
        error,
        count: 0,
      }));
      set.count++;
      let recent = this.#recent.get(set);
      if (recent === undefined) {
        recent = new RecentCounts(this.#windowMs);
        this.#recent.set(set, recent);
      }
      recent.add('all', now);
    }
  }

  /** Within the window that ends at `now`, most first, at most `limit`. */
  recent(now: number, limit: number): AttemptRow[] {
    const rows: AttemptRow[] = [];
    for (const [{ backend, outcome, error }, counts] of this.#recent) {
      const sums = new Map<string, number>();
      counts.addRecent(sums, now);
      const count = sums.get('all') ?? 0;
      if (count > 0) rows.push({ backend, outcome, error, count });
    }
    return rows.sort((a, b) => b.count - a.count || a.backend.localeCompare(b.backend)).slice(0, limit);
  }
}

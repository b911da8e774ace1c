/**
 * The ledger: counts each request at once in memory, and writes what it counted in batches.
 *
 * A process that is killed loses what it counted since the last batch, a quarter of a second at most; one that ends in
 * order loses nothing. A power cut may cost the last batches, never the file.
 *
 * @module gateway/accounting/ledger
 */
import type { Clock, Logger } from '../../base/index.ts';
import { createBudget, type RunningBudget } from './budget.ts';
import { moneyOf } from './money.ts';
import { createNames } from './names.ts';
import { dayOf, startOfDay } from './periods.ts';
import { reportOf } from './report.ts';
import { openStore, type RowName, type StoredRow } from './store.ts';
import { addUsage, emptyTally, type Tally } from './tally.ts';
import type { Budget, Ledger, Price } from './types.ts';

export interface LedgerOptions {
  /** Path of the file, or `:memory:`. Its folder is made when it is missing. */
  readonly path: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly budgets: readonly Budget[];
  /**
   * Price of what a backend's model takes, for requests that come without their cost.
   *
   * @default none
   */
  readonly priceOf?: (backend: string, model: string) => Price | null;
  /** Days, of those on which anything was recorded, that are told apart, at least 32. @default 400 */
  readonly retentionDays?: number;
  /** Different agents, and different models, of a day; those beyond it are counted as `other`. @default 200 */
  readonly maxNames?: number;
}

/** ms from the first request of a batch until it is written. */
export const BATCH_MS = 250;
/** ms until a batch is tried again that could not be written. */
const RETRY_MS = 5000;
/** Budgets of a month need the days of one. */
const LEAST_DAYS = 32;
/** Rows of a day; from there on agents and models that no budget names are counted as `other`. */
const MAX_ROWS = 5000;

interface Row extends RowName {
  readonly day: number;
  /** What is not written yet; requests = 0: nothing. */
  tally: Tally;
  readonly budgets: readonly RunningBudget[];
}

/** Throws `KithError` when the file cannot be opened, `InputError` for a budget that holds nothing. */
export function createLedger(options: LedgerOptions): Ledger {
  const { clock, log, priceOf = () => null } = options;
  const retentionDays = Math.max(LEAST_DAYS, options.retentionDays ?? 400);
  const budgets = options.budgets.map((budget) => createBudget(budget, log));
  const general = budgets.filter(({ isOfPlace }) => !isOfPlace);
  const ofPlaces = budgets.filter(({ isOfPlace }) => isOfPlace);
  const store = openStore(options.path);
  const names = createNames(options.maxNames ?? 200, options.budgets);
  /** Rows of today by their names, and rows of other days that are not written yet. */
  const rows = new Map<string, Row>();
  const unwritten = new Set<Row>();
  const closing = new AbortController();
  let day = -1;
  let from = 0;
  let to = 0;
  let last: Row | null = null;
  let rowsToday = 0;
  let scheduled = false;
  let failures = 0;
  let closed = false;

  function write(): void {
    if (unwritten.size === 0 || closed) return;
    store.add(stored(unwritten));
    for (const row of unwritten) {
      row.tally = emptyTally();
      if (row.day !== day) rows.delete(keyOf(row.day, row));
    }
    unwritten.clear();
    failures = 0;
  }

  /** Writes when it can; what could not be written stays and is tried again. */
  function tryWrite(): boolean {
    try {
      write();
      return true;
    } catch (error) {
      // Once for each time that the file goes away.
      if (failures++ === 0) log.warn('Usage cannot be written down; it is kept in memory.', { err: error });
      return false;
    }
  }

  function schedule(ms: number): void {
    scheduled = true;
    clock.sleep(ms, closing.signal).then(
      () => {
        scheduled = false;
        if (!tryWrite()) schedule(RETRY_MS);
      },
      () => {},
    );
  }

  /** Goes over to the day of `now`, which may lie before the one that was. */
  function turn(now: number): void {
    const isWritten = tryWrite();
    day = dayOf(now);
    from = startOfDay(day);
    to = startOfDay(day + 1);
    last = null;
    for (const [key, row] of rows) if (!unwritten.has(row)) rows.delete(key);
    try {
      recall();
      if (isWritten) forget();
    } catch (error) {
      log.error('Usage of earlier days cannot be read.', { err: error });
    }
  }

  /** What is known of the day and of the periods that it lies in. */
  function recall(): void {
    const begun = budgets.filter((budget) => budget.begin(day));
    names.begin(store.names('agent', day), store.names('model', day));
    rowsToday = store.count(day);
    countStored(begun);
  }

  /** What was recorded of the periods that have begun: by an earlier process, or before the clock was set. */
  function countStored(begun: readonly RunningBudget[]): void {
    if (begun.length === 0) return;
    const unbounded = begun.some((budget) => budget.from === null);
    const first = unbounded ? null : Math.min(...begun.map((budget) => budget.from ?? 0));
    for (const list of [store.rows(first, null), stored(unwritten)])
      for (const row of list) for (const budget of begun) if (budget.holdsRow(row)) budget.addStored(row);
  }

  function forget(): void {
    const oldest = store.oldestOf(retentionDays);
    if (oldest !== null) store.fold(oldest, names.lasting);
  }

  const now = (): number => {
    const time = clock.now();
    if (time < from || time >= to) turn(time);
    return time;
  };

  function rowOf(tenant: string, agent: string, backend: string, model: string): Row {
    if (last?.agent === agent && last.model === model && last.tenant === tenant && last.backend === backend)
      return last;
    let name: RowName = { tenant, agent: names.agent(agent), backend, model: names.model(model) };
    let key = keyOf(day, name);
    let row = rows.get(key);
    if (row === undefined && rowsToday >= MAX_ROWS) {
      name = names.lasting(name);
      key = keyOf(day, name);
      row = rows.get(key);
    }
    if (row === undefined) {
      rowsToday++;
      row = { ...name, day, tally: emptyTally(), budgets: budgets.filter((one) => one.holdsRow(name)) };
      rows.set(key, row);
    }
    last = row;
    return row;
  }

  try {
    day = dayOf(clock.now());
    // A ledger that does not know what was spent holds no budget.
    recall();
  } catch (error) {
    store.close();
    throw error;
  }
  turn(clock.now());

  return {
    record(usage) {
      if (closed) return;
      try {
        now();
        const { tenant, agent, backend, model } = usage;
        const row = rowOf(tenant, agent ?? '', backend, model);
        const price = usage.cost === null ? priceOf(backend, model) : null;
        const amount = addUsage(row.tally, usage, price);
        unwritten.add(row);
        for (const budget of row.budgets) budget.add(amount);
        if (!scheduled) schedule(BATCH_MS);
      } catch (error) {
        log.error('A request could not be counted.', { err: error });
      }
    },
    allowance({ tenant, agent }) {
      const time = now();
      const who = { tenant, agent: agent ?? '' };
      let least: bigint | null = null;
      for (const budget of general) {
        if (!budget.holds(who)) continue;
        if (budget.isSpent) throw budget.refusal(time);
        const { moneyLeft } = budget;
        if (moneyLeft !== null && (least === null || moneyLeft < least)) least = moneyLeft;
      }
      return least === null ? null : moneyOf(least);
    },
    left({ tenant, agent, backend, model }) {
      if (ofPlaces.length === 0) return null;
      now();
      const row = { tenant, agent: agent ?? '', backend, model };
      let least: bigint | null = null;
      for (const budget of ofPlaces) {
        if (!budget.holdsRow(row)) continue;
        if (budget.isSpent) return 0;
        const { moneyLeft } = budget;
        if (moneyLeft !== null && (least === null || moneyLeft < least)) least = moneyLeft;
      }
      return least === null ? null : moneyOf(least);
    },
    spent({ tenant, agent, backend, model }) {
      const time = now();
      const row = { tenant, agent: agent ?? '', backend, model };
      const spent = ofPlaces
        .filter((budget) => budget.holdsRow(row) && budget.isSpent)
        .map((budget) => ({ name: budget.name, until: budget.state().until }))
        .sort((a, b) => (b.until ?? Number.MAX_VALUE) - (a.until ?? Number.MAX_VALUE));
      const last = spent[0];
      if (last === undefined) return null;
      const { until } = last;
      return { ...last, retryAfter: until === null ? null : Math.max(1, Math.ceil((until - time) / 1000)) };
    },
    budgets() {
      now();
      return budgets.map((budget) => budget.state());
    },
    report(query) {
      now();
      write();
      return reportOf(store, query);
    },
    async [Symbol.asyncDispose]() {
      if (closed) return;
      if (!tryWrite()) log.error('Usage is lost: it could not be written down.', { rows: unwritten.size });
      closed = true;
      closing.abort();
      store.close();
    },
  };
}

const keyOf = (day: number, { tenant, agent, backend, model }: RowName): string =>
  `${day}\0${tenant}\0${agent}\0${backend}\0${model}`;

function stored(rows: Iterable<Row>): Iterable<StoredRow> {
  return rows;
}

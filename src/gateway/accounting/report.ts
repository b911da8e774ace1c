/**
 * The ledger's rows as people ask for them.
 *
 * @module gateway/accounting/report
 */
import { existsSync } from 'node:fs';
import { InputError } from '../../base/index.ts';
import { dayName, dayNamed } from './periods.ts';
import { EARLIER, type LedgerStore, openStore } from './store.ts';
import { addTally, emptyTally, sumsOf } from './tally.ts';
import type { Grouping, ReportQuery, UsageReport, UsageRow } from './types.ts';

/** Rows of a report at most. */
export const REPORT_ROWS = 1000;

const COLUMN = { key: 'tenant', agent: 'agent', model: 'model', backend: 'backend', day: 'day' } as const;

/** Throws `InputError` for days that are none. */
export function reportOf(store: LedgerStore, query: ReportQuery): UsageReport {
  const { by } = query;
  const since = dayIn(query.since, 'since');
  const until = dayIn(query.until, 'until');
  if (since !== null && until !== null && since > until)
    throw new InputError(
      'days_reversed',
      `since (${query.since}) is after until (${query.until}): swap them.`,
      {
        param: 'since',
      },
    );
  const total = emptyTally();
  const groups = store.grouped(COLUMN[by], since, until === null ? null : until + 1);
  for (const { tally } of groups) addTally(total, tally);
  if (by === 'day') groups.sort((a, b) => Number(a.name) - Number(b.name));
  else
    groups.sort(
      (a, b) =>
        Number(b.tally.cost - a.tally.cost) ||
        b.tally.requests - a.tally.requests ||
        (a.name < b.name ? -1 : 1),
    );
  // Of days the newest are wanted, of the rest the greatest.
  const shown = by === 'day' ? groups.slice(-REPORT_ROWS) : groups.slice(0, REPORT_ROWS);
  return {
    ...query,
    rows: shown.map(({ name, tally }): UsageRow => ({ name: nameOf(by, name), ...sumsOf(tally) })),
    more: groups.length - shown.length,
    total: sumsOf(total),
  };
}

/** Reads the file of a node that is down; null when there is none yet. */
export function readReport(path: string, query: ReportQuery): UsageReport | null {
  if (!existsSync(path)) return null;
  const store = openStore(path, { readOnly: true });
  try {
    return reportOf(store, query);
  } finally {
    store.close();
  }
}

function nameOf(by: Grouping, name: string | number): string | null {
  if (by === 'day') return name === EARLIER ? null : dayName(Number(name));
  return name === '' ? null : String(name);
}

function dayIn(name: string | null, param: string): number | null {
  if (name === null) return null;
  const day = dayNamed(name);
  if (day === null)
    throw new InputError(
      'invalid_day',
      `${param}: '${name.slice(0, 40)}' is no day; write one as 2026-11-21.`,
      {
        param,
      },
    );
  return day;
}

/**
 * Accounting: usage and cost of answers, and budgets that stop.
 *
 * @module gateway/accounting
 */
export { createLedger, type LedgerOptions } from './ledger.ts';
export { costOf } from './money.ts';
export { dayName, dayNamed } from './periods.ts';
export { REPORT_ROWS, readReport } from './report.ts';
export {
  type Budget,
  type BudgetState,
  GROUPINGS,
  type Grouping,
  type Ledger,
  type Period,
  type Price,
  type ReportQuery,
  type Usage,
  type UsageReport,
  type UsageRow,
  type UsageSums,
} from './types.ts';

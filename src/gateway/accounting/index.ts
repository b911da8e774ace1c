/**
 * Accounting: usage and cost of answers, and budgets that stop.
 *
 * @module gateway/accounting
 */
export type { Ledger, Usage } from './types.ts';

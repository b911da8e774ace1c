/**
 * Ledgers and requests for the tests of accounting.
 *
 * @module gateway/accounting/testing/ledger
 */
import { createManualClock, type LogFields, type Logger, type ManualClock } from '../../../base/index.ts';
import { createLedger, type LedgerOptions } from '../ledger.ts';
import type { Ledger, ReportQuery, Usage } from '../types.ts';

/** Saturday, 21 November 2026, noon in UTC. */
export const NOON = Date.UTC(2026, 10, 21, 12);
export const DAY_MS = 86_400_000;

export function usage(changes: Partial<Usage> = {}): Usage {
  return {
    tenant: 'key-1',
    agent: null,
    backend: 'far',
    model: 'large',
    promptTokens: 10,
    cachedTokens: 4,
    completionTokens: 5,
    cost: 0.25,
    outcome: 'answered',
    ...changes,
  };
}

export interface Line {
  readonly message: string;
  readonly fields: LogFields | undefined;
}

/** A logger that keeps what is said. */
export function listening(): { readonly log: Logger; readonly lines: Line[] } {
  const lines: Line[] = [];
  const say = (message: string, fields?: LogFields) => void lines.push({ message, fields });
  const log = { debug() {}, info() {}, warn: say, error: say, child: () => log } as unknown as Logger;
  return { log, lines };
}

/** A clock whose wall time can be set to anything, as an owner or a time server may. */
export interface SetClock extends ManualClock {
  set(ms: number): void;
}

export function createSetClock(start = NOON): SetClock {
  const clock = createManualClock(0);
  let offset = start;
  return {
    ...clock,
    get sleeping() {
      return clock.sleeping;
    },
    now: () => offset + clock.now(),
    set(ms) {
      offset = ms - clock.now();
    },
  };
}

export interface Bench extends AsyncDisposable {
  readonly ledger: Ledger;
  readonly clock: SetClock;
  readonly lines: Line[];
}

export function open(options: Partial<LedgerOptions> = {}, clock = createSetClock()): Bench {
  const { log, lines } = listening();
  const ledger = createLedger({ path: ':memory:', clock, log, budgets: [], ...options });
  return { ledger, clock, lines, [Symbol.asyncDispose]: () => ledger[Symbol.asyncDispose]() };
}

export const everything = (by: ReportQuery['by']): ReportQuery => ({ by, since: null, until: null });

/**
 * Records requests in the ledger at the path given: a thousand, and when those are on disk, a hundred more that no batch
 * writes, since it never gives way again. Says when it is there, and waits to be killed.
 *
 * @module gateway/accounting/testing/spender
 */
import { writeSync } from 'node:fs';
import { silentLogger, systemClock } from '../../../base/index.ts';
import { createLedger, readReport } from '../index.ts';
import { everything, usage } from './ledger.ts';

const path = process.argv[2]!;
const ledger = createLedger({ path, clock: systemClock, log: silentLogger, budgets: [] });
const written = () => readReport(path, everything('key'))!.total.requests;

const before = written();
for (let i = 0; i < 1000; i++) ledger.record(usage({ agent: `agent-${i % 7}`, cost: 0.001 }));
while (written() < before + 1000) await systemClock.sleep(10);
for (let i = 0; i < 100; i++) ledger.record(usage({ cost: 0.001 }));
writeSync(1, 'there\n');
for (;;);

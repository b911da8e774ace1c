import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { systemClock } from '../../base/index.ts';
import { createLedger, readReport } from './index.ts';
import { everything, listening, usage } from './testing/ledger.ts';

const folder = mkdtempSync(join(tmpdir(), 'kith-killed-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('a process that is killed loses what it counted since the last batch, and nothing else', {
  timeout: 60_000,
}, async () => {
  const spender = new URL('./testing/spender.ts', import.meta.url);
  const path = join(folder, 'usage.sqlite');
  for (const round of [1, 2]) {
    const child = spawn(process.execPath, [spender.pathname, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    const exit = once(child, 'exit');
    for await (const _ of child.stdout) child.kill('SIGKILL');
    assert.deepEqual(await exit, [null, 'SIGKILL']);
    const database = new DatabaseSync(path);
    assert.deepEqual({ ...database.prepare('PRAGMA integrity_check').get() }, { integrity_check: 'ok' });
    database.close();
    const { total, rows } = readReport(path, everything('agent'))!;
    assert.deepEqual([total.requests, total.cost, rows.length], [round * 1000, round, 7]);
  }
  const ledger = createLedger({ path, clock: systemClock, log: listening().log, budgets: [] });
  ledger.record(usage({ cost: 0 }));
  assert.equal(ledger.report(everything('key')).total.requests, 2001);
  await ledger[Symbol.asyncDispose]();
});

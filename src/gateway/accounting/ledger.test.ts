import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { InputError, openDatabase } from '../../base/index.ts';
import { REPORT_ROWS, readReport } from './index.ts';
import { createSetClock, DAY_MS, everything, NOON, open, usage } from './testing/ledger.ts';
import type { ReportQuery } from './types.ts';

const folder = mkdtempSync(join(tmpdir(), 'kith-ledger-'));
after(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const file = () => join(folder, `${files++}`, 'usage.sqlite');

test('a report tells what each key, agent, model, backend and day used and cost', async () => {
  await using bench = open();
  const { ledger, clock } = bench;
  ledger.record(usage());
  ledger.record(usage({ agent: 'writer', model: 'small', cost: 0.5 }));
  ledger.record(usage({ tenant: 'local', backend: 'local', model: 'tiny', cost: 0 }));
  clock.set(NOON + DAY_MS);
  ledger.record(usage({ cost: null }));
  const rows = (by: ReportQuery['by'], since: string | null = null, until: string | null = null) =>
    ledger.report({ by, since, until }).rows.map(({ name, requests, cost }) => [name, requests, cost]);
  assert.deepEqual(rows('key'), [
    ['key-1', 3, 0.75],
    ['local', 1, 0],
  ]);
  assert.deepEqual(rows('agent'), [
    ['writer', 1, 0.5],
    [null, 3, 0.25],
  ]);
  assert.deepEqual(rows('model'), [
    ['small', 1, 0.5],
    ['large', 2, 0.25],
    ['tiny', 1, 0],
  ]);
  assert.deepEqual(rows('backend'), [
    ['far', 3, 0.75],
    ['local', 1, 0],
  ]);
  assert.deepEqual(rows('day'), [
    ['2026-11-21', 3, 0.75],
    ['2026-11-22', 1, 0],
  ]);
  assert.deepEqual(rows('key', '2026-11-22'), [['key-1', 1, 0]]);
  assert.deepEqual(rows('key', null, '2026-11-21'), [
    ['key-1', 2, 0.75],
    ['local', 1, 0],
  ]);
  assert.deepEqual(rows('key', '2026-11-23', '2026-11-30'), []);
});

test('what is unknown is counted as such and added as nothing', async () => {
  await using bench = open();
  const { ledger } = bench;
  ledger.record(usage({ promptTokens: null, completionTokens: null, cachedTokens: null, cost: null }));
  ledger.record(usage({ completionTokens: null, outcome: 'failed' }));
  ledger.record(usage({ outcome: 'left', cost: Number.NaN, promptTokens: -3 }));
  ledger.record(usage({ cost: 1e300, promptTokens: 1e300, cachedTokens: 0, completionTokens: 0 }));
  ledger.record(usage({ outcome: 'kept', promptTokens: 0, cachedTokens: 0, completionTokens: 0, cost: 0 }));
  const { total } = ledger.report(everything('key'));
  assert.deepEqual(total, {
    ...{ requests: 5, answered: 2, failed: 1, left: 1, kept: 1 },
    ...{ promptTokens: 1e8 + 10, cachedTokens: 8, completionTokens: 5 },
    ...{ uncounted: 3, cost: 0.25, unpriced: 3 },
  });
});

test('requests that come without their cost have it by the prices of the ledger', async () => {
  const priceOf = (backend: string) =>
    backend === 'far'
      ? { prompt: 2, completion: 10, cached: 0.5 }
      : backend === 'own'
        ? { prompt: 0, completion: 0 }
        : null;
  await using bench = open({ priceOf });
  const { ledger } = bench;
  ledger.record(usage({ cost: null }));
  ledger.record(usage({ cost: null, backend: 'own', promptTokens: null, completionTokens: null }));
  ledger.record(usage({ cost: null, backend: 'else' }));
  const rows = ledger
    .report(everything('backend'))
    .rows.map(({ name, cost, unpriced }) => [name, cost, unpriced]);
  assert.deepEqual(rows, [
    ['far', 0.000_064, 0],
    ['else', 0, 1],
    ['own', 0, 0],
  ]);
});

test('days that are none are refused, and what is asked for is said', async () => {
  await using bench = open();
  const { ledger } = bench;
  const refused = (since: string | null, until: string | null, code: string) =>
    assert.throws(
      () => ledger.report({ by: 'key', since, until }),
      (error: unknown) => error instanceof InputError && error.code === code,
    );
  refused('yesterday', null, 'invalid_day');
  refused(null, '2026-02-30', 'invalid_day');
  refused('1969-12-31', null, 'invalid_day');
  refused('2026-11-22', '2026-11-21', 'days_reversed');
});

test('what was counted is on disk after a quarter of a second, and after the end', async () => {
  const path = file();
  const bench = open({ path });
  const requests = () => readReport(path, everything('key'))!.total.requests;
  bench.ledger.record(usage());
  bench.ledger.record(usage());
  assert.equal(requests(), 0, 'in memory');
  await bench.clock.advance(249);
  assert.equal(requests(), 0, 'the batch is open');
  await bench.clock.advance(1);
  assert.equal(requests(), 2);
  bench.ledger.record(usage());
  assert.equal(bench.ledger.report(everything('key')).total.requests, 3, 'a report waits for no batch');
  bench.ledger.record(usage());
  await bench.ledger[Symbol.asyncDispose]();
  assert.equal(requests(), 4);
  bench.ledger.record(usage());
  await bench.ledger[Symbol.asyncDispose]();

  await using again = open({ path });
  again.ledger.record(usage());
  assert.equal(again.ledger.report(everything('day')).total.requests, 5);
  assert.equal(readReport(join(folder, 'none.sqlite'), everything('key')), null);
});

test('a clock that is set back loses nothing, and budgets know what its days had', async () => {
  const path = file();
  const budgets = [{ per: 'day', tokens: 100 }] as const;
  await using bench = open({ path, budgets });
  const { ledger, clock } = bench;
  const spent = () => ledger.budgets()[0]!.tokens!.spent;
  ledger.record(usage());
  clock.set(NOON + DAY_MS);
  assert.equal(spent(), 0);
  ledger.record(usage());
  ledger.record(usage());
  clock.set(NOON);
  assert.equal(spent(), 15);
  ledger.record(usage());
  clock.set(NOON + DAY_MS);
  assert.equal(spent(), 30);
  clock.set(-5);
  ledger.record(usage());
  const days = ledger.report(everything('day')).rows.map(({ name, requests }) => [name, requests]);
  assert.deepEqual(days, [
    ['1970-01-01', 1],
    ['2026-11-21', 2],
    ['2026-11-22', 2],
  ]);
});

test('a clock that runs years ahead for a while takes no day away', async () => {
  await using bench = open();
  const { ledger, clock } = bench;
  for (let day = 0; day < 50; day++) {
    clock.set(NOON + day * DAY_MS);
    ledger.record(usage());
  }
  clock.set(Date.UTC(2099, 0, 1));
  ledger.record(usage());
  clock.set(NOON + 50 * DAY_MS);
  assert.equal(ledger.report(everything('day')).rows.length, 51);
});

test('the newest days are told apart, older ones are one row, and no sum changes', async () => {
  await using bench = open({ retentionDays: 1, budgets: [{ per: 'all', agent: 'writer', money: 1e6 }] });
  const { ledger, clock } = bench;
  for (let day = 0; day < 40; day++) {
    clock.set(NOON + day * DAY_MS);
    ledger.record(usage());
    ledger.record(usage({ agent: 'writer' }));
    ledger.record(usage({ agent: `agent-${day}` }));
  }
  clock.set(NOON + 40 * DAY_MS);
  const days = ledger.report(everything('day'));
  // Budgets of a month need 32 days, however few are asked for.
  assert.deepEqual([days.rows.length, days.rows[0]!.name, days.rows[0]!.requests], [33, null, 24]);
  assert.equal(days.rows[1]!.name, '2026-11-29');
  assert.equal(days.total.requests, 120);
  assert.equal(days.total.cost, 30);
  const agents = new Map(
    ledger.report(everything('agent')).rows.map(({ name, requests }) => [name, requests]),
  );
  assert.deepEqual([agents.get('writer'), agents.get(null), agents.get('other')], [40, 40, 8]);
  assert.equal(ledger.budgets()[0]!.money!.spent, 10);
  const since = ledger.report({ by: 'key', since: '2026-11-21', until: null });
  assert.equal(since.total.requests, 96, 'days that are no longer told apart belong to no day');
});

test('names beyond the bound of a day are counted as other, but those that a budget names', async () => {
  const path = file();
  const options = { path, maxNames: 3, budgets: [{ per: 'day', agent: 'mine', tokens: 1e9 }] } as const;
  const count = (bench: ReturnType<typeof open>, from: number, to: number) => {
    for (let i = from; i < to; i++) bench.ledger.record(usage({ agent: `a${i}`, model: `m${i}` }));
    bench.ledger.record(usage({ agent: 'mine' }));
  };
  const bench = open(options);
  count(bench, 0, 10);
  const names = (by: ReportQuery['by']) =>
    bench.ledger.report(everything(by)).rows.map(({ name, requests }) => [name, requests]);
  assert.deepEqual(names('agent'), [['other', 7], ...['a0', 'a1', 'a2', 'mine'].map((name) => [name, 1])]);
  await bench.ledger[Symbol.asyncDispose]();
  // The day goes on with the names that it has.
  await using again = open(options, bench.clock);
  count(again, 100, 110);
  assert.equal(again.ledger.report(everything('agent')).rows.length, 5);
  assert.equal(again.ledger.budgets()[0]!.tokens!.spent, 30);
  // Another day has its own.
  bench.clock.set(NOON + DAY_MS);
  count(again, 200, 202);
  assert.equal(again.ledger.report(everything('agent')).rows.length, 7);
});

test('a day has a bounded number of rows, whatever is asked', async () => {
  await using bench = open();
  const { ledger } = bench;
  for (let i = 0; i < 6000; i++)
    ledger.record(usage({ agent: `a${i % 200}`, model: `m${Math.floor(i / 200)}` }));
  const { rows, total } = ledger.report(everything('agent'));
  assert.equal(total.requests, 6000);
  assert.equal(rows.find(({ name }) => name === 'other')!.requests, 1000);
});

test('a report has a bounded number of rows, the greatest, and its total is whole', async () => {
  await using bench = open();
  const { ledger } = bench;
  for (let i = 0; i < REPORT_ROWS + 5; i++) ledger.record(usage({ tenant: `key-${i}`, cost: i }));
  const { rows, more, total } = ledger.report(everything('key'));
  assert.deepEqual([rows.length, more, total.requests], [REPORT_ROWS, 5, REPORT_ROWS + 5]);
  assert.equal(rows[0]!.name, `key-${REPORT_ROWS + 4}`);
});

test('while the file cannot be written nothing is lost, and it is said once', async () => {
  const path = file();
  await using bench = open({ path });
  const { ledger, clock, lines } = bench;
  ledger.record(usage());
  const other = openDatabase(path, { migrations: [{ name: 'usage', up: '' }], busyTimeoutMs: 0 });
  other.exec('BEGIN IMMEDIATE');
  await clock.advance(250);
  clock.set(NOON + DAY_MS);
  ledger.record(usage());
  await clock.advance(5000);
  assert.deepEqual(
    lines.map(({ message }) => message),
    ['Usage cannot be written down; it is kept in memory.'],
  );
  other.exec('ROLLBACK');
  other.close();
  await clock.advance(5000);
  const days = readReport(path, everything('day'))!.rows.map(({ name, requests }) => [name, requests]);
  assert.deepEqual(days, [
    ['2026-11-21', 1],
    ['2026-11-22', 1],
  ]);
});

test('another process may read while the node writes', async () => {
  const path = file();
  await using bench = open({ path }, createSetClock());
  bench.ledger.record(usage());
  await bench.clock.advance(250);
  assert.equal(readReport(path, everything('backend'))!.total.cost, 0.25);
});

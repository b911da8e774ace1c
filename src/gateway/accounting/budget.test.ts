import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { InputError, KithError } from '../../base/index.ts';
import { DAY_MS, NOON, open, usage } from './testing/ledger.ts';
import type { Budget, Ledger } from './types.ts';

const folder = mkdtempSync(join(tmpdir(), 'kith-budget-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const who = (tenant = 'key-1', agent: string | null = null) => ({ tenant, agent });
/** Seconds until it may be asked again; null: it never may. */
function refusal(ledger: Ledger, asked = who()): KithError {
  try {
    ledger.allowance(asked);
  } catch (error) {
    assert.ok(error instanceof KithError);
    assert.deepEqual([error.code, error.status], ['budget_exceeded', 429]);
    return error;
  }
  throw new assert.AssertionError({ message: 'nothing was refused' });
}

test('what is left of a budget of money is told until it is spent, and then requests are refused', async () => {
  await using bench = open({ budgets: [{ key: 'key-1', money: 1, per: 'day' }] });
  const { ledger } = bench;
  assert.equal(ledger.allowance(who()), 1);
  assert.equal(ledger.allowance(who('key-2')), null);
  ledger.record(usage({ cost: 0.3 }));
  ledger.record(usage({ cost: 5, tenant: 'key-2' }));
  assert.equal(ledger.allowance(who()), 0.7);
  // The last request may cost more than is left.
  ledger.record(usage({ cost: 0.9 }));
  const { retryAfter, message } = refusal(ledger);
  assert.equal(retryAfter, 12 * 3600);
  assert.match(message, /'key key-1 per day' is spent. It begins anew at 2026-11-22T00:00Z\./);
  assert.doesNotMatch(message, /1\.2/, 'what was spent is the business of the owner');
  assert.equal(ledger.allowance(who('key-2')), null);
});

test('a budget of tokens is spent by prompts and answers together', async () => {
  await using bench = open({ budgets: [{ agent: 'writer', tokens: 30, per: 'day' }] });
  const { ledger } = bench;
  ledger.record(usage({ agent: 'writer' }));
  ledger.record(usage({ agent: 'reader' }));
  assert.equal(ledger.allowance(who('key-1', 'writer')), null, 'it bounds no money');
  ledger.record(usage({ agent: 'writer' }));
  refusal(ledger, who('key-1', 'writer'));
  assert.equal(ledger.allowance(who('key-1', 'reader')), null);
});

test('the tightest of several budgets holds, and a spent one stops whatever the others have left', async () => {
  const budgets: Budget[] = [
    { money: 10, per: 'month' },
    { key: 'key-1', money: 3, per: 'week' },
    { key: 'key-1', agent: 'writer', tokens: 15, per: 'day' },
  ];
  await using bench = open({ budgets });
  const { ledger } = bench;
  assert.deepEqual([ledger.allowance(who()), ledger.allowance(who('key-2'))], [3, 10]);
  ledger.record(usage({ cost: 1, agent: 'writer' }));
  assert.deepEqual([ledger.allowance(who()), ledger.allowance(who('key-2'))], [2, 9]);
  refusal(ledger, who('key-1', 'writer'));
});

test('each period begins anew at its own time in UTC', async () => {
  // 21 November 2026 is a Saturday.
  const cases = [
    ['day', Date.UTC(2026, 10, 22)],
    ['week', Date.UTC(2026, 10, 23)],
    ['month', Date.UTC(2026, 11, 1)],
  ] as const;
  for (const [per, end] of cases) {
    await using bench = open({ budgets: [{ money: 1, per }] });
    const { ledger, clock } = bench;
    ledger.record(usage({ cost: 1 }));
    assert.equal(refusal(ledger).retryAfter, (end - NOON) / 1000, per);
    clock.set(end - 1);
    assert.equal(refusal(ledger).retryAfter, 1, per);
    assert.equal(ledger.budgets()[0]!.until, end);
    clock.set(end);
    assert.equal(ledger.allowance(who()), 1, per);
  }
  await using bench = open({ budgets: [{ money: 1, per: 'all' }] });
  bench.ledger.record(usage({ cost: 1 }));
  bench.clock.set(NOON + 3000 * DAY_MS);
  const { retryAfter, message } = refusal(bench.ledger);
  assert.equal(retryAfter, undefined);
  assert.match(message, /'all in all' is spent\. The owner/);
});

test('a budget that names a backend or a model keeps requests from there and nowhere else', async () => {
  const budgets: Budget[] = [
    { backend: 'far', money: 1, per: 'day' },
    { backend: 'far', model: 'large', tokens: 20, per: 'day' },
  ];
  await using bench = open({ budgets });
  const { ledger } = bench;
  const left = (backend: string, model: string) => ledger.left({ ...who(), backend, model });
  assert.deepEqual([left('far', 'large'), left('near', 'large')], [1, null]);
  ledger.record(usage());
  assert.deepEqual([left('far', 'large'), left('far', 'small')], [0.75, 0.75]);
  ledger.record(usage());
  assert.deepEqual([left('far', 'large'), left('far', 'small')], [0, 0.5]);
  ledger.record(usage({ model: 'small', cost: 2 }));
  assert.deepEqual([left('far', 'small'), left('near', 'small')], [0, null]);
  assert.equal(ledger.allowance(who()), null);
});

test('a node that starts again knows what was spent of the periods that run', async () => {
  const path = join(folder, 'usage.sqlite');
  const budgets: Budget[] = (['day', 'week', 'month', 'all'] as const).map((per) => ({ money: 100, per }));
  const bench = open({ path, budgets });
  // 19 October, 9, 16 and 21 November: in all, in the month, in the week, today.
  for (const days of [33, 12, 5, 0]) {
    bench.clock.set(NOON - days * DAY_MS);
    bench.ledger.record(usage({ cost: 1 }));
  }
  const spent = (ledger: Ledger) => ledger.budgets().map(({ money }) => money!.spent);
  assert.deepEqual(spent(bench.ledger), [1, 2, 3, 4]);
  await bench.ledger[Symbol.asyncDispose]();
  await using again = open({ path, budgets }, bench.clock);
  assert.deepEqual(spent(again.ledger), [1, 2, 3, 4]);
  again.ledger.record(usage({ cost: 1 }));
  assert.deepEqual(spent(again.ledger), [2, 3, 4, 5]);
});

test('the log warns once at 80 percent and once when a budget is spent, in each period', async () => {
  await using bench = open({ budgets: [{ name: 'house', money: 1, per: 'day' }] });
  const { ledger, clock, lines } = bench;
  const said = () => lines.splice(0).map(({ message, fields }) => [message, fields?.budget, fields?.percent]);
  ledger.record(usage({ cost: 0.79 }));
  assert.deepEqual(said(), []);
  for (const cost of [0.01, 0.01]) ledger.record(usage({ cost }));
  assert.deepEqual(said(), [['A budget is nearly spent.', 'house', 80]]);
  for (const cost of [0.2, 0.2]) ledger.record(usage({ cost }));
  assert.deepEqual(said(), [['A budget is spent: its requests are refused.', 'house', 101]]);
  clock.set(NOON + DAY_MS);
  ledger.record(usage({ cost: 2 }));
  assert.deepEqual(said(), [['A budget is spent: its requests are refused.', 'house', 200]]);
});

test('requests that a budget cannot hold are counted beside it and told once', async () => {
  const budgets: Budget[] = [
    { name: 'money', money: 1, per: 'day' },
    { name: 'tokens', tokens: 100, per: 'day' },
  ];
  await using bench = open({ budgets });
  const { ledger, lines } = bench;
  for (let i = 0; i < 3; i++) ledger.record(usage({ cost: null, completionTokens: null }));
  assert.deepEqual(
    lines.map(({ message, fields }) => [message, fields?.budget]),
    [
      ['A budget of money does not hold requests of unknown price.', 'money'],
      ['A budget of tokens does not hold requests whose tokens are unknown.', 'tokens'],
    ],
  );
  assert.deepEqual(
    ledger.budgets().map(({ unpriced, uncounted }) => [unpriced, uncounted]),
    [
      [3, 3],
      [3, 3],
    ],
  );
  assert.equal(ledger.allowance(who()), 1);
});

test('a budget of nothing lets nothing through, and one without a limit is refused', async () => {
  await using bench = open({ budgets: [{ key: 'guest', tokens: 0, per: 'day' }] });
  refusal(bench.ledger, who('guest'));
  assert.throws(() => open({ budgets: [{ per: 'day' }] }), InputError);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { costOf, moneyOf, nanoOf } from './money.ts';
import { everything, open, usage } from './testing/ledger.ts';

const tokens = fc.nat(2_000_000);
/** As price lists have them: up to four digits after the point. */
const price = fc.nat(1_000_000).map((parts) => parts / 10_000);

test('a sum of costs is exact, whatever their number, order and batches', async () => {
  const request = fc.record({
    prompt: tokens,
    completion: tokens,
    promptPrice: price,
    completionPrice: price,
  });
  await fc.assert(
    fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 60 }), fc.nat(), async (requests, cut) => {
      await using bench = open();
      let exact = 0n;
      for (const [index, one] of requests.entries()) {
        const counts = { promptTokens: one.prompt, cachedTokens: null, completionTokens: one.completion };
        const cost = costOf(counts, { prompt: one.promptPrice, completion: one.completionPrice })!;
        // Tokens × ten-thousandths of a unit for a million, in tenths of a billionth.
        const parts =
          BigInt(one.prompt) * BigInt(Math.round(one.promptPrice * 1e4)) +
          BigInt(one.completion) * BigInt(Math.round(one.completionPrice * 1e4));
        const nano = (parts + 5n) / 10n;
        assert.equal(nanoOf(cost), nano);
        exact += nano;
        bench.ledger.record(usage({ ...counts, cost }));
        if (index === cut % requests.length) await bench.clock.advance(300);
      }
      const { total, rows } = bench.ledger.report(everything('model'));
      assert.equal(nanoOf(total.cost), exact);
      assert.equal(nanoOf(rows[0]!.cost), exact);
    }),
    { numRuns: 40 },
  );
});

test('money goes to billionths and back unchanged', () => {
  fc.assert(
    fc.property(fc.nat(1e6), fc.nat(999_999_999), (units, nanos) => {
      const nano = BigInt(units) * 1_000_000_000n + BigInt(nanos);
      assert.equal(nanoOf(moneyOf(nano)), nano);
    }),
  );
  assert.equal(moneyOf(nanoOf(1e15)), 1e15);
  assert.equal(moneyOf(10n ** 24n), 1e15);
});

test('a million small requests cost what one large one does', async () => {
  await using bench = open();
  const small = { promptTokens: 5, cachedTokens: 0, completionTokens: 0 };
  const rate = { prompt: 0.02, completion: 0 };
  // A tenth of a millionth each: rounded to millionths it would be nothing.
  const cost = costOf(small, rate);
  assert.equal(cost, 1e-7);
  for (let i = 0; i < 100_000; i++) bench.ledger.record(usage({ ...small, cost }));
  const large = costOf({ ...small, promptTokens: 500_000 }, rate);
  assert.equal(bench.ledger.report(everything('key')).total.cost, large);
});

test('cached tokens cost their own price where there is one, and never more tokens than the prompt has', () => {
  const counts = { promptTokens: 1000, cachedTokens: 400, completionTokens: 100 };
  assert.equal(costOf(counts, { prompt: 1, completion: 2 }), 0.0012);
  assert.equal(costOf(counts, { prompt: 1, completion: 2, cached: 0.1 }), 0.000_84);
  assert.equal(costOf({ ...counts, cachedTokens: null }, { prompt: 1, completion: 2, cached: 0.1 }), 0.0012);
  assert.equal(costOf({ ...counts, cachedTokens: 9000 }, { prompt: 1, completion: 0, cached: 0.5 }), 0.0005);
});

test('a cost that cannot be known is unknown, and what is free is free uncounted', () => {
  const unknown = { promptTokens: null, cachedTokens: null, completionTokens: null };
  assert.equal(costOf({ ...unknown, promptTokens: 1 }, null), null);
  assert.equal(costOf(unknown, { prompt: 1, completion: 1 }), null);
  assert.equal(costOf({ ...unknown, promptTokens: 5 }, { prompt: 1, completion: 1 }), null);
  assert.equal(costOf({ ...unknown, completionTokens: 5 }, { prompt: 1, completion: 1 }), null);
  assert.equal(costOf({ ...unknown, promptTokens: 1e6 }, { prompt: 1, completion: 0 }), 1);
  assert.equal(costOf(unknown, { prompt: 0, completion: 0 }), 0);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../test/property.ts';
import { Histogram, isExactBound, RecentHistogram } from './histogram.ts';

const positive = fc.double({ min: 0.02, max: 4_000_000, noNaN: true });

test('a quantile is within one bucket, 6.25 %, of the true one', () => {
  fc.assert(
    fc.property(
      fc.array(positive, { minLength: 1, maxLength: 200 }),
      fc.constantFrom(0.5, 0.95, 0.99, 1),
      (values, q) => {
        const histogram = new Histogram();
        for (const value of values) histogram.observe(value);
        const sorted = [...values].sort((a, b) => a - b);
        const exact = sorted[Math.max(0, Math.ceil(q * sorted.length - 1e-9) - 1)]!;
        const found = histogram.quantile(q)!;
        assert.ok(Math.abs(found - exact) <= exact * 0.0626, `${q}: ${found} for ${exact}`);
      },
    ),
  );
});

test('cumulative counts at powers of two are exact, bounds included', () => {
  const bounds = [0.015625, 0.5, 1, 2, 8, 1024, 4194304];
  assert.ok(bounds.every(isExactBound));
  assert.ok(!isExactBound(3) && !isExactBound(2 ** 23));
  const value = fc.oneof(positive, fc.constantFrom(...bounds), fc.constantFrom(0, -1, 1e9));
  fc.assert(
    fc.property(fc.array(value, { maxLength: 100 }), (values) => {
      const histogram = new Histogram();
      for (const each of values) histogram.observe(each);
      assert.deepEqual(
        histogram.cumulative(bounds).slice(0, -1),
        bounds.slice(0, -1).map((bound) => values.filter((each) => each <= bound).length),
      );
      assert.equal(histogram.count, values.length);
    }),
  );
});

test('merged histograms have the quantiles of all their numbers', () => {
  fc.assert(
    fc.property(fc.array(positive, { minLength: 1 }), fc.array(positive), (left, right) => {
      const [a, b, both] = [new Histogram(), new Histogram(), new Histogram()];
      for (const value of left) a.observe(value);
      for (const value of right) b.observe(value);
      for (const value of [...left, ...right]) both.observe(value);
      a.add(b);
      assert.deepEqual(a.counts, both.counts);
      assert.equal(a.quantile(0.95), both.quantile(0.95));
    }),
  );
});

test('an empty histogram has no quantile, and zero is a number like others', () => {
  const histogram = new Histogram();
  assert.equal(histogram.quantile(0.5), null);
  histogram.observe(0);
  assert.equal(histogram.quantile(0.5), 0);
});

test('the recent part holds what was observed within the window, whatever pauses there were', () => {
  const windowMs = 300_000;
  const gap = fc.oneof(fc.integer({ min: 0, max: 20_000 }), fc.integer({ min: 0, max: 700_000 }));
  fc.assert(
    fc.property(fc.array(gap, { maxLength: 60 }), (gaps) => {
      const recent = new RecentHistogram(windowMs);
      const times: number[] = [];
      let now = 0;
      for (const pause of gaps) {
        now += pause;
        times.push(now);
        recent.observe(5, now);
      }
      now += gaps.at(-1) ?? 0;
      const window = new Histogram();
      recent.addRecent(window, now);
      const oldest = (Math.floor(now / 30_000) - 9) * 30_000;
      assert.equal(window.count, times.filter((time) => time >= oldest).length);
      assert.equal(recent.total.count, times.length);
    }),
  );
});

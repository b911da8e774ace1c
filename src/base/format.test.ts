import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatByteRate,
  formatBytes,
  formatCount,
  formatDuration,
  formatPercent,
  formatPlural,
  formatRate,
} from './format.ts';

test('bytes have decimal units and three digits', () => {
  const cases: [number | null, string][] = [
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.00 kB'],
    [1536, '1.54 kB'],
    [999_499, '999 kB'],
    [999_500, '1.00 MB'],
    [322_600_000, '323 MB'],
    [8_589_934_592, '8.59 GB'],
    [-1500, '-1.50 kB'],
    [1e20, '100000 PB'],
    [null, 'unknown'],
    [Number.NaN, 'unknown'],
  ];
  for (const [bytes, text] of cases) assert.equal(formatBytes(bytes), text);
});

test('durations use the two units that matter', () => {
  const cases: [number | null, string][] = [
    [0, '0 ms'],
    [0.44, '0.4 ms'],
    [850.4, '850 ms'],
    [999.6, '1.00 s'],
    [12_345, '12.3 s'],
    [59_949, '59.9 s'],
    [59_960, '1 min 00 s'],
    [125_000, '2 min 05 s'],
    [3_599_600, '1 h 00 min'],
    [11_040_000, '3 h 04 min'],
    [183_600_000, '2 d 03 h'],
    [-1000, '-1.00 s'],
    [null, 'unknown'],
  ];
  for (const [ms, text] of cases) assert.equal(formatDuration(ms), text);
});

test('rates, counts and shares', () => {
  assert.equal(formatRate(22.94, 'tok'), '22.9 tok/s');
  assert.equal(formatRate(12_345.6, 'tok'), '12,346 tok/s');
  assert.equal(formatRate(null, 'tok'), 'unknown');
  assert.equal(formatByteRate(3_400_000), '3.40 MB/s');
  assert.equal(formatByteRate(null), 'unknown');
  assert.equal(formatCount(1_234_567), '1,234,567');
  assert.equal(formatCount(-1234.5678), '-1,234.5678');
  assert.equal(formatPercent(0.342), '34 %');
  assert.equal(formatPercent(0.0125), '1.3 %');
});

test('counted things are one or many', () => {
  assert.equal(formatPlural(1, 'time'), '1 time');
  assert.equal(formatPlural(0, 'time'), '0 times');
  assert.equal(formatPlural(1200, 'reply', 'replies'), '1,200 replies');
});

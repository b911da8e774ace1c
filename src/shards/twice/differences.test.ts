/** When rows that were computed twice are looked into. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Differences } from './differences.ts';

const WIDTH = 4;
const rows = (...values: number[]) => Float32Array.from(values.flatMap((value) => Array(WIDTH).fill(value)));

test('equal rows are right, and the first that differs is looked into', () => {
  const differences = new Differences();
  assert.equal(differences.take(rows(1, 2), rows(1, 2), WIDTH), null);
  assert.equal(differences.take(rows(1, 2, 3), rows(1, 2.0002, 3.003), WIDTH), 2);
});

test('where one row does not show who is right it is asked again of sixteen, and of more and more', () => {
  const differences = new Differences();
  const asked: number[] = [];
  for (let i = 1; i <= 300; i++)
    if (differences.take(rows(1), rows(1.01), WIDTH) !== null) {
      asked.push(i);
      differences.judged(false);
    }
  assert.deepEqual(asked, [1, 16, 64, 256]);
});

test('what was found right is let pass from there on, and what lies farther apart is not', () => {
  const differences = new Differences();
  for (let i = 1; i <= 16; i++)
    if (differences.take(rows(1), rows(1.01), WIDTH) !== null) differences.judged(true);
  assert.ok(differences.tolerance > 0.014 && differences.tolerance < 0.016);
  assert.equal(differences.take(rows(1), rows(1.012), WIDTH), null);
  for (let i = 1; i < 64; i++) assert.equal(differences.take(rows(1), rows(1.03), WIDTH), null);
  assert.equal(differences.take(rows(1), rows(1.03), WIDTH), 0);
});

test('rows that lie far apart are looked into at once, whatever was found before', () => {
  const differences = new Differences();
  differences.take(rows(1), rows(1.01), WIDTH);
  differences.judged(false);
  assert.equal(differences.take(rows(1, 1), rows(1.01, 1.5), WIDTH), 1);
});

test('when somebody was found wrong the next difference is looked into at once again', () => {
  const differences = new Differences();
  differences.take(rows(1), rows(1.01), WIDTH);
  differences.found();
  assert.equal(differences.take(rows(1), rows(1.01), WIDTH), 0);
});

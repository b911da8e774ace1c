import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AttemptRecord } from '../../gateway/index.ts';
import { AttemptFigures } from './attempts.ts';

const attempt = (backend: string, outcome: AttemptRecord['outcome'], kind: AttemptRecord['kind'] = null) => ({
  backend,
  model: 'm',
  reason: 'first choice' as const,
  outcome,
  code: null,
  kind,
  waitMs: 0,
  firstTokenMs: null,
  ms: 1,
});

test('attempts are counted by backend, outcome and class of error', () => {
  const figures = new AttemptFigures(300_000);
  figures.observe([attempt('a', 'failed', 'rate_limited'), attempt('b', 'answered')], 0);
  figures.observe([attempt('a', 'failed', 'rate_limited'), attempt('a', 'failed', 'silent')], 0);
  assert.deepEqual(
    [...figures.sets].map(({ backend, outcome, error, count }) => [backend, outcome, error, count]),
    [
      ['a', 'failed', 'rate_limited', 2],
      ['b', 'answered', 'none', 1],
      ['a', 'failed', 'silent', 1],
    ],
  );
});

test('a thousand backends take no more room than their bound', () => {
  const figures = new AttemptFigures(300_000);
  for (let i = 0; i < 1000; i++) figures.observe([attempt(`b${i}`, 'answered')], 0);
  const sets = [...figures.sets];
  assert.equal(sets.length, 101);
  assert.equal(sets.find(({ backend }) => backend === 'other')?.count, 900);
});

test('attempts of the window alone are recent, most first, and no more than were asked for', () => {
  const figures = new AttemptFigures(300_000);
  figures.observe([attempt('old', 'failed', 'silent')], 0);
  figures.observe([attempt('a', 'failed', 'rate_limited'), attempt('b', 'answered')], 200_000);
  figures.observe([attempt('b', 'answered')], 400_000);
  assert.deepEqual(figures.recent(400_000, 100), [
    { backend: 'b', outcome: 'answered', error: 'none', count: 2 },
    { backend: 'a', outcome: 'failed', error: 'rate_limited', count: 1 },
  ]);
  assert.equal(figures.recent(400_000, 1).length, 1);
  assert.deepEqual(figures.recent(900_000, 100), []);
});

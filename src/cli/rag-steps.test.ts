import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StepView } from '../server/index.ts';
import { stepFigures, stepsOf } from './rag-steps.ts';

test('options ask for steps, for none, or leave it to the settings', () => {
  assert.deepEqual(stepsOf({ expand: true }), {});
  assert.deepEqual(stepsOf({ expand: true, multiQuery: true, hyde: true, rerank: 'listwise', budget: 500 }), {
    ...{ expand: ['hyde', 'multi-query'], rerank: 'listwise', budgetMs: 500 },
  });
  assert.deepEqual(stepsOf({ expand: false, rerank: 'none' }), { expand: [], rerank: 'none' });
  assert.throws(() => stepsOf({ expand: false, hyde: true }), /--no-expand/u);
});

test('figures count what was done, and what was left out by its reason', () => {
  const step = (name: string, code: StepView['code'], ms: number): StepView => ({
    ...{ name, code, ms, status: code === null ? 'used' : 'skipped', reason: code },
    ...{ model: code === 'nobody' ? null : 'tiny', writer: null },
  });
  const all = [
    ...[step('hyde', null, 10), step('hyde', null, 30), step('hyde', 'late', 99)],
    step('listwise', 'nobody', 0),
  ];
  assert.deepEqual(stepFigures(all), [
    { name: 'hyde', used: 2, skipped: { late: 1 }, msP50: 10, models: ['tiny'] },
    { name: 'listwise', used: 0, skipped: { nobody: 1 }, msP50: null, models: [] },
  ]);
});

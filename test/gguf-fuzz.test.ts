import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeReport, EXPECTED_OUTCOMES, fuzzGguf } from './gguf-mutations.ts';

test('20,000 damaged GGUF headers give a valid header or a typed error, in bounded memory', (context) => {
  const report = fuzzGguf(20_000, 1);
  context.diagnostic(describeReport(report));
  for (const outcome of EXPECTED_OUTCOMES) assert.ok((report.outcomes.get(outcome) ?? 0) > 0, outcome);
});

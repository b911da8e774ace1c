import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeReport, EXPECTED_OUTCOMES, fuzzGguf } from '../gguf-mutations.ts';

test('a million damaged GGUF headers give a valid header or a typed error, in bounded memory', (context) => {
  const report = fuzzGguf(1_000_000, 20_261_121);
  context.diagnostic(describeReport(report));
  assert.equal(report.mutations, 1_000_000);
  for (const outcome of EXPECTED_OUTCOMES) assert.ok((report.outcomes.get(outcome) ?? 0) > 0, outcome);
});

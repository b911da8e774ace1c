import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attacks } from './attacks.ts';

const SEED = 2;

for (const attack of attacks(12)) {
  test(`attack held to its bounds: ${attack.name}`, () => {
    const findings = attack.run(SEED);
    assert.ok(findings.length > 0);
    for (const { attack: what, bound, measured, holds } of findings)
      assert.ok(holds, `${what}: ${bound}, but ${measured}`);
  });
}

test('the same seed gives the same figures', () => {
  const [farm] = attacks(1);
  assert.deepEqual(farm!.run(SEED), farm!.run(SEED));
});

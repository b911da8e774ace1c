import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { packPassage, unpackPassage } from './vault-passages.ts';

test('a passage comes back as it was, cut where it is too long', () => {
  const place = fc.record(
    { page: fc.nat(), line: fc.nat(), sheet: fc.string(), part: fc.string() },
    { requiredKeys: [], noNullPrototype: true },
  );
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }),
      fc.string(),
      fc.string(),
      place,
      (text, path, title, where) => {
        const passage = { path, title, place: where, text };
        assert.deepEqual(unpackPassage(packPassage(passage)), passage);
      },
    ),
    { numRuns: 100 },
  );
  const long = unpackPassage(
    packPassage({ path: 'a', title: 'b', place: {}, text: '\u{1F600}'.repeat(40_000) }),
  );
  assert.ok(long.text.length === 65_536 && long.text.isWellFormed());
  for (const bad of [new Uint8Array(0), Uint8Array.of(1, 2, 3), packPassage(long).subarray(0, -4)])
    assert.throws(() => unpackPassage(bad), { code: 'vault_damaged' });
});

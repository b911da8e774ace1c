/** Ten thousand random credentials: signed, their keys shuffled, written again, verified, also by another implementation. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalBytes, createManualClock, createSeededRandom } from '../../src/base/index.ts';
import { createCredentialVerifier, issueCredential } from '../../src/identity/index.ts';
import { acceptAll, anyCredential, identityOf, shuffleKeys } from '../../src/identity/testing/credentials.ts';
import { verifyElsewhere } from '../../src/identity/testing/digitalbazaar.ts';
import { fc } from '../property.ts';

const start = Date.UTC(2026, 10, 21);
type Json = { readonly [key: string]: unknown };

test('ten thousand random credentials verify in any order of keys, and no changed byte does', async () => {
  const random = createSeededRandom(1);
  const issuer = identityOf('issuer');
  const verifier = createCredentialVerifier({
    clock: createManualClock(start),
    policy: acceptAll,
    status: { look: () => ({ state: 'clear', stale: false }) },
  });
  let n = 0;
  await fc.assert(
    fc.asyncProperty(anyCredential, fc.nat(), async ({ type, claims, subject, index }, place) => {
      const status = index === null ? {} : { status: { list: 'https://issuer.example/1', index } };
      const { bytes } = issueCredential(issuer, { type, claims, subject, validFrom: start, ...status });
      const document = JSON.parse(new TextDecoder().decode(bytes)) as Json;
      const shuffled = shuffleKeys(document, () => random.uint32()) as Json;
      const { verdict, facts } = await verifier.verify(canonicalBytes(shuffled), { subject });
      assert.equal(verdict.code, 'ok', verdict.reason);
      assert.deepEqual({ ...facts?.claims }, { ...claims });
      if (n++ % 20 === 0) assert.equal(await verifyElsewhere(shuffled), true);
      const changed = Uint8Array.from(bytes);
      changed[place % bytes.length]! ^= 1 + (random.uint32() % 255);
      assert.notEqual((await verifier.verify(changed)).verdict.code, 'ok');
    }),
    { numRuns: 10_000 },
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createSeededRandom } from '../../base/index.ts';
import { rootOf } from '../keys/keys.ts';
import { type About, openAbout, sealAbout } from './about.ts';

test('what a tenant is about is read of both versions, and nothing else is', () => {
  const random = createSeededRandom(7);
  const root = rootOf(random.bytes(32));
  const plain: About = {
    ...{ id: 'kb', name: 'Notes', mode: 'sealed', replicas: 2, passphrase: null },
    eves: [{ peer: 'p', operator: null }],
  };
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  fc.assert(
    fc.property(bytes(16), bytes(16), fc.nat(), fc.integer({ min: 1, max: 255 }), (salt, check, at, by) => {
      for (const about of [plain, { ...plain, passphrase: { salt, check } }]) {
        const sealed = sealAbout(root, 'label', about, random);
        assert.deepEqual(openAbout(root, 'label', sealed), about);
        const turned = Uint8Array.from(sealed);
        turned[at % turned.length]! ^= by;
        assert.throws(() => openAbout(root, 'label', turned), { code: 'vault_damaged' });
      }
      const short = { ...plain, passphrase: { salt: salt.subarray(1), check } };
      assert.throws(() => openAbout(root, 'label', sealAbout(root, 'label', short, random)), {
        code: 'vault_damaged',
      });
    }),
    { numRuns: 30 },
  );
});

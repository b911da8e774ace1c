import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createSeededRandom, fromHex, toHex } from '../../base/index.ts';
import { identityOf } from '../testing/credentials.ts';
import { agreementKeyOf, hpkeOpen, hpkeSeal, SEALED_TO_BYTES, sealTo } from './seal-to.ts';

const random = createSeededRandom(4);
const [ada, ben] = [identityOf('ada'), identityOf('ben')];
const aad = Buffer.from('beside');
const plain = Buffer.from('what is inside');

test('it is HPKE: the first message of RFC 9180, A.1.1', () => {
  const info = fromHex('4f6465206f6e2061204772656369616e2055726e');
  const ephemeral = fromHex('52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736');
  const to = fromHex('3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d');
  const message = fromHex('4265617574792069732074727574682c20747275746820626561757479');
  const beside = fromHex('436f756e742d30');
  const sealed = hpkeSeal(to, info, beside, message, ephemeral);
  assert.equal(
    toHex(sealed),
    '37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431' +
      'f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a',
  );
  const secret = createPrivateKey({
    key: Buffer.from(
      '302e020100300506032b656e04220420' + '4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8',
      'hex',
    ),
    ...{ format: 'der', type: 'pkcs8' },
  });
  assert.deepEqual(Buffer.from(hpkeOpen(secret, info, beside, sealed)!), Buffer.from(message));
});

test('a key on one form of the curve is that key on the other', () => {
  // The base point: y = 4/5 there, u = 9 here (RFC 7748, 4.1).
  const base = fromHex(`58${'66'.repeat(31)}`);
  assert.equal(toHex(agreementKeyOf(base)), `09${'00'.repeat(31)}`);
  assert.throws(() => agreementKeyOf(new Uint8Array(32)), { code: 'public_key_weak' });
});

test('only the one to whom it was sealed opens it, and only as it was', () => {
  const sealed = sealTo(ben.publicKey, 'vault-grant', aad, plain, random);
  assert.equal(sealed.length, plain.length + SEALED_TO_BYTES);
  assert.deepEqual(Buffer.from(ben.openSealed('vault-grant', aad, sealed)!), plain);
  assert.equal(ada.openSealed('vault-grant', aad, sealed), null);
  assert.equal(ben.openSealed('vault-grant', plain, sealed), null);
  for (let at = 0; at < sealed.length; at++)
    for (const bit of [1, 128]) {
      const turned = Uint8Array.from(sealed);
      turned[at]! ^= bit;
      // Of the sender's key the highest bit is none of it (RFC 7748, 5), but it is bound in.
      assert.equal(ben.openSealed('vault-grant', aad, turned), null, `byte ${at}`);
    }
});

test('whatever somebody made up is not opened, also under keys of low order', () => {
  const low = ['00', '01', 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'];
  for (const key of low)
    assert.equal(ben.openSealed('vault-grant', aad, fromHex(key.padEnd(64, '0') + '00'.repeat(40))), null);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      assert.equal(ben.openSealed('vault-grant', aad, bytes), null);
    }),
    { numRuns: 200 },
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createSeededRandom, InputError } from '../../base/index.ts';
import { sealTo, toBase64url } from '../../identity/index.ts';
import { identityOf } from '../../identity/testing/credentials.ts';
import { signVaultGrant } from '../eve/grant.ts';
import { readingKeys, rootOfIdentity } from '../keys/keys.ts';
import { openGrantFile, sealGrantFile, type VaultAccess } from './grant-file.ts';

const random = createSeededRandom(31);
const [ada, ben, eva] = [identityOf('ada'), identityOf('ben'), identityOf('eva')];
const root = rootOfIdentity(ada);
const CODES = ['vault_grant_file', 'vault_grant_not_yours'];

function accessFor(holder = ben, issuer = ada): VaultAccess {
  const terms = { holder: holder.did, label: root.label('kb-1'), rights: ['read'] as const };
  return {
    grant: signVaultGrant(issuer, { ...terms, from: 5, until: 1e9 }, random),
    ...({ name: 'notes', mode: 'split', replicas: 2, number: 4 } as const),
    eves: [
      { peer: eva.peerId, operator: 'Eva' },
      { peer: ada.peerId, operator: null },
    ],
    reading: readingKeys(root.keysOf('kb-1', 3)),
  };
}

test('its holder reads what was granted, and nobody else does', () => {
  const access = accessFor();
  const text = sealGrantFile(ada, access, random);
  assert.deepEqual(openGrantFile(ben, `${text}\n`), access);
  assert.throws(
    () => openGrantFile(eva, text),
    (error: InputError) => error.code === 'vault_grant_not_yours' && error.message.includes(ben.peerId),
  );
  // The line shows nothing of what it is for.
  const bytes = Buffer.from(text.slice(text.indexOf(':') + 1), 'base64url');
  for (const word of ['notes', access.grant.label, eva.peerId, access.grant.id])
    assert.ok(!bytes.includes(word), word);
  const { keys } = access.reading;
  assert.ok(Object.values(keys).every((key) => !bytes.includes(Buffer.from(key))));
  assert.equal('manifest' in keys, false);
});

test('one byte more, less or other makes it none', () => {
  const text = sealGrantFile(ada, accessFor(), random);
  for (let at = 0; at < text.length; at++) {
    const other = String.fromCharCode(text.charCodeAt(at) ^ (1 << (at % 7)));
    assert.throws(
      () => openGrantFile(ben, `${text.slice(0, at)}${other}${text.slice(at + 1)}`),
      (error) => error instanceof InputError && CODES.includes(error.code),
      `byte ${at}`,
    );
  }
  for (let end = 0; end < text.length; end += 7)
    assert.throws(() => openGrantFile(ben, text.slice(0, end)), { code: 'vault_grant_file' });
  assert.throws(() => openGrantFile(ben, `${text}AAAA`), { code: 'vault_grant_file' });
});

test('what others sealed to the holder is taken only when who gave the grant wrote all of it', () => {
  const access = accessFor();
  // Eva has the grant, and writes other places and keys around it.
  const other = { ...access, eves: [{ peer: eva.peerId, operator: null }] };
  assert.throws(() => openGrantFile(ben, sealGrantFile(eva, other, random)), { code: 'vault_grant_file' });
  const forEva = sealGrantFile(ada, accessFor(eva), random);
  const plain = eva.openSealed(
    'vault-grant',
    Buffer.concat([Buffer.from('kith-vault-grant:'), eva.publicKey]),
    Buffer.from(forEva.slice('kith-vault-grant:'.length), 'base64url').subarray(32),
  )!;
  const aad = Buffer.concat([Buffer.from('kith-vault-grant:'), ben.publicKey]);
  const sent = Buffer.concat([ben.publicKey, sealTo(ben.publicKey, 'vault-grant', aad, plain, random)]);
  assert.throws(() => openGrantFile(ben, `kith-vault-grant:${toBase64url(sent)}`), {
    code: 'vault_grant_file',
  });
});

test('whatever text or content somebody made up, it is a typed fault', () => {
  const aad = Buffer.concat([Buffer.from('kith-vault-grant:'), ben.publicKey]);
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.uint8Array({ maxLength: 300 }), (text, plain) => {
      const sealed = Buffer.concat([ben.publicKey, sealTo(ben.publicKey, 'vault-grant', aad, plain, random)]);
      for (const line of [text, `kith-vault-grant:${text}`, `kith-vault-grant:${toBase64url(sealed)}`])
        assert.throws(
          () => openGrantFile(ben, line),
          (error) => error instanceof InputError && CODES.includes(error.code),
        );
    }),
    { numRuns: 150 },
  );
});

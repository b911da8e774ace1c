import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { test } from 'node:test';
import { CompactSign, compactVerify } from 'jose';
import { canonicalJson } from '../../base/index.ts';
import { verificationMethodOf } from '../key/names.ts';
import { PKCS8_PREFIX } from '../key/sign.ts';
import { identityOf, seedOf } from '../testing/credentials.ts';
import { readToken, signToken } from './vc-jwt.ts';

const issuer = identityOf('issuer');
const kid = verificationMethodOf(issuer.did);
const payload = { issuer: issuer.did, n: 1 };
const utf8 = (text: string) => new TextEncoder().encode(text);
const part = (value: unknown) => Buffer.from(canonicalJson(value)).toString('base64url');

/** Null when it verifies, else what is wrong. */
async function faultOf(token: string): Promise<string | null> {
  const read = readToken(utf8(token), 4096, 8);
  if ('fault' in read) return `${read.code}: ${read.fault}`;
  assert.equal(read.controller, issuer.did);
  return (await read.verify()) ? null : 'signature';
}

function signed(header: unknown, body: unknown = payload, by = issuer): string {
  const input = `${part(header)}.${part(body)}`;
  return `${input}.${Buffer.from(by.signJws(input)).toString('base64url')}`;
}

test('jose verifies what is signed here', async () => {
  const token = signToken(payload, issuer);
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(issuer.publicKey).toString('base64url') };
  const { protectedHeader, payload: body } = await compactVerify(token, jwk);
  assert.deepEqual(protectedHeader, { alg: 'Ed25519', cty: 'vc', kid, typ: 'vc+jwt' });
  assert.deepEqual(JSON.parse(Buffer.from(body).toString()), payload);
  assert.equal(await faultOf(token), null);
});

test('what jose signs verifies here, under both names of the algorithm', async () => {
  const key = createPrivateKey({
    key: Buffer.concat([PKCS8_PREFIX, seedOf('issuer')]),
    format: 'der',
    type: 'pkcs8',
  });
  for (const alg of ['Ed25519', 'EdDSA']) {
    const token = await new CompactSign(utf8(canonicalJson(payload)))
      .setProtectedHeader({ alg, kid, typ: 'vc+jwt' })
      .sign(key);
    assert.equal(await faultOf(token), null, alg);
  }
});

test('a token is refused for each thing that is wrong with it', async () => {
  const good = signToken(payload, issuer);
  const header = { alg: 'Ed25519', kid, typ: 'vc+jwt' };
  const other = identityOf('other');
  const [first, second, third] = good.split('.') as [string, string, string];
  const cases: readonly (readonly [string, RegExp])[] = [
    [`${first}.${second}`, /malformed: .*three parts/],
    [`${good}.${third}`, /malformed: .*three parts/],
    [`${good}=`, /malformed: .*base64url/],
    [`${first}.${second}.${third.slice(0, -1)}`, /malformed|64 bytes/],
    [`${first}.${Buffer.from('{"n": 1}').toString('base64url')}.${third}`, /malformed: .*canonical/],
    [`${first}.${Buffer.from('[]').toString('base64url')}.${third}`, /malformed: .*object/],
    [`${first}.${part({ ...payload, n: 2 })}.${third}`, /signature/],
    [signed({ ...header, alg: 'none' }), /bad_proof: .*alg/],
    [signed({ ...header, alg: 'HS256' }), /bad_proof: .*alg/],
    [signed({ ...header, typ: 'JWT' }), /bad_proof: .*typ/],
    [signed({ ...header, crit: ['exp'] }), /bad_proof: .*crit/],
    [signed({ ...header, jwk: {} }), /bad_proof: .*jwk/],
    [signed({ ...header, kid: issuer.did }), /bad_proof: .*own key/],
    [signed({ ...header, kid: 'https://issuer.example/key' }), /bad_proof: .*did:key/],
    [signed(header, payload, other), /signature/],
    [`${first}.${second}.${Buffer.from(new Uint8Array(64)).toString('base64url')}`, /signature/],
    [signed(header, { text: 'x'.repeat(4096) }), /malformed: .*bytes/],
  ];
  for (const [token, why] of cases)
    assert.match((await faultOf(token)) ?? 'accepted', why, token.slice(0, 200));
});

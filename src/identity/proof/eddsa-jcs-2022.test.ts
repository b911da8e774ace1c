import assert from 'node:assert/strict';
import { test } from 'node:test';
import { base58btc } from 'multiformats/bases/base58';
import { vector } from '../../../test/vectors.ts';
import { createSeededRandom } from '../../base/index.ts';
import { issueCredential } from '../credentials/issue.ts';
import { issuerMismatch } from '../credentials/read.ts';
import { createIdentity } from '../key/sign.ts';
import { CLAIMS, identityOf, seedOf, shuffleKeys } from '../testing/credentials.ts';
import { proveElsewhere, verifyElsewhere } from '../testing/digitalbazaar.ts';
import { type JsonObject, sha256 } from './document.ts';
import { proveDocument, readProof, signedForms } from './eddsa-jcs-2022.ts';

const created = Date.UTC(2026, 10, 21);
const issuer = identityOf('issuer');
const context = ['https://www.w3.org/ns/credentials/v2', 'https://www.w3.org/ns/credentials/examples/v2'];
const signed = proveDocument({ '@context': context, claim: 1, list: [{ b: 1, a: 2 }] }, issuer, {
  purpose: 'assertionMethod',
  created,
});

function faultOf(document: JsonObject): string | null {
  const read = readProof(document, 'assertionMethod');
  if ('fault' in read) return read.fault;
  return read.verify() ? null : 'signature';
}

const withProof = (changes: JsonObject): JsonObject => ({
  ...signed,
  proof: { ...(signed.proof as JsonObject), ...changes },
});

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const file = (name: string) => vector(`eddsa-jcs-2022/${name}`);
const { skip } = file('signedJCS.json');
const textOf = (name: string) => Buffer.from(file(name).bytes()).toString('utf8').trim();

test('the official vectors of eddsa-jcs-2022 reproduce: forms, hashes, signature, proofValue', {
  skip,
}, () => {
  const unsigned = file('unsigned.json').json<JsonObject>();
  const options = file('proofConfigJCS.json').json<JsonObject>();
  const forms = signedForms(unsigned, options);
  assert.equal(forms.document, textOf('canonDocJCS.txt'));
  assert.equal(forms.proof, textOf('proofCanonJCS.txt'));
  assert.equal(hex(sha256(forms.document)), textOf('docHashJCS.txt'));
  assert.equal(hex(sha256(forms.proof)), textOf('proofHashJCS.txt'));
  assert.equal(hex(forms.hash), textOf('combinedHashJCS.txt'));

  const { privateKeyMultibase } = file('keyPair.json').json<{ privateKeyMultibase: string }>();
  const owner = createIdentity(base58btc.decode(privateKeyMultibase).slice(2));
  assert.equal(hex(owner.signProof(forms.hash)), textOf('sigHexJCS.txt'));
  const made = proveDocument(unsigned, owner, {
    purpose: 'assertionMethod',
    created: Date.parse(String(options.created)),
  });
  assert.equal((made.proof as JsonObject).proofValue, textOf('sigBTC58JCS.txt'));
  assert.deepEqual(made, file('signedJCS.json').json());
});

test('the official document verifies, and the binding of issuer and key refuses it', { skip }, () => {
  const document = file('signedJCS.json').json<JsonObject>();
  const read = readProof(document, 'assertionMethod');
  assert.ok(!('fault' in read), 'its proof can be read');
  assert.equal(read.verify(), true);
  assert.equal(issuerMismatch(String(document.issuer), read.controller)?.code, 'issuer_mismatch');
});

test('the order of keys does not matter, every value does', () => {
  const random = createSeededRandom(7);
  assert.equal(faultOf(signed), null);
  for (let i = 0; i < 20; i++)
    assert.equal(faultOf(shuffleKeys(signed, () => random.uint32()) as JsonObject), null);
  assert.equal(faultOf({ ...signed, claim: 2 }), 'signature');
  assert.equal(faultOf({ ...signed, more: 1 }), 'signature');
  assert.equal(faultOf({ ...signed, list: [{ b: 1, a: 3 }] }), 'signature');
  assert.equal(faultOf(withProof({ created: '2026-11-22T00:00:00Z' })), 'signature');
});

test('a proof is refused for each thing that is wrong with it', () => {
  const other = identityOf('other');
  const method = (signed.proof as JsonObject).verificationMethod as string;
  const lowOrder = `z${base58btc.encode(Uint8Array.of(0xed, 1, 1, ...new Uint8Array(31))).slice(1)}`;
  const cases: readonly (readonly [JsonObject, RegExp])[] = [
    [{ claim: 1 }, /no proof/],
    [{ ...signed, proof: [signed.proof] }, /list of proofs/],
    [{ ...signed, proof: 'x' }, /cannot be used/],
    [withProof({ type: 'Ed25519Signature2020' }), /type/],
    [withProof({ cryptosuite: 'eddsa-rdfc-2022' }), /cryptosuite/],
    [withProof({ proofPurpose: 'authentication' }), /assertionMethod is needed/],
    [withProof({ domain: 'x' }), /one audience/],
    [withProof({ expires: '2026-11-22T00:00:00Z' }), /one audience/],
    [withProof({ previousProof: 'urn:x' }), /previousProof/],
    [withProof({ created: '2026-02-30T00:00:00Z' }), /created/],
    [withProof({ verificationMethod: issuer.did }), /own key as fragment/],
    [
      withProof({ verificationMethod: method.replace(/#.*/, other.did.replace('did:key:', '#')) }),
      /fragment/,
    ],
    [withProof({ verificationMethod: 'https://vc.example/keys/1' }), /not a did:key/],
    [withProof({ verificationMethod: `did:key:${lowOrder}#${lowOrder}` }), /low order/],
    [withProof({ verificationMethod: `${other.did}#${other.did.slice(8)}` }), /signature/],
    [withProof({ proofValue: 'u0000' }), /proofValue/],
    [withProof({ proofValue: base58btc.encode(new Uint8Array(60).fill(7)) }), /64 bytes/],
    [withProof({ '@context': ['https://www.w3.org/ns/credentials/examples/v2'] }), /start with/],
    [withProof({ '@context': [...context, 'https://more.example'] }), /start with/],
  ];
  for (const [document, why] of cases)
    assert.match(faultOf(document) ?? 'accepted', why, JSON.stringify(document));
});

test('a signature that the identity point verifies for every message is refused', () => {
  const identityPoint = Uint8Array.of(1, ...new Uint8Array(31));
  const forged = base58btc.encode(Uint8Array.of(...identityPoint, ...new Uint8Array(32)));
  assert.equal(faultOf(withProof({ proofValue: forged })), 'signature');
});

test('another implementation verifies what is signed here, and the other way round', async () => {
  for (const [type, claims] of Object.entries(CLAIMS)) {
    const { bytes } = issueCredential(issuer, {
      type: type as keyof typeof CLAIMS,
      claims,
      subject: identityOf('subject').did,
      validFrom: created,
    });
    const here = JSON.parse(new TextDecoder().decode(bytes)) as JsonObject;
    assert.equal(await verifyElsewhere(here), true, type);
    const { proof: _, ...unsecured } = here;
    const there = await proveElsewhere(unsecured, seedOf('issuer'), '2026-11-21T00:00:00Z');
    assert.equal(faultOf(there as JsonObject), null, type);
    // Ed25519 is deterministic: the same document and options give the same signature.
    assert.deepEqual(there, here);
  }
  assert.equal(await verifyElsewhere({ ...signed, claim: 2 }), false);
});

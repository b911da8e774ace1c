import assert from 'node:assert/strict';
import { test } from 'node:test';
import { base58btc } from 'multiformats/bases/base58';
import { fc } from '../../../test/property.ts';
import { vector } from '../../../test/vectors.ts';
import { canonicalBytes, createManualClock, createSeededRandom } from '../../base/index.ts';
import { formatDateTime, type JsonObject } from '../proof/document.ts';
import { proveDocument } from '../proof/eddsa-jcs-2022.ts';
import { acceptAll, anyCredential, CLAIMS, identityOf, shuffleKeys } from '../testing/credentials.ts';
import { CREDENTIAL_TYPES, type IssuerPolicy, VERDICT_CODES, type VerdictCode } from '../types.ts';
import { issueCredential } from './issue.ts';
import { DAY_MS, kindOf } from './kinds.ts';
import { createCredentialVerifier, type StatusAnswer, type StatusSource } from './verify.ts';

const start = Date.UTC(2026, 10, 21);
const issuer = identityOf('issuer');
const subject = identityOf('subject');
const noStatus: StatusSource = { look: () => ({ state: 'unknown', reason: 'no list was seen' }) };
const list = 'https://issuer.example/status/1';

function verifierAt(now: number, options: { policy?: IssuerPolicy; status?: StatusSource } = {}) {
  const clock = createManualClock(now);
  const verifier = createCredentialVerifier({
    clock,
    policy: options.policy ?? acceptAll,
    status: options.status ?? noStatus,
  });
  return { clock, verifier };
}

/** A valid credential, as a document that tests change. */
function documentOf(type: keyof typeof CLAIMS = 'Uptime', changes: JsonObject = {}): JsonObject {
  const kind = kindOf(type);
  return {
    '@context': kind.context,
    type: ['VerifiableCredential', kind.wireType],
    issuer: issuer.did,
    validFrom: formatDateTime(start),
    credentialSubject: { ...CLAIMS[type], id: subject.did },
    ...changes,
  };
}
const sign = (
  document: JsonObject,
  by = issuer,
  purpose: 'assertionMethod' | 'authentication' = 'assertionMethod',
) => canonicalBytes(proveDocument(document, by, { purpose, created: start }));
const parse = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes)) as JsonObject;
const utf8 = (text: string) => new TextEncoder().encode(text);

async function codeOf(bytes: Uint8Array, now = start, forSubject?: string): Promise<VerdictCode> {
  const { verifier } = verifierAt(now);
  const { verdict, facts } = await verifier.verify(
    bytes,
    forSubject === undefined ? {} : { subject: forSubject },
  );
  assert.equal(facts !== null, verdict.code === 'ok', 'facts are given for ok alone');
  assert.equal(verdict.reason === '', verdict.code === 'ok', 'a refusal has a reason');
  return verdict.code;
}

test('a credential of each type verifies in both formats, and says what was put in', async () => {
  const { verifier } = verifierAt(start);
  for (const type of CREDENTIAL_TYPES) {
    for (const format of ['data-integrity', 'vc+jwt'] as const) {
      const made = issueCredential(issuer, {
        type,
        subject: subject.did,
        claims: CLAIMS[type],
        validFrom: start,
        format,
      });
      const { verdict, facts } = await verifier.verify(made.bytes, { subject: subject.did });
      assert.deepEqual(verdict, { code: 'ok', reason: '' }, `${type} ${format}`);
      assert.deepEqual(facts, {
        digest: made.digest,
        type,
        issuer: issuer.did,
        subject: subject.did,
        validFrom: start,
        validUntil: start + kindOf(type).maxLifetimeMs,
        claims: CLAIMS[type],
        statusStale: false,
      });
    }
  }
});

test('random credentials verify whatever order their keys were written in', async () => {
  const random = createSeededRandom(11);
  const { verifier } = verifierAt(start, { status: { look: () => ({ state: 'clear', stale: false }) } });
  await fc.assert(
    fc.asyncProperty(anyCredential, async ({ type, claims, subject: about, index }) => {
      const made = issueCredential(issuer, {
        type,
        claims,
        subject: about,
        validFrom: start,
        ...(index === null ? {} : { status: { list, index } }),
      });
      const shuffled = shuffleKeys(parse(made.bytes), () => random.uint32()) as JsonObject;
      const { verdict, facts } = await verifier.verify(canonicalBytes(shuffled), { subject: about });
      assert.deepEqual(verdict, { code: 'ok', reason: '' });
      assert.deepEqual({ ...facts?.claims }, { ...claims });
    }),
    { numRuns: 500 },
  );
});

test('each rule of the form refuses with malformed', async () => {
  const good = sign(documentOf());
  assert.equal(await codeOf(good), 'ok');
  const text = new TextDecoder().decode(good);
  const changed = (changes: JsonObject) => sign(documentOf('Uptime', changes));
  const claims = (more: JsonObject) =>
    changed({ credentialSubject: { ...CLAIMS.Uptime, id: subject.did, ...more } });
  const cases: Record<string, Uint8Array> = {
    'no JSON': utf8('{'),
    empty: new Uint8Array(0),
    'not UTF-8': Uint8Array.of(0x7b, 0xff, 0x7d),
    'an array': utf8('[]'),
    'a byte order mark': utf8(`\uFEFF${text}`),
    'a space': utf8(text.replace(':', ': ')),
    'a newline at the end': utf8(`${text}\n`),
    'another order of keys': utf8(JSON.stringify(shuffleKeys(parse(good), () => -Math.random()))),
    'a key twice': utf8(text.replace('"uptimePermille":995', '"uptimePermille":995,"uptimePermille":995')),
    'a number written otherwise': utf8(text.replace('995', '9.95e2')),
    'a fraction': claims({ uptimePermille: 99.5 }),
    'an integer beyond 2^53': utf8(text.replace('43200', '9007199254740993')),
    'too large': claims({ more: 'x'.repeat(4096) }),
    'too deep': claims({ more: [[[[[[[[1]]]]]]]] }),
    'deeper than any stack': utf8('['.repeat(4000)),
    'a claim too many': claims({ more: 1 }),
    'a claim out of range': claims({ uptimePermille: 1001 }),
    'a claim that copies lose': utf8(
      text.replace('"credentialSubject":{', '"credentialSubject":{"__proto__":{},'),
    ),
    'no claims': changed({ credentialSubject: { id: subject.did } }),
    'no subject': changed({ credentialSubject: CLAIMS.Uptime }),
    'a subject that is no did:key': claims({ id: 'did:example:abc' }),
    'an unknown type': changed({ type: ['VerifiableCredential', 'AlumniCredential'] }),
    'another context': changed({ '@context': kindOf('Uptime').context.toReversed() }),
    'no context': (() => {
      const { '@context': _, ...rest } = documentOf();
      return sign(rest);
    })(),
    'a context that is no list': changed({ '@context': null }),
    'one context only': changed({ '@context': kindOf('Uptime').context.slice(0, 1) }),
    'a context more': changed({ '@context': [...kindOf('Uptime').context, 'https://more.example'] }),
    'a field more': changed({ name: 'x' }),
    'a time without zone': changed({ validFrom: '2026-11-21T00:00:00' }),
    'a day that is not': changed({ validFrom: '2026-02-30T00:00:00Z' }),
    'an end before the start': changed({ validUntil: formatDateTime(start - 1000) }),
    'a status for another purpose': changed({
      credentialStatus: {
        type: 'BitstringStatusListEntry',
        statusPurpose: 'suspension',
        statusListIndex: '1',
        statusListCredential: list,
      },
    }),
    'a status index that is no number': changed({
      credentialStatus: {
        type: 'BitstringStatusListEntry',
        statusPurpose: 'revocation',
        statusListIndex: '-1',
        statusListCredential: list,
      },
    }),
  };
  for (const [what, bytes] of Object.entries(cases)) assert.equal(await codeOf(bytes), 'malformed', what);
});

test('each rule of the proof refuses with bad_proof', async () => {
  const good = parse(sign(documentOf()));
  const proof = good.proof as JsonObject;
  const other = identityOf('other');
  const weak = base58btc.encode(Uint8Array.of(0xed, 1, 1, ...new Uint8Array(31)));
  const forged = base58btc.encode(Uint8Array.of(1, ...new Uint8Array(63)));
  const withProof = (changes: JsonObject) => canonicalBytes({ ...good, proof: { ...proof, ...changes } });
  const cases: Record<string, Uint8Array> = {
    'no proof': canonicalBytes(documentOf()),
    'two proofs': canonicalBytes({ ...good, proof: [proof, proof] }),
    'another purpose': sign(documentOf(), issuer, 'authentication'),
    'another suite': withProof({ cryptosuite: 'eddsa-rdfc-2022' }),
    'a fragment that is not the key': withProof({
      verificationMethod: `${issuer.did}#${other.did.slice(8)}`,
    }),
    'a method that is no did:key': withProof({ verificationMethod: 'https://issuer.example/key' }),
    'a proof for one audience': canonicalBytes(
      proveDocument(documentOf(), issuer, {
        purpose: 'assertionMethod',
        created: start,
        domain: subject.did,
      }),
    ),
    'a key of low order': canonicalBytes({
      ...good,
      issuer: `did:key:${weak}`,
      proof: { ...proof, verificationMethod: `did:key:${weak}#${weak}`, proofValue: forged },
    }),
    'a changed claim': canonicalBytes({
      ...good,
      credentialSubject: { ...CLAIMS.Uptime, id: subject.did, uptimePermille: 999 },
    }),
    'a changed date': canonicalBytes({ ...good, validUntil: formatDateTime(start + DAY_MS) }),
    'a changed time of signing': withProof({ created: '2026-11-21T00:00:01Z' }),
    'a signature by another key': withProof({
      proofValue: (parse(sign(documentOf(), other)).proof as JsonObject).proofValue,
    }),
  };
  for (const [what, bytes] of Object.entries(cases)) assert.equal(await codeOf(bytes), 'bad_proof', what);
});

const lowOrder = vector('ed25519-small-order.json');
test('no point of low order is a key or a part of a signature', { skip: lowOrder.skip }, async () => {
  const { encodingsHex, forgedSignatureHex } = lowOrder.json<{
    encodingsHex: string[];
    forgedSignatureHex: string;
  }>();
  const good = parse(sign(documentOf()));
  const proof = good.proof as JsonObject;
  const forged = base58btc.encode(Buffer.from(forgedSignatureHex, 'hex'));
  for (const signBit of [0, 0x80]) {
    for (const hex of encodingsHex) {
      const point = Buffer.from(hex, 'hex');
      point[31]! |= signBit;
      const did = `did:key:${base58btc.encode(Uint8Array.of(0xed, 1, ...point))}`;
      const method = `${did}#${did.slice(8)}`;
      const asKey = {
        ...good,
        issuer: did,
        proof: { ...proof, verificationMethod: method, proofValue: forged },
      };
      assert.equal(await codeOf(canonicalBytes(asKey)), 'bad_proof', hex);
      const signature = base58btc.encode(Buffer.concat([point, new Uint8Array(32)]));
      const asPart = { ...good, proof: { ...proof, proofValue: signature } };
      assert.equal(await codeOf(canonicalBytes(asPart)), 'bad_proof', hex);
    }
  }
});

test("a credential that another key signed in the issuer's name is an issuer_mismatch", async () => {
  assert.equal(await codeOf(sign(documentOf(), identityOf('forger'))), 'issuer_mismatch');
  assert.equal(
    await codeOf(sign(documentOf('Uptime', { issuer: 'https://vc.example/issuers/5678' }))),
    'issuer_mismatch',
  );
});

test('only an issuer that the policy accepts for this type and now counts', async () => {
  const policy: IssuerPolicy = {
    epoch: 1,
    accepts: (did, type, at) => did === issuer.did && type === 'Uptime' && at >= start + DAY_MS,
  };
  const codeAt = async (now: number, type: 'Uptime' | 'Throughput') =>
    (await verifierAt(now, { policy }).verifier.verify(sign(documentOf(type)))).verdict.code;
  assert.equal(await codeAt(start + DAY_MS, 'Uptime'), 'ok');
  assert.equal(await codeAt(start, 'Uptime'), 'untrusted_issuer');
  assert.equal(await codeAt(start + DAY_MS, 'Throughput'), 'untrusted_issuer');
});

test('a credential about somebody else is a wrong_subject', async () => {
  assert.equal(await codeOf(sign(documentOf()), start, subject.did), 'ok');
  assert.equal(await codeOf(sign(documentOf()), start, issuer.did), 'wrong_subject');
});

test("a credential counts from five minutes before its start until its end, or its type's longest lifetime", async () => {
  const open = sign(documentOf());
  assert.equal(await codeOf(open, start - 300_001), 'not_yet_valid');
  const { verdict: early } = await verifierAt(start - 3 * 3_600_000).verifier.verify(open);
  assert.match(String(early.reason), /3 h.* ahead of this machine's clock \(.*check this machine's clock/);
  assert.equal(await codeOf(open, start - 300_000), 'ok');
  assert.equal(await codeOf(open, start + 90 * DAY_MS - 1), 'ok');
  assert.equal(await codeOf(open, start + 90 * DAY_MS), 'expired');
  const short = sign(documentOf('Uptime', { validUntil: formatDateTime(start + 1000) }));
  assert.equal(await codeOf(short, start + 999), 'ok');
  assert.equal(await codeOf(short, start + 1000), 'expired');
  const long = sign(documentOf('Uptime', { validUntil: formatDateTime(start + 900 * DAY_MS) }));
  assert.equal(await codeOf(long, start + 90 * DAY_MS), 'expired');
});

test('the status list decides last: revoked, unknown, or stale and counted half', async () => {
  const bytes = sign(
    documentOf('Uptime', {
      credentialStatus: {
        type: 'BitstringStatusListEntry',
        statusPurpose: 'revocation',
        statusListIndex: '94567',
        statusListCredential: list,
      },
    }),
  );
  const asked: unknown[] = [];
  const answer = async (given: StatusAnswer) => {
    const status: StatusSource = {
      look(reference, by, at) {
        asked.push([reference, by, at]);
        return given;
      },
    };
    return verifierAt(start, { status }).verifier.verify(bytes);
  };
  assert.equal((await answer({ state: 'revoked' })).verdict.code, 'revoked');
  assert.deepEqual((await answer({ state: 'unknown', reason: 'why' })).verdict, {
    code: 'status_unknown',
    reason: 'why',
  });
  assert.equal((await answer({ state: 'clear', stale: false })).facts?.statusStale, false);
  assert.equal((await answer({ state: 'clear', stale: true })).facts?.statusStale, true);
  assert.deepEqual(asked[0], [{ list, index: 94_567 }, issuer.did, start]);
});

test('what was verified is remembered, and policy, time and status are looked at again at each use', async () => {
  let trusted = true;
  let state: StatusAnswer = { state: 'clear', stale: false };
  const policy: IssuerPolicy = { epoch: 1, accepts: () => trusted };
  const { clock, verifier } = verifierAt(start, { policy, status: { look: () => state } });
  const bytes = issueCredential(issuer, {
    type: 'Uptime',
    subject: subject.did,
    claims: CLAIMS.Uptime,
    validFrom: start,
    status: { list, index: 1 },
  }).bytes;
  const code = async () => (await verifier.verify(bytes, { peer: 'p' })).verdict.code;
  // More often than a peer may cause new verifications within a minute.
  for (let i = 0; i < 40; i++) assert.equal(await code(), 'ok');
  trusted = false;
  assert.equal(await code(), 'untrusted_issuer');
  trusted = true;
  state = { state: 'revoked' };
  assert.equal(await code(), 'revoked');
  state = { state: 'clear', stale: false };
  assert.equal(await code(), 'ok');
  await clock.advance(90 * DAY_MS);
  assert.equal(await code(), 'expired');
});

test('a peer may cause 32 new verifications a minute, and each peer has its own', async () => {
  const { clock, verifier } = verifierAt(start);
  const fresh = (n: number) =>
    sign(documentOf('Uptime', { validUntil: formatDateTime(start + 1000 * (n + 1)) }));
  for (let n = 0; n < 32; n++)
    assert.equal((await verifier.verify(fresh(n), { peer: 'a' })).verdict.code, 'ok');
  await assert.rejects(verifier.verify(fresh(32), { peer: 'a' }), {
    code: 'limit_reached',
    limit: 'credentials.perMinute',
  });
  assert.equal(
    (await verifier.verify(fresh(0), { peer: 'a' })).verdict.code,
    'ok',
    'a known one costs nothing',
  );
  assert.equal((await verifier.verify(fresh(33), { peer: 'b' })).verdict.code, 'ok');
  assert.equal((await verifier.verify(fresh(34))).verdict.code, 'ok', 'the owner has no limit');
  await clock.advance(60_000);
  const later = (n: number) =>
    sign(documentOf('Uptime', { validUntil: formatDateTime(start + DAY_MS + 1000 * n) }));
  for (let n = 0; n < 32; n++)
    assert.equal((await verifier.verify(later(n), { peer: 'a' })).verdict.code, 'ok');
});

test('a refusal is remembered for ten minutes', async () => {
  for (const [waited, remembered] of [
    [599_999, true],
    [600_000, false],
  ] as const) {
    const { clock, verifier } = verifierAt(start);
    const ask = async (n: number) => (await verifier.verify(utf8(`{"n":${n}}`), { peer: 'p' })).verdict.code;
    assert.equal(await ask(0), 'malformed');
    await clock.advance(waited);
    for (let n = 1; n <= 32; n++) await ask(n);
    // Nothing new is verified for this peer now.
    if (remembered) assert.equal(await ask(0), 'malformed');
    else await assert.rejects(ask(0), { code: 'limit_reached' });
  }
});

test('the entry used longest ago gives way to a new one', async () => {
  const clock = createManualClock(start);
  const verifier = createCredentialVerifier({ clock, policy: acceptAll, status: noStatus, cacheEntries: 2 });
  const ask = async (n: number) => (await verifier.verify(utf8(`{"n":${n}}`), { peer: 'p' })).verdict.code;
  for (let n = 0; n < 30; n++) await ask(n);
  await ask(0);
  await ask(29);
  await ask(1);
  // 28 was used longest ago; 0 went when 1 came.
  assert.equal(await ask(29), 'malformed');
  assert.equal(await ask(1), 'malformed');
  await assert.rejects(ask(0), { code: 'limit_reached' });
});

test('any bytes have a verdict and none is accepted', async () => {
  const { verifier } = verifierAt(start);
  const good = sign(documentOf());
  const token = issueCredential(issuer, {
    type: 'Uptime',
    subject: subject.did,
    claims: CLAIMS.Uptime,
    validFrom: start,
    format: 'vc+jwt',
  }).bytes;
  const mutated = (from: Uint8Array) =>
    fc.tuple(fc.nat(from.length - 1), fc.integer({ min: 1, max: 255 })).map(([at, change]) => {
      const bytes = Uint8Array.from(from);
      bytes[at]! ^= change;
      return bytes;
    });
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.uint8Array({ maxLength: 5000 }),
        fc.json({ maxDepth: 12 }).map(utf8),
        mutated(good),
        mutated(token),
        fc.nat(good.length - 1).map((end) => good.slice(0, end)),
      ),
      async (bytes) => {
        const { verdict } = await verifier.verify(bytes);
        assert.notEqual(verdict.code, 'ok');
      },
    ),
    { numRuns: 1500 },
  );
});

test('a document with any value in any place has a verdict, signed or not', async () => {
  const { verifier } = verifierAt(start);
  const status = {
    type: 'BitstringStatusListEntry',
    statusPurpose: 'revocation',
    statusListIndex: '1',
    statusListCredential: list,
  };
  const full = parse(
    sign(documentOf('Uptime', { credentialStatus: status, validUntil: '2026-12-01T00:00:00Z' })),
  );
  const places = Object.entries(full).flatMap(([key, value]) => [
    [key],
    ...(Array.isArray(value) || typeof value !== 'object'
      ? []
      : Object.keys(Object(value)).map((inner) => [key, inner])),
  ]);
  const value = fc.oneof(fc.constant(undefined), fc.jsonValue({ maxDepth: 3 }), fc.integer());
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...places), value, fc.boolean(), async (path, put, signAgain) => {
      const document = structuredClone(full) as Record<string, unknown>;
      const at = (path.length === 1 ? document : document[path[0]!]) as Record<string, unknown>;
      if (put === undefined) delete at[path.at(-1)!];
      else at[path.at(-1)!] = put;
      let bytes: Uint8Array;
      try {
        const { proof: _, ...unsecured } = document;
        bytes = signAgain ? sign(unsecured) : canonicalBytes(document);
      } catch {
        return; // It has no canonical form: nobody can send it.
      }
      const { verdict } = await verifier.verify(bytes);
      assert.ok(VERDICT_CODES.includes(verdict.code));
    }),
    { numRuns: 600 },
  );
});

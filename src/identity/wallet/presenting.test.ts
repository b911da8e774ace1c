import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createManualClock, systemRandom } from '../../base/index.ts';
import { issueCredential } from '../credentials/issue.ts';
import { DAY_MS } from '../credentials/kinds.ts';
import { presentCredentials, verifyPresentation } from '../credentials/present.ts';
import { readRequest, requestCredential } from '../credentials/request.ts';
import { STATUS_LIST_ENTRIES } from '../status/bitstring.ts';
import { readStatusList, signStatusList } from '../status/list.ts';
import { CLAIMS, identityOf } from '../testing/credentials.ts';
import { issuer, start, subject, withHome, withWallet } from '../testing/wallet.ts';
import { openWallet, type Wallet } from './wallet.ts';

test('a challenge is taken once, within five minutes, also by another process', async () => {
  await withHome(async (home) => {
    const clock = createManualClock(start);
    const open = (): Wallet => openWallet(home, { clock, random: systemRandom });
    using one = open();
    using two = open();
    const challenge = one.challenges.issue();
    assert.equal(two.challenges.take(challenge), true);
    assert.equal(one.challenges.take(challenge), false);
    const late = one.challenges.issue();
    await clock.advance(300_000);
    assert.equal(one.challenges.take(late), false);
    assert.equal(one.challenges.take('never given out'), false);
  });
});

test('a presentation is accepted from its holder, for its verifier, once', async () => {
  await withWallet(async ({ wallet, verifier, clock }) => {
    const bytes = (['data-integrity', 'vc+jwt'] as const).map(
      (format) =>
        issueCredential(issuer, {
          type: 'Uptime',
          subject: subject.did,
          claims: CLAIMS.Uptime,
          validFrom: start,
          format,
        }).bytes,
    );
    const me = identityOf('verifier').did;
    const { challenges } = wallet;
    const check = (presentation: Uint8Array, domain = me) =>
      verifyPresentation(presentation, { verifier, challenges, domain, clock });
    const present = (challenge: string, domain = me) =>
      presentCredentials(subject, { credentials: bytes, challenge, domain, now: clock.now() });

    const good = present(challenges.issue());
    const result = await check(good);
    assert.equal(result.holder, subject.did);
    assert.deepEqual(
      result.credentials.map((each) => each.verdict.code),
      ['ok', 'ok'],
    );
    const refusedBy = async (presentation: Uint8Array, code: string, why: RegExp) => {
      const { verdict, holder, credentials } = await check(presentation);
      assert.equal(verdict.code, code);
      assert.match(verdict.reason, why);
      assert.deepEqual([holder, credentials.length], [null, 0]);
    };
    await refusedBy(good, 'bad_proof', /used before/);
    await refusedBy(present('x'.repeat(43)), 'bad_proof', /not given out/);
    await refusedBy(present(challenges.issue(), issuer.did), 'bad_proof', /made for/);
    const challenge = challenges.issue();
    const text = Buffer.from(present(challenge)).toString();
    await refusedBy(Buffer.from(text.replace('995', '996')), 'bad_proof', /signature/);
    await refusedBy(
      Buffer.from(text.replaceAll(`"holder":"${subject.did}"`, `"holder":"${issuer.did}"`)),
      'issuer_mismatch',
      /holder/,
    );
    await refusedBy(
      Buffer.from(text.replace('"proofPurpose":"authentication"', '"proofPurpose":"assertionMethod"')),
      'bad_proof',
      /authentication/,
    );
    await refusedBy(Buffer.from(`${text}\n`), 'malformed', /canonical/);
    await refusedBy(bytes[0]!, 'malformed', /presentation/);
    await refusedBy(new Uint8Array(200_000), 'malformed', /bytes/);
    assert.equal((await check(Buffer.from(text))).verdict.code, 'ok', 'no refusal used up the challenge');

    const late = present(challenges.issue());
    await clock.advance(300_000);
    await refusedBy(late, 'expired', /5 minutes/);
    const options = { challenge: 'x'.repeat(43), domain: me, now: start };
    assert.throws(() => presentCredentials(issuer, { ...options, credentials: bytes }), {
      code: 'presentation_invalid',
    });
    assert.throws(() => presentCredentials(subject, { ...options, credentials: [] }), {
      code: 'presentation_invalid',
    });
    assert.throws(() => presentCredentials(subject, { ...options, challenge: 'short', credentials: bytes }), {
      code: 'presentation_invalid',
    });
  });
});

test('a request goes out, is answered once, and the answer is matched with it', async () => {
  await withWallet(async ({ wallet, verifier, clock }) => {
    const bytes = requestCredential(subject, {
      type: 'EventAttendee',
      claims: CLAIMS.EventAttendee,
      issuer: issuer.did,
      now: start,
      nonce: 'n'.repeat(22),
    });
    const request = readRequest(bytes, start);
    assert.equal(request.holder, subject.did);
    wallet.requests.add('out', bytes, request);
    assert.equal(wallet.requests.list()[0]!.credential, null);
    const answer = () =>
      wallet.issued.issue(issuer, {
        type: request.type,
        subject: request.holder,
        claims: request.claims,
        validFrom: start,
        statusList: 'none',
        request: request.digest,
      });
    const made = answer();
    assert.throws(answer, { code: 'request_answered' });
    const { facts } = await wallet.held.import(made.bytes, verifier);
    wallet.requests.match(facts!);
    assert.equal(wallet.requests.list()[0]!.credential, made.digest);

    const refused = (changed: Uint8Array, now = start) =>
      assert.throws(() => readRequest(changed, now), { code: 'credential_request_invalid' });
    const text = Buffer.from(bytes).toString();
    refused(Buffer.from(text.replace('Summit', 'Summut')));
    refused(Buffer.from(text.replace(subject.did, issuer.did)));
    refused(Buffer.from(`${text} `));
    refused(made.bytes);
    refused(bytes, start + 30 * DAY_MS);
    refused(bytes, start - 301_000);
    assert.throws(
      () =>
        requestCredential(subject, { type: 'Uptime', claims: { x: 1 }, now: start, nonce: 'n'.repeat(22) }),
      { code: 'credential_request_invalid' },
    );
    await clock.advance(31 * DAY_MS);
    const again = requestCredential(subject, { type: 'Uptime', now: clock.now(), nonce: 'm'.repeat(22) });
    wallet.requests.add('in', again, readRequest(again, clock.now()));
    assert.deepEqual(
      wallet.requests.list().map((row) => row.type),
      ['Uptime'],
      'old ones are gone',
    );
  });
});

test('no changed presentation, request or status list is taken, and none makes a reader fail', async () => {
  await withWallet(async ({ wallet, verifier, clock }) => {
    const { bytes } = issueCredential(issuer, {
      type: 'Uptime',
      subject: subject.did,
      claims: CLAIMS.Uptime,
      validFrom: start,
    });
    const domain = issuer.did;
    const challenge = wallet.challenges.issue();
    const presentation = presentCredentials(subject, { credentials: [bytes], challenge, domain, now: start });
    const request = requestCredential(subject, { type: 'Uptime', now: start, nonce: 'n'.repeat(22) });
    const bits = new Uint8Array(STATUS_LIST_ENTRIES / 8);
    const list = signStatusList(issuer, { id: 'https://issuer.example/1', bits, validFrom: start });
    const changes = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 }), fc.boolean());
    await fc.assert(
      fc.asyncProperty(changes, async ([at, change, cut]) => {
        const changed = (from: Uint8Array) => {
          const copy = Uint8Array.from(from);
          copy[at % copy.length]! ^= change;
          return cut ? copy.subarray(0, at % copy.length) : copy;
        };
        const { verdict } = await verifyPresentation(changed(presentation), {
          verifier,
          challenges: wallet.challenges,
          domain,
          clock,
        });
        assert.notEqual(verdict.code, 'ok');
        assert.throws(() => readRequest(changed(request), start), { code: 'credential_request_invalid' });
        assert.ok('fault' in readStatusList(changed(list)));
      }),
      { numRuns: 400 },
    );
    const { verdict } = await verifyPresentation(presentation, {
      verifier,
      challenges: wallet.challenges,
      domain,
      clock,
    });
    assert.equal(verdict.code, 'ok', 'the challenge was left for the one it was given out for');
  });
});

import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { issueCredential } from '../credentials/issue.ts';
import { CLAIMS } from '../testing/credentials.ts';
import { fill, issuer, start, subject, withWallet } from '../testing/wallet.ts';
import type { IssuerPolicy } from '../types.ts';
import { walletPath } from './wallet.ts';

test('an import that does not verify waits in quarantine with its reason, and leaves it when it does', async () => {
  let trusted = false;
  const policy: IssuerPolicy = { epoch: 1, accepts: () => trusted };
  await withWallet(async ({ wallet, verifier }) => {
    const { bytes, digest } = issueCredential(issuer, {
      type: 'EventAttendee',
      subject: subject.did,
      claims: CLAIMS.EventAttendee,
      validFrom: start,
    });
    assert.equal((await wallet.held.import(bytes, verifier)).verdict.code, 'untrusted_issuer');
    assert.deepEqual(wallet.held.list(), []);
    assert.deepEqual(
      wallet.held.quarantined().map((row) => [row.digest, row.code, row.reason.includes(issuer.did)]),
      [[digest, 'untrusted_issuer', true]],
    );
    trusted = true;
    assert.equal(
      (await wallet.held.import(bytes, verifier, { subject: issuer.did })).verdict.code,
      'wrong_subject',
    );
    assert.equal((await wallet.held.import(bytes, verifier, { subject: subject.did })).verdict.code, 'ok');
    assert.deepEqual(wallet.held.quarantined(), []);
    assert.deepEqual(Buffer.from(wallet.held.get(digest.slice(0, 8)).bytes), Buffer.from(bytes));
    assert.equal(wallet.held.list(subject.did).length, 1);
    assert.equal(wallet.held.list(issuer.did).length, 0);
    // It stays when the policy turns: each use verifies again.
    trusted = false;
    assert.equal((await wallet.held.import(bytes, verifier)).verdict.code, 'untrusted_issuer');
    assert.equal(wallet.held.list().length, 1);
    assert.deepEqual(wallet.held.quarantined(), []);
    wallet.held.remove(digest);
    assert.throws(() => wallet.held.get(digest), { code: 'credential_unknown' });
  }, policy);
});

test('quarantine keeps the newest 256, and nothing of what is too large', async () => {
  await withWallet(async ({ wallet, verifier, clock, home }) => {
    fill(
      home,
      "INSERT INTO quarantine SELECT 'd' || value, x'00', 'malformed', 'old', value FROM json_each(?)",
      256,
    );
    for (let n = 0; n < 5; n++) {
      await wallet.held.import(new TextEncoder().encode(`{"n":${n}}`), verifier);
      await clock.advance(1);
    }
    await wallet.held.import(new Uint8Array(100_000), verifier);
    const rows = wallet.held.quarantined();
    assert.equal(rows.length, 256);
    assert.equal(rows.at(-1)!.bytes, null);
    assert.equal(Buffer.from(rows.at(-2)!.bytes!).toString(), '{"n":4}');
    assert.equal(rows[0]!.addedAt, 6, 'the oldest are gone');
  });
});

test('the wallet is for its owner only', { skip: process.platform === 'win32' }, async () => {
  await withWallet(async ({ home }) => {
    assert.equal((await stat(walletPath(home))).mode & 0o777, 0o600);
    assert.equal((await stat(join(home, 'identity'))).mode & 0o777, 0o700);
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock, openDatabase } from '../../base/index.ts';
import { issueCredential } from '../credentials/issue.ts';
import { CLAIMS, identityOf } from '../testing/credentials.ts';
import { issuer, start, subject, withWallet } from '../testing/wallet.ts';
import { createOthers } from './others.ts';
import { WALLET_MIGRATIONS } from './schema.ts';

const list = `${issuer.did}/status/1`;
const made = (index: number, about = subject.did, validFrom = start) =>
  issueCredential(issuer, {
    ...{ type: 'Uptime', subject: about, claims: CLAIMS.Uptime, validFrom },
    status: { list, index },
  });

test('of credentials of peers those that ended go first, then those not seen for longest', async () => {
  const clock = createManualClock(start);
  const database = openDatabase(':memory:', { migrations: WALLET_MIGRATIONS });
  const others = createOthers(database, clock, { perSubject: 2, all: 4 });
  const kept = [];
  for (let n = 0; n < 3; n++) {
    const one = made(n);
    others.keep(one.bytes, one.fields);
    kept.push(one.digest);
    await clock.advance(1000);
  }
  assert.deepEqual(
    others
      .about(subject.did)
      .map(({ digest }) => digest)
      .sort(),
    kept.slice(1).sort(),
  );
  // Seen again, it is the newest of all.
  const again = made(1);
  others.keep(again.bytes, again.fields);
  const old = made(9, identityOf('old').did, start - 89 * 86_400_000);
  others.keep(old.bytes, old.fields);
  await clock.advance(2 * 86_400_000);
  for (const name of ['a', 'b', 'c']) {
    const one = made(10, identityOf(name).did);
    others.keep(one.bytes, one.fields);
    await clock.advance(1000);
  }
  const left = others.all().map((each) => each.subject);
  assert.equal(left.length, 4);
  assert.equal(left.includes(identityOf('old').did), false, 'it had ended');
  assert.deepEqual(
    others.about(subject.did).map(({ digest }) => digest),
    [kept[1]],
  );
  assert.deepEqual(
    others.lists().map((each) => [each.issuer, each.list]),
    [[issuer.did, list]],
  );
  assert.equal(others.on(issuer.did, list).length, 4);
  others.removeAbout(subject.did);
  assert.equal(others.all().length, 3);
  const free = issueCredential(issuer, {
    ...{ type: 'PeerEndorsement', subject: subject.did, claims: CLAIMS.PeerEndorsement, validFrom: start },
  });
  others.keep(free.bytes, free.fields);
  assert.equal(others.all().length, 3, 'what nobody can revoke needs no second look');
  database.close();
});

test('peers are shown what was published and nothing else, sixteen at most, and no longer once it is gone', async () => {
  await withWallet(async ({ wallet, verifier, issue, clock }) => {
    const digests: string[] = [];
    for (let n = 0; n < 17; n++) {
      const { bytes, digest } = issue();
      wallet.issued.publish(issuer, wallet.issued.lists(issuer)[0]!);
      assert.equal((await wallet.held.import(bytes, verifier)).verdict.code, 'ok');
      digests.push(digest);
      await clock.advance(1000);
    }
    assert.deepEqual(wallet.held.shown(subject.did), []);
    for (const digest of digests.slice(0, 16)) wallet.held.show(digest.slice(0, 12), true);
    wallet.held.show(digests[0]!, true);
    assert.throws(() => wallet.held.show(digests[16]!, true), { code: 'limit_reached' });
    assert.equal(wallet.held.shown(subject.did).length, 16);
    assert.deepEqual(wallet.held.shown(issuer.did), []);
    assert.equal(wallet.held.show(digests[0]!, false).shown, false);
    wallet.held.remove(digests[1]!);
    assert.equal(wallet.held.shown(subject.did).length, 14);
    assert.throws(() => wallet.held.show('ffffffff', true), { code: 'credential_unknown' });
  });
});

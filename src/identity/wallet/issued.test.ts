import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createManualClock, systemClock, systemRandom } from '../../base/index.ts';
import { DAY_MS } from '../credentials/kinds.ts';
import { createCredentialVerifier } from '../credentials/verify.ts';
import { bitAt } from '../status/bitstring.ts';
import { readStatusList } from '../status/list.ts';
import { publishStatusLists } from '../status/publish.ts';
import { acceptAll, CLAIMS } from '../testing/credentials.ts';
import { issuer, start, subject, withHome, withWallet } from '../testing/wallet.ts';
import { openWallet, walletPath } from './wallet.ts';

test('a credential is unknown, then good, then revoked, as its list is published', async () => {
  await withWallet(async ({ clock, wallet, issue, codeOf, verifier }) => {
    const made = issue();
    const other = issue();
    assert.equal(await codeOf(made.bytes), 'status_unknown');
    const [list] = wallet.issued.due(issuer);
    assert.equal(list, `${issuer.did}/status/1`);
    const first = wallet.issued.publish(issuer, list!);
    assert.deepEqual(wallet.issued.due(issuer), [list], 'it is in no file yet');
    assert.equal(wallet.issued.written(first), true);
    assert.deepEqual(wallet.issued.due(issuer), []);
    assert.equal(await codeOf(made.bytes), 'ok');

    const row = wallet.issued.revoke(issuer, made.digest.slice(0, 12), 'left');
    assert.deepEqual(Buffer.from(wallet.issued.bytes(made.digest)), Buffer.from(made.bytes));
    assert.deepEqual([row.digest, row.revokedAt, row.revokedReason], [made.digest, start, 'left']);
    assert.deepEqual(wallet.issued.due(issuer), [list]);
    assert.equal(await codeOf(made.bytes), 'ok', 'nobody knows yet');
    const published = wallet.issued.publish(issuer, list!);
    assert.equal(wallet.issued.written(first), false, 'a newer one was signed');
    wallet.issued.written(published);
    const read = readStatusList(published.bytes);
    assert.ok(!('fault' in read));
    assert.equal(read.validFrom, start + 1000, 'newer than the one before, in the same second');
    assert.equal(
      read.bits.reduce((bits, byte) => bits + byte.toString(2).replaceAll('0', '').length, 0),
      1,
    );
    assert.equal(await codeOf(made.bytes), 'revoked');
    assert.equal(await codeOf(other.bytes), 'ok');

    await clock.advance(4 * DAY_MS);
    assert.deepEqual(wallet.issued.due(issuer), [list], 'half of its time is over');
    await clock.advance(3 * DAY_MS + 1000);
    assert.equal((await verifier.verify(other.bytes)).facts?.statusStale, true);
    assert.equal(await codeOf(made.bytes), 'revoked', 'for good');
    await clock.advance(7 * DAY_MS);
    assert.equal(await codeOf(other.bytes), 'status_unknown');
    assert.equal(await codeOf(made.bytes), 'revoked');
  });
});

test('published lists are in their files, and the last one is what several publishers leave there', async () => {
  await withWallet(async ({ home, wallet, issue }) => {
    const digests = Array.from({ length: 4 }, () => issue().digest);
    const [list] = await publishStatusLists(home, wallet, issuer);
    assert.equal(list!.path, join(home, 'identity', 'status', 'list-1.json'));
    assert.deepEqual(await publishStatusLists(home, wallet, issuer), []);
    await Promise.all(
      digests.map((digest) => {
        wallet.issued.revoke(issuer, digest);
        return publishStatusLists(home, wallet, issuer, [list!.id]);
      }),
    );
    assert.deepEqual(wallet.issued.due(issuer), []);
    const read = readStatusList(await readFile(list!.path));
    assert.ok(!('fault' in read));
    for (const row of wallet.issued.list()) assert.equal(bitAt(read.bits, row.listIndex!), true);
  });
});

test('no two credentials have the same place, and places are in no order', async () => {
  await withWallet(async ({ wallet, issue }) => {
    for (let i = 0; i < 60; i++) issue();
    const places = wallet.issued.list().map((row) => `${row.list} ${row.listIndex}`);
    assert.equal(new Set(places).size, 60);
    const indexes = wallet.issued.list().map((row) => row.listIndex!);
    assert.ok(
      indexes.some((index, at) => at > 0 && index < indexes[at - 1]!),
      'in no order',
    );
  });
});

test('endorsements have no place in a list unless one is named', async () => {
  await withWallet(async ({ wallet }) => {
    const options = {
      type: 'PeerEndorsement',
      subject: subject.did,
      claims: CLAIMS.PeerEndorsement,
      validFrom: start,
    } as const;
    const made = wallet.issued.issue(issuer, options);
    assert.equal(made.fields.status, null);
    assert.throws(() => wallet.issued.revoke(issuer, made.digest), { code: 'credential_not_revocable' });
    assert.throws(() => wallet.issued.issue(issuer, { ...options, statusList: 'http://issuer.example/1' }), {
      code: 'credential_invalid',
    });
    assert.deepEqual(wallet.issued.lists(issuer), []);
    assert.equal(wallet.issued.issue(issuer, options).digest, made.digest, 'the same again is the same');
    assert.equal(wallet.issued.list().length, 1);
  });
});

test('what cannot be issued or revoked is refused, and leaves nothing behind', async () => {
  await withWallet(async ({ wallet, clock }) => {
    const options = {
      type: 'Uptime',
      subject: subject.did,
      claims: CLAIMS.Uptime,
      validFrom: start,
    } as const;
    for (const wrong of [
      { claims: { uptimePermille: 99.5 } },
      { claims: {} },
      { subject: 'did:example:x' },
      { validUntil: start + 91 * DAY_MS },
      { validUntil: start },
    ])
      assert.throws(() => wallet.issued.issue(issuer, { ...options, ...wrong }), {
        code: 'credential_invalid',
      });
    assert.deepEqual(wallet.issued.list(), []);
    assert.throws(() => wallet.issued.revoke(issuer, 'ab'), { code: 'credential_unknown' });
    assert.throws(() => wallet.issued.revoke(issuer, 'ab'.repeat(32)), { code: 'credential_unknown' });
    assert.throws(() => wallet.issued.publish(issuer, 'https://x'), { code: 'credential_unknown' });
    const made = wallet.issued.issue(issuer, options);
    assert.throws(() => wallet.issued.revoke(subject, made.digest), { code: 'credential_not_revocable' });
    await clock.advance(1);
    assert.equal(wallet.issued.list().length, 1);
  });
});

test('a list that a clock in the future dated is followed by one of today', async () => {
  await withHome(async (home) => {
    const wrong = createManualClock(start + 1000 * DAY_MS);
    using early = openWallet(home, { clock: wrong, random: systemRandom });
    early.issued.issue(issuer, {
      type: 'Uptime',
      subject: subject.did,
      claims: CLAIMS.Uptime,
      validFrom: start,
    });
    early.issued.publish(issuer, `${issuer.did}/status/1`);
    using wallet = openWallet(home, { clock: createManualClock(start), random: systemRandom });
    assert.equal(wallet.issued.due(issuer).length, 1);
    const read = readStatusList(wallet.issued.publish(issuer, `${issuer.did}/status/1`).bytes);
    assert.ok(!('fault' in read));
    assert.equal(read.validFrom, start);
  });
});

test('a process that is killed while it issues and revokes leaves a whole wallet', async () => {
  await withHome(async (home) => {
    const worker = join(import.meta.dirname, '..', 'testing', 'issue-forever.ts');
    const child = spawn(process.execPath, [worker, home], { stdio: ['ignore', 'pipe', 'inherit'] });
    const told: string[] = [];
    let rest = '';
    for await (const chunk of child.stdout!) {
      rest += chunk;
      const lines = rest.split('\n');
      rest = lines.pop()!;
      told.push(...lines);
      if (told.length >= 30) break;
    }
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');

    const clock = systemClock;
    using wallet = openWallet(home, { clock, random: systemRandom });
    const verifier = createCredentialVerifier({ clock, policy: acceptAll, status: wallet.lists });
    const rows = new Map(wallet.issued.list().map((row) => [row.digest, row]));
    const list = wallet.issued.publish(issuer, `${issuer.did}/status/1`);
    const read = readStatusList(list.bytes);
    assert.ok(!('fault' in read));
    for (const line of told) {
      const [digest, what] = line.split(' ');
      const row = rows.get(digest!);
      assert.ok(row !== undefined, 'what left the process is in the wallet');
      if (what === 'revoked') assert.notEqual(row.revokedAt, null);
      assert.equal(bitAt(read.bits, row.listIndex!), row.revokedAt !== null);
    }
    assert.equal(new Set([...rows.values()].map((row) => row.listIndex)).size, rows.size);
    const after = wallet.issued.issue(issuer, {
      type: 'Uptime',
      subject: subject.did,
      claims: CLAIMS.Uptime,
      validFrom: clock.now(),
    });
    assert.equal((await verifier.verify(after.bytes)).verdict.code, 'ok');
    assert.ok((await readFile(walletPath(home))).length > 0);
  });
});

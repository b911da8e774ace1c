import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  createManualClock,
  createSeededRandom,
  InputError,
  openDatabase,
  systemClock,
  systemRandom,
} from '../../base/index.ts';
import { issueCredential } from '../credentials/issue.ts';
import { DAY_MS } from '../credentials/kinds.ts';
import { presentCredentials, verifyPresentation } from '../credentials/present.ts';
import { readRequest, requestCredential } from '../credentials/request.ts';
import { createCredentialVerifier } from '../credentials/verify.ts';
import { bitAt, STATUS_LIST_ENTRIES, setBit } from '../status/bitstring.ts';
import { learnStatus } from '../status/learn.ts';
import { readStatusList, signStatusList } from '../status/list.ts';
import { publishStatusLists } from '../status/publish.ts';
import { acceptAll, CLAIMS, identityOf } from '../testing/credentials.ts';
import type { IssuerPolicy } from '../types.ts';
import { WALLET_MIGRATIONS } from './schema.ts';
import { openWallet, type Wallet, walletPath } from './wallet.ts';

const start = Date.UTC(2026, 10, 21);
const issuer = identityOf('issuer');
const subject = identityOf('subject');

async function withHome<T>(work: (home: string) => Promise<T>): Promise<T> {
  const home = await mkdtemp(join(tmpdir(), 'kith-wallet-'));
  try {
    return await work(home);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/** Runs `sql` with a JSON array of 0 to `count` - 1 in one transaction: many rows without as many syncs. */
function fill(home: string, sql: string, count: number): void {
  using database = openDatabase(walletPath(home), { migrations: WALLET_MIGRATIONS });
  database.prepare<never, [string]>(sql).run(JSON.stringify(Array.from({ length: count }, (_, n) => n)));
}

/** A wallet, a clock that stands, and a verifier over both. */
async function withWallet(
  work: (kit: ReturnType<typeof kitOf>) => Promise<void>,
  policy: IssuerPolicy = acceptAll,
): Promise<void> {
  await withHome(async (home) => {
    const kit = kitOf(home, policy);
    using _ = kit.wallet;
    await work(kit);
  });
}

function kitOf(home: string, policy: IssuerPolicy) {
  const clock = createManualClock(start);
  const wallet = openWallet(home, { clock, random: createSeededRandom(3) });
  const verifier = createCredentialVerifier({ clock, policy, status: wallet.lists });
  const issue = () =>
    wallet.issued.issue(issuer, {
      type: 'Uptime',
      subject: subject.did,
      claims: CLAIMS.Uptime,
      validFrom: clock.now(),
    });
  const codeOf = async (bytes: Uint8Array) => (await verifier.verify(bytes)).verdict.code;
  return { home, clock, wallet, verifier, issue, codeOf };
}

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

test('a list that is older, of another issuer, ended or from the future is refused', async () => {
  await withWallet(async ({ clock, wallet }) => {
    const id = 'https://issuer.example/status/1';
    const bits = new Uint8Array(STATUS_LIST_ENTRIES / 8);
    const listOf = (validFrom: number, by = issuer) => signStatusList(by, { id, bits, validFrom });
    const { lists } = wallet;
    const old = listOf(start - DAY_MS);
    const now = listOf(start);
    assert.equal(lists.isDue(issuer.did, id), true);
    assert.equal(lists.take(now, { id, issuer: issuer.did }), null);
    assert.equal(lists.take(now), null, 'the same again');
    assert.equal(lists.isDue(issuer.did, id), false);
    assert.match(lists.take(old) ?? '', /older/);
    setBit(bits, 5);
    assert.match(lists.take(listOf(start)) ?? '', /two different lists/);
    assert.match(lists.take(listOf(start + 301_000)) ?? '', /future/);
    assert.match(lists.take(listOf(start - 7 * DAY_MS, subject)) ?? '', /ended/);
    assert.match(
      lists.take(listOf(start, subject), { id, issuer: issuer.did }) ?? '',
      /not of the credential's issuer/,
    );
    assert.match(lists.take(now, { id: `${id}0`, issuer: issuer.did }) ?? '', /not https/);
    // Another issuer's list of the same name stands beside it.
    assert.equal(lists.take(listOf(start, subject)), null);
    assert.equal(lists.look({ list: id, index: 5 }, issuer.did, start).state, 'clear');
    assert.equal(lists.look({ list: id, index: 5 }, subject.did, start).state, 'revoked');
    assert.equal(lists.look({ list: id, index: STATUS_LIST_ENTRIES }, issuer.did, start).state, 'unknown');
    await clock.advance(3_600_000);
    assert.equal(lists.isDue(issuer.did, id), true, 'its ttl is over');
  });
});

test('the wallet has room for 1,024 status lists of others, and newer ones of those it has', async () => {
  await withWallet(async ({ wallet, home }) => {
    fill(
      home,
      "INSERT INTO seen_lists SELECT 'x', n, 0, 9e15, 0, n, x'00', 0 FROM (SELECT value AS n FROM json_each(?))",
      1023,
    );
    const bits = new Uint8Array(STATUS_LIST_ENTRIES / 8);
    const listOf = (n: number, validFrom = start) =>
      signStatusList(issuer, { id: `https://issuer.example/${n}`, bits, validFrom });
    assert.equal(wallet.lists.take(listOf(7)), null);
    assert.throws(() => wallet.lists.take(listOf(8)), {
      code: 'limit_reached',
      limit: 'wallet.statusLists',
    });
    assert.equal(wallet.lists.take(listOf(7, start + 1000)), null);
  });
});

test('a due list is fetched once, and what a server says in its place changes nothing', async () => {
  await withWallet(async ({ wallet, clock }) => {
    const url = 'https://issuer.example/status';
    const made = wallet.issued.issue(issuer, {
      type: 'Uptime',
      subject: subject.did,
      claims: CLAIMS.Uptime,
      validFrom: start,
      statusList: url,
    });
    const bits = new Uint8Array(STATUS_LIST_ENTRIES / 8);
    const good = signStatusList(issuer, { id: url, bits, validFrom: start });
    let asked = 0;
    const from = (bytes: Uint8Array) => (at: string) => {
      assert.equal(at, url);
      asked++;
      return Promise.resolve(bytes);
    };
    const forged = signStatusList(subject, { id: url, bits, validFrom: start });
    assert.match((await learnStatus(made.fields, wallet.lists, from(forged))) ?? '', /is not used/);
    const down = () => Promise.reject(new InputError('status_list_unreachable', 'down'));
    assert.equal(await learnStatus(made.fields, wallet.lists, down), 'down');
    assert.equal(await learnStatus(made.fields, wallet.lists, from(good)), null);
    assert.equal(await learnStatus(made.fields, wallet.lists, from(good)), null);
    assert.equal(asked, 2);
    await clock.advance(3_600_000);
    await learnStatus(made.fields, wallet.lists, from(good));
    assert.equal(asked, 3);
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

test('the wallet is for its owner only', { skip: process.platform === 'win32' }, async () => {
  await withWallet(async ({ home }) => {
    assert.equal((await stat(walletPath(home))).mode & 0o777, 0o600);
    assert.equal((await stat(join(home, 'identity'))).mode & 0o777, 0o700);
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

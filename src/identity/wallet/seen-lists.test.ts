import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InputError } from '../../base/index.ts';
import { DAY_MS } from '../credentials/kinds.ts';
import { STATUS_LIST_ENTRIES, setBit } from '../status/bitstring.ts';
import { learnStatus } from '../status/learn.ts';
import { signStatusList } from '../status/list.ts';
import { CLAIMS } from '../testing/credentials.ts';
import { fill, issuer, start, subject, withWallet } from '../testing/wallet.ts';

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
    assert.match(lists.take(listOf(start + 301_000)) ?? '', /ahead of this machine's clock/);
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

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createManualClock, createSeededRandom, silentLogger } from '../base/index.ts';
import { createIdentity, openWallet, readStatusList, walletPath } from '../identity/index.ts';
import { keepStatusLists } from './status-lists.ts';

const DAY_MS = 86_400_000;

test('status lists are signed at the start where they are due, and each night before they end', async () => {
  const home = await mkdtemp(join(tmpdir(), 'kith-lists-'));
  try {
    const clock = createManualClock(new Date(2026, 10, 21, 12).getTime());
    const random = createSeededRandom(1);
    const identity = createIdentity(new Uint8Array(32).fill(5));
    const options = { home, identity, clock, random, log: silentLogger };
    await (await keepStatusLists(options))[Symbol.asyncDispose]();
    assert.equal(existsSync(walletPath(home)), false);
    {
      using wallet = openWallet(home, { clock, random });
      wallet.issued.issue(identity, {
        type: 'Uptime',
        subject: createIdentity(new Uint8Array(32).fill(6)).did,
        claims: { uptimePermille: 999, periodDays: 30, probes: 100 },
        validFrom: clock.now(),
      });
    }
    const validFrom = async () => {
      const list = readStatusList(await readFile(join(home, 'identity', 'status', 'list-1.json')));
      assert.ok(!('fault' in list));
      return list.validFrom;
    };
    await using keeping = await keepStatusLists(options);
    assert.ok(keeping);
    let last = await validFrom();
    for (let day = 1; day <= 8; day++) {
      await clock.advance(DAY_MS);
      // The night's work writes a file, which takes turns of the event loop and not of this clock: it is over when the
      // next night is waited for.
      const end = performance.now() + 10_000;
      while (clock.sleeping === 0 && performance.now() < end) await new Promise(setImmediate);
      const now = await validFrom();
      assert.ok(now - last >= DAY_MS / 2 && clock.now() - now <= DAY_MS, `day ${day}`);
      last = now;
    }
  } finally {
    await rm(home, { recursive: true, force: true });
  }
});

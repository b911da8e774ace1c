import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createManualClock, isKithError } from '../base/index.ts';
import { openBanFile } from './swarm-bans.ts';

const homes: string[] = [];
after(() => Promise.all(homes.map((home) => rm(home, { recursive: true, force: true }))));

async function newHome(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'kith-bans-'));
  homes.push(home);
  return home;
}

const peer = '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN';
const other = '12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp';

test('bans outlive the one who set them, in a file for the owner alone', async () => {
  const home = await newHome();
  const clock = createManualClock();
  const bans = await openBanFile(home, clock);
  assert.deepEqual(bans.list(), []);
  const until = clock.now() + 1000;
  await Promise.all([bans.set(peer, null), bans.set(other, until)]);
  assert.equal((await stat(join(home, 'swarm', 'bans.json'))).mode & 0o777, 0o600);
  const again = await openBanFile(home, clock);
  assert.deepEqual(again.list(), [
    { peer, until: null },
    { peer: other, until },
  ]);
  assert.equal(await again.delete(peer), true);
  assert.equal(await again.delete(peer), false);
  assert.deepEqual((await openBanFile(home, clock)).list(), [{ peer: other, until }]);
});

test('a ban ends when its time is over', async () => {
  const clock = createManualClock();
  const bans = await openBanFile(await newHome(), clock);
  await bans.set(peer, clock.now() + 1000);
  clock.advance(999);
  assert.equal(bans.list().length, 1);
  clock.advance(1);
  assert.deepEqual(bans.list(), []);
  assert.equal(await bans.delete(peer), false);
});

test('a damaged file is an error and stays as it is', async () => {
  const damages = [
    '',
    '{',
    '[]',
    '{"version":2,"bans":[]}',
    '{"version":1,"bans":[{"peer":"x","until":null}]}',
  ];
  for (const text of damages) {
    const home = await newHome();
    const path = join(home, 'swarm', 'bans.json');
    await (await openBanFile(home, createManualClock())).set(peer, null);
    await writeFile(path, text);
    await assert.rejects(
      openBanFile(home, createManualClock()),
      (error: unknown) => isKithError(error) && error.code === 'bans_damaged',
    );
    assert.equal(await readFile(path, 'utf8'), text);
  }
});

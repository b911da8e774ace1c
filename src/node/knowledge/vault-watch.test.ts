import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { createManualClock, createSeededRandom, type ManualClock, silentLogger } from '../../base/index.ts';
import { startVaultWatch, VAULT_WATCH, type VaultWatchParts, type WatchedPlace } from './vault-watch.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let clock: ManualClock;
let places: WatchedPlace[];
let version: number | null;
let done: { readonly at: number; readonly what: string }[];
let away: boolean;
let repair: boolean;
let busy: boolean;
let looks: number;

const note = (what: string) => done.push({ at: clock.monotonic() / MINUTE, what });
const whats = () => done.map(({ what }) => what);

function watch(more: Partial<VaultWatchParts> = {}): AsyncDisposable {
  const left = async () => {
    if (away) throw new Error('All Eves are away.');
    return { repair };
  };
  return startVaultWatch({
    ...{ clock, random: createSeededRandom(1), log: silentLogger, autoSync: true, checkMs: 24 * HOUR },
    placed: async () => {
      looks += 1;
      return places;
    },
    versionOf: async () => version,
    busy: async () => busy,
    async run(_, op) {
      note(op);
      if (op === 'sync' && !away) places = places.map((place) => ({ ...place, version }));
      return !away;
    },
    tend: async () => {
      note('tend');
      return left();
    },
    check: async () => {
      note('check');
      return left();
    },
    clean: async () => void note('clean'),
    ...more,
  });
}

beforeEach(() => {
  clock = createManualClock();
  places = [{ id: 'kb-1', kb: 'notes', version: 1 }];
  version = 1;
  done = [];
  [away, repair, busy] = [false, false, false];
  looks = 0;
});

/** Time goes on in steps, so that all that is due is done. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 10_000) await clock.advance(Math.min(left, 10_000));
}

test('nothing is looked at in the first minute, and while nothing is placed nothing is done', async () => {
  places = [];
  await using _watch = watch({ clean: async () => undefined });
  await pass(MINUTE);
  assert.equal(looks, 0);
  await pass(24 * HOUR);
  assert.deepEqual(done, []);
  assert.ok(looks > 20 && looks < 24 * 60, `${looks}`);
});

test('a change is uploaded once it is quiet, and changes that go on are not waited for without end', async () => {
  await using _watch = watch();
  await pass(10 * MINUTE);
  done.length = 0;
  version = 2;
  await pass(MINUTE);
  assert.ok(!whats().includes('sync'));
  await pass(5 * MINUTE);
  assert.equal(whats().filter((what) => what === 'sync').length, 1);
  await pass(20 * MINUTE);
  done.length = 0;
  for (let i = 0; i < 90; i++) {
    version += 1;
    await pass(MINUTE);
  }
  const syncs = done.filter(({ what }) => what === 'sync');
  assert.ok(syncs.length >= 2 && syncs.length <= 4, `${syncs.length}`);
  for (const [i, { at }] of syncs.entries())
    if (i > 0) assert.ok((at - syncs[i - 1]!.at) * MINUTE >= 0.75 * VAULT_WATCH.betweenMs);
});

test('with the setting off changes wait for their owner, and what is placed is looked after all the same', async () => {
  await using _watch = watch({ autoSync: false });
  version = 2;
  await pass(26 * HOUR);
  assert.ok(!whats().includes('sync'));
  assert.ok(whats().includes('tend') && whats().includes('check'));
});

test('tenants are looked after twice a day and pieces asked for once, though nothing changes', async () => {
  await using _watch = watch();
  await pass(7 * 24 * HOUR);
  const times = (what: string) => whats().filter((each) => each === what).length;
  assert.ok(times('tend') >= 11 && times('tend') <= 20, `${times('tend')}`);
  assert.ok(times('check') >= 5 && times('check') <= 10, `${times('check')}`);
  assert.ok(times('clean') >= 11 && times('clean') <= 20, `${times('clean')}`);
  assert.deepEqual([times('sync'), times('repair')], [0, 0]);
});

test('no spot checks are made where none are wanted', async () => {
  await using _watch = watch({ checkMs: 0 });
  await pass(5 * 24 * HOUR);
  assert.ok(!whats().includes('check'));
});

test('what a look finds lost is repaired', async () => {
  await using _watch = watch();
  repair = true;
  await pass(12 * HOUR);
  assert.ok(whats().includes('repair'));
  const at = whats().indexOf('repair');
  assert.ok(['tend', 'check'].includes(whats()[at - 1]!));
});

test('while Eves are away it is tried less and less often, and at once again when they are back', async () => {
  await using _watch = watch();
  await pass(5 * MINUTE);
  away = true;
  version = 2;
  done.length = 0;
  await pass(48 * HOUR);
  const tries = done.filter(({ what }) => what === 'sync').map(({ at }) => at);
  assert.ok(tries.length >= 8 && tries.length <= 20, `${tries.length}`);
  const last = tries.at(-1)! - tries.at(-2)!;
  assert.ok(last * MINUTE >= 0.75 * VAULT_WATCH.againMostMs, `${last} minutes`);
  away = false;
  await pass(8 * HOUR);
  done.length = 0;
  version = 3;
  await pass(20 * MINUTE);
  assert.deepEqual(whats().filter((what) => what === 'sync').length, 1);
});

test('one that is not here, or has jobs, is left alone', async () => {
  await using _watch = watch({ clean: async () => undefined });
  version = null;
  await pass(30 * HOUR);
  assert.deepEqual(done, []);
  version = 5;
  busy = true;
  await pass(30 * HOUR);
  assert.deepEqual(done, []);
  busy = false;
  await pass(10 * MINUTE);
  assert.ok(whats().includes('sync'));
});

test('a knowledge base that cannot be looked at does not end the others, and who closes it waits for nothing', async () => {
  places = [{ id: 'kb-0', kb: 'broken', version: 1 }, ...places];
  const watching = watch({
    busy: async (kb) => {
      if (kb === 'broken') throw new Error('It cannot be read.');
      return false;
    },
    tend: async (kb) => {
      if (kb === 'broken') throw new Error('It cannot be read.');
      note('tend');
      return { repair: false };
    },
  });
  await pass(24 * HOUR);
  assert.ok(whats().includes('tend'));
  await watching[Symbol.asyncDispose]();
  assert.equal(clock.sleeping, 0);
});

test('uploads that fail for good keep nobody from renewing tenants and asking for pieces', async () => {
  await using _watch = watch({
    async run(_, op) {
      note(op);
      return false;
    },
  });
  version = 2;
  await pass(5 * 24 * HOUR);
  const times = (what: string) => whats().filter((each) => each === what).length;
  assert.ok(times('tend') >= 7 && times('tend') <= 15, `${times('tend')}`);
  assert.ok(times('check') >= 3 && times('check') <= 8, `${times('check')}`);
  assert.ok(times('sync') >= 10 && times('sync') <= 80, `${times('sync')}`);
});

test('what is looked after without success keeps nobody from uploading', async () => {
  const fails = async (): Promise<never> => {
    throw new Error('The Eves show an older state.');
  };
  await using _watch = watch({ tend: fails, check: fails });
  await pass(3 * 24 * HOUR);
  done.length = 0;
  version = 2;
  await pass(HOUR);
  assert.equal(whats().filter((what) => what === 'sync').length, 1);
});

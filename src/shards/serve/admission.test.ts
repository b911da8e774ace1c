import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createManualClock, isKithError, KithError } from '../../base/index.ts';
import {
  type AdmissionBounds,
  type Ask,
  createAdmission,
  type Grant,
  type Rank,
  rankOf,
  YIELD_MS,
} from './admission.ts';

const BOUNDS: AdmissionBounds = {
  sessions: 4,
  sessionsPerPeer: 4,
  cells: null,
  idleMs: 60_000,
  leaseMs: 600_000,
  logBytes: 1e9,
};
const ASK: Ask = { peer: 'a', rank: 3, pool: 'p', poolCells: 1024, cells: 256, logBytes: 0 };

function bench(bounds: Partial<AdmissionBounds> = {}) {
  const clock = createManualClock();
  let changes = 0;
  const admission = createAdmission({ bounds: { ...BOUNDS, ...bounds }, clock, onChange: () => changes++ });
  return { clock, admission, changes: () => changes };
}

function refusal(ask: () => unknown): KithError {
  try {
    ask();
  } catch (error) {
    if (isKithError(error)) return error;
    throw error;
  }
  throw new Error('It was let in.');
}

const endOf = (grant: Grant): Promise<string> => grant.over.catch((error: KithError) => error.code);

test('what is in use stays within every bound, a refusal always names a time, and by then there is room', async () => {
  const rank = fc.integer({ min: 0, max: 3 }) as fc.Arbitrary<Rank>;
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('open' as const),
      peer: fc.nat({ max: 4 }),
      rank,
      pool: fc.constantFrom('p', 'q'),
      cells: fc.integer({ min: 1, max: 600 }),
      logBytes: fc.nat({ max: 400 }),
    }),
    fc.record({ kind: fc.constant('step' as const), pick: fc.nat(), rows: fc.nat({ max: 99 }) }),
    fc.record({ kind: fc.constant('close' as const), pick: fc.nat() }),
    fc.record({ kind: fc.constant('wait' as const), ms: fc.nat({ max: 50_000 }) }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 60 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 5 }),
      fc.option(fc.integer({ min: 100, max: 1500 })),
      async (steps, sessions, sessionsPerPeer, cells) => {
        const { clock, admission } = bench({ sessions, sessionsPerPeer, cells, logBytes: 1000 });
        const open: { grant: Grant; ask: Ask }[] = [];
        const over: Ask[] = [];
        const ranks = new Map<string, Rank>();
        for (const one of steps) {
          if (one.kind === 'open') {
            const peer = `p${one.peer}`;
            // A peer has one tier at a time.
            const rank = ranks.get(peer) ?? one.rank;
            ranks.set(peer, rank);
            const ask: Ask = { ...one, peer, rank, poolCells: 1024 };
            try {
              const grant = admission.open(ask);
              open.push({ grant, ask });
              grant.over.catch(() => over.push(ask));
            } catch (error) {
              assert.ok(isKithError(error));
              if (error.code === 'shard_quota') continue;
              assert.equal(error.code, 'shard_busy');
              assert.ok(error.retryAfter! >= 1 && error.retryAfter! <= BOUNDS.leaseMs / 1000 + 1);
            }
          } else if (one.kind === 'wait') await clock.advance(one.ms);
          else if (open.length > 0) {
            const at = one.pick % open.length;
            if (one.kind === 'step') open[at]!.grant.note(one.rows);
            else open.splice(at, 1)[0]!.grant[Symbol.dispose]();
          }
          const all = admission.all();
          assert.ok(all.length <= sessions);
          assert.ok(all.reduce((sum, { cells }) => sum + cells, 0) <= (cells ?? 2048));
          for (const pool of ['p', 'q'])
            assert.ok(all.filter((x) => x.pool === pool).reduce((sum, { cells }) => sum + cells, 0) <= 1024);
          for (const [peer, rank] of ranks) {
            const own = all.filter((x) => x.peer === peer);
            assert.ok(own.length <= Math.max(1, Math.floor(sessionsPerPeer * [0.25, 0.5, 0.75, 1][rank]!)));
          }
          for (const { leftMs } of all) assert.ok(leftMs >= 0 && leftMs <= BOUNDS.leaseMs);
        }
        // Nobody steps any more: by the time that the last refusal names there is room.
        const ask: Ask = { ...ASK, peer: 'late', cells: Math.min(256, cells ?? 256) };
        try {
          admission.open(ask);
        } catch (error) {
          await clock.advance((error as KithError).retryAfter! * 1000);
          admission.open(ask);
        }
        admission[Symbol.dispose]();
      },
    ),
    { numRuns: 300 },
  );
});

test('a session without steps ends with the reason, one that steps goes on', async () => {
  const { clock, admission, changes } = bench();
  const idle = admission.open(ASK);
  const busy = admission.open(ASK);
  const ended = endOf(idle);
  for (let i = 0; i < 8; i++) {
    await clock.advance(10_000);
    busy.note(1);
  }
  assert.equal(await ended, 'shard_idle');
  assert.deepEqual(
    admission.all().map(({ rows, idleMs }) => [rows, idleMs]),
    [[8, 0]],
  );
  // Two came, one went.
  assert.equal(changes(), 3);
});

test('the longest time ends a session only when somebody was refused for want of room', async () => {
  const { clock, admission } = bench({ sessions: 1 });
  const grant = admission.open(ASK);
  const live = async (ms: number) => {
    for (let i = 0; i < ms / 30_000; i++) {
      grant.note(1);
      await clock.advance(30_000);
    }
  };
  await live(BOUNDS.leaseMs + 60_000);
  assert.equal(admission.all().length, 1);
  const busy = refusal(() => admission.open({ ...ASK, peer: 'b' }));
  assert.deepEqual([busy.code, busy.status, busy.retryAfter], ['shard_busy', 503, 30]);
  const ended = endOf(grant);
  await live(BOUNDS.leaseMs);
  assert.equal(await ended, 'shard_lease_over');
  admission.open({ ...ASK, peer: 'b' });
});

test('lower tiers get less, leave room for higher ones, and what rests of theirs makes more', async () => {
  const { clock, admission } = bench({ sessions: 4, sessionsPerPeer: 4 });
  const open = (peer: string, rank: Rank, cells = 64) => admission.open({ ...ASK, peer, rank, cells });
  const low = open('low', 0);
  assert.match(refusal(() => open('low', 0)).message, /1 of the 1 sessions/);
  open('low too', 0);
  // Half of the room is for higher tiers.
  assert.equal(refusal(() => open('low three', 0)).code, 'shard_busy');
  open('high', 3);
  open('high', 3);
  assert.equal(refusal(() => open('high', 3)).code, 'shard_busy');
  const ended = endOf(low);
  await clock.advance(YIELD_MS);
  open('high', 3);
  assert.equal(await ended, 'shard_lease_over');
  assert.deepEqual(
    admission
      .all()
      .map(({ peer }) => peer)
      .sort(),
    ['high', 'high', 'high', 'low too'],
  );
});

test('who has all that it gets ends no session of others by asking for more', async () => {
  const { clock, admission } = bench({ sessions: 4, sessionsPerPeer: 1 });
  const own = admission.open(ASK);
  const other = admission.open({ ...ASK, peer: 'b' });
  assert.match(refusal(() => admission.open(ASK)).message, /1 of the 1 sessions/);
  const ended = endOf(own);
  for (let i = 0; i <= BOUNDS.leaseMs / 30_000; i++) {
    for (const grant of [own, other]) grant.note(1);
    await clock.advance(30_000);
  }
  assert.equal(await ended, 'shard_lease_over');
  assert.deepEqual(
    admission.all().map(({ peer }) => peer),
    ['b'],
  );
});

test('what a peer never gets is refused as such, with what it gets', () => {
  const { admission } = bench();
  const refused = refusal(() => admission.open({ ...ASK, rank: 1, cells: 513 }));
  assert.deepEqual([refused.code, refused.status, refused.retryAfter], ['shard_quota', 413, undefined]);
  assert.match(refused.message, /512 KV cells/);
});

test('free cells are those that can be had, and none when there is no room for a session', () => {
  const { admission } = bench({ sessions: 2, cells: 1500 });
  assert.equal(admission.freeCells('p', 1024), 1024);
  admission.open(ASK);
  assert.deepEqual([admission.freeCells('p', 1024), admission.freeCells('q', 1024)], [768, 1024]);
  const second = admission.open({ ...ASK, pool: 'q', cells: 512 });
  assert.equal(admission.freeCells('p', 1024), 0);
  second[Symbol.dispose]();
  assert.equal(admission.freeCells('p', 1024), 768);
});

test('all sessions of lost blocks end with what is said of them, those of others stay', async () => {
  const { admission } = bench();
  const one = admission.open(ASK);
  admission.open({ ...ASK, pool: 'q' });
  const ended = endOf(one);
  admission.end(new KithError('engine_lost', 'It died.'), 'p');
  assert.equal(await ended, 'engine_lost');
  assert.deepEqual(
    admission.all().map(({ pool }) => pool),
    ['q'],
  );
});

test('friends of the owner stand with the highest tier', () => {
  assert.deepEqual([rankOf('unknown', true), rankOf('trusted', false), rankOf('unknown', false)], [3, 3, 0]);
});

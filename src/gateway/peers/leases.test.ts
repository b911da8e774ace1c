import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createManualClock, createSeededRandom } from '../../base/index.ts';
import { createAllowance } from './allowance.ts';
import { createLeases, IDLE_MS, type Lease, OWN_IDLE_MS } from './leases.ts';
import { isOpen, refusalOf, SERVE_NOBODY, settlePolicy } from './policy.ts';

function bench(more = {}) {
  const clock = createManualClock();
  const policy = settlePolicy({ models: ['m'], minTier: 'known', maxConcurrent: 2, maxPerPeer: 1, ...more });
  const leases = createLeases(() => clock.monotonic(), createSeededRandom(1));
  const ask = (peer: string) => leases.ask(peer, 'm', 'chat', 60_000, policy);
  return { clock, policy, leases, ask };
}

test('there are never more leases than the policy gives, to one peer or to all', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('ask' as const), peer: fc.nat({ max: 4 }) }),
    fc.record({ kind: fc.constant('use' as const), pick: fc.nat() }),
    fc.record({ kind: fc.constant('back' as const), pick: fc.nat() }),
    fc.record({ kind: fc.constant('wait' as const), ms: fc.nat({ max: 40_000 }) }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 60 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 3 }),
      async (steps, maxConcurrent, maxPerPeer) => {
        const { clock, leases, ask } = bench({ maxConcurrent, maxPerPeer });
        const used: Lease[] = [];
        for (const one of steps) {
          if (one.kind === 'ask') {
            const outcome = ask(`p${one.peer}`);
            assert.ok(outcome.ms > 0);
          } else if (one.kind === 'wait') await clock.advance(one.ms);
          else if (one.kind === 'use') {
            const all = leases.all();
            const lease = all[one.pick % Math.max(1, all.length)];
            const taken = lease === undefined ? null : leases.take(lease.id, lease.peer, 'chat');
            if (taken !== null) used.push(taken);
          } else if (used.length > 0) leases.giveBack(used.splice(one.pick % used.length, 1)[0]!);
          const all = leases.all();
          assert.ok(all.length <= maxConcurrent);
          for (const { peer } of all)
            assert.ok(all.filter((other) => other.peer === peer).length <= maxPerPeer);
          // What runs is never taken away.
          for (const lease of used) assert.ok(all.includes(lease));
        }
      },
    ),
    { numRuns: 200 },
  );
});

test('an idle lease goes to another peer that asks, one in use does not', async () => {
  const { clock, leases, ask } = bench({ maxConcurrent: 1 });
  const first = ask('a');
  assert.ok(first.state === 'granted');
  assert.ok(ask('b').state === 'busy');
  await clock.advance(IDLE_MS);
  assert.ok(ask('b').state === 'granted');
  assert.equal(leases.take(first.lease.id, 'a', 'chat'), null);
  const held = leases.all()[0]!;
  assert.ok(leases.take(held.id, 'b', 'chat'));
  await clock.advance(IDLE_MS);
  assert.ok(ask('a').state === 'busy');
});

test('a peer whose grant was lost has its room back soon', async () => {
  const { clock, ask } = bench();
  ask('a');
  const busy = ask('a');
  assert.ok(busy.state === 'busy' && busy.ms <= OWN_IDLE_MS);
  await clock.advance(busy.ms);
  assert.ok(ask('a').state === 'granted');
});

test('a lease ends with its time, unless it is in use', async () => {
  const { clock, leases, ask } = bench();
  const granted = ask('a');
  assert.ok(granted.state === 'granted');
  const lease = leases.take(granted.lease.id, 'a', 'chat')!;
  await clock.advance(600_000);
  assert.deepEqual(leases.all(), [lease]);
  leases.giveBack(lease);
  assert.deepEqual(leases.all(), []);
});

test('only its peer takes or gives back a lease', () => {
  const { leases, ask } = bench();
  const granted = ask('a');
  assert.ok(granted.state === 'granted');
  leases.release(granted.lease.id, 'b');
  assert.equal(leases.take(granted.lease.id, 'b', 'chat'), null);
  assert.equal(leases.take(granted.lease.id, 'a', 'embedding'), null);
  assert.ok(leases.take(granted.lease.id, 'a', 'chat'));
  assert.equal(leases.take(granted.lease.id, 'a', 'chat'), null);
});

test('a peer gets its tokens of a minute and what is over is paid by waiting', async () => {
  const clock = createManualClock();
  const allowance = createAllowance(() => clock.monotonic());
  assert.equal(allowance.left('a', 60), 60);
  allowance.take('a', 90, 60);
  assert.equal(allowance.left('b', 60), 60);
  assert.equal(allowance.wait('a', 60), 31_000);
  await clock.advance(31_000);
  assert.equal(allowance.wait('a', 60), 0);
  await clock.advance(600_000);
  assert.equal(allowance.left('a', 60), 60);
});

test('nobody is served without a word of the owner', () => {
  const policy = settlePolicy(SERVE_NOBODY);
  const about = { peer: 'a', model: 'm', task: 'chat', minute: 0 } as const;
  assert.equal(refusalOf(policy, { ...about, tier: 'trusted' })!.reason, 'not_allowed');
  const friend = settlePolicy({ peers: ['a'] });
  assert.equal(refusalOf(friend, { ...about, tier: 'unknown' })!.reason, 'model_not_served');
  const night = settlePolicy({ minTier: 'verified', models: ['m'], hours: { from: 1320, to: 360 } });
  assert.equal(refusalOf(night, { ...about, tier: 'known' })!.reason, 'not_allowed');
  assert.equal(refusalOf(night, { ...about, tier: 'verified', minute: 720 })!.reason, 'closed');
  assert.equal(refusalOf(night, { ...about, tier: 'verified', minute: 1400 }), null);
});

test('hours may go over midnight', () => {
  const at = (from: number, to: number, minute: number) =>
    isOpen(settlePolicy({ hours: { from, to } }), minute);
  assert.deepEqual(
    [at(60, 120, 59), at(60, 120, 60), at(60, 120, 119), at(60, 120, 120)],
    [false, true, true, false],
  );
  assert.deepEqual(
    [at(1380, 60, 1379), at(1380, 60, 1380), at(1380, 60, 0), at(1380, 60, 60)],
    [false, true, true, false],
  );
});

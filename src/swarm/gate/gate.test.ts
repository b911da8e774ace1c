import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createManualClock } from '../../base/index.ts';
import type { Misbehaviour } from '../types.ts';
import { AddressRules } from './addresses.ts';
import { TokenBucket } from './bucket.ts';
import { Counters } from './counters.ts';
import { Gate, type GateSettings, STRIKE_OUT_MS } from './gate.ts';
import { Ledger } from './ledger.ts';

function gateWith(settings: GateSettings = {}) {
  const clock = createManualClock();
  const told: [string, Misbehaviour, number | null][] = [];
  const cut: string[] = [];
  const counters = new Counters();
  const gate = new Gate(settings, clock, counters, {
    misbehaved: (peer, kind, until) => told.push([peer, kind, until]),
    cut: (peer) => cut.push(peer),
  });
  return { gate, clock, told, cut, counters };
}

describe('a token bucket', () => {
  test('gives its burst and then its rate', () => {
    const bucket = new TokenBucket(10, 5, 0);
    for (let index = 0; index < 5; index++) assert.equal(bucket.take(1, 0), true);
    assert.equal(bucket.take(1, 0), false);
    assert.equal(bucket.wait(1, 0), 100);
    assert.equal(bucket.take(1, 99), false);
    assert.equal(bucket.take(1, 100), true);
    assert.equal(bucket.full(10_000), true);
  });

  test('never gives more than burst and rate together, whatever is asked when', () => {
    const asks = fc.array(fc.tuple(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 1, max: 9 })), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(asks, (steps) => {
        const bucket = new TokenBucket(20, 10, 0);
        let now = 0;
        let given = 0;
        for (const [later, count] of steps) {
          now += later;
          if (bucket.take(count, now)) given += count;
        }
        assert.ok(given <= 10 + (now * 20) / 1000 + 1e-6);
      }),
    );
  });

  test('says how long a debt takes', () => {
    const bucket = new TokenBucket(1000, 100, 0);
    assert.equal(bucket.spend(100, 0), 0);
    assert.equal(bucket.spend(50, 0), 50);
    assert.equal(bucket.spend(0, 50), 0);
  });

  test('takes a clock that goes back for one that stands', () => {
    const bucket = new TokenBucket(10, 1, 1000);
    assert.equal(bucket.take(1, 1000), true);
    assert.equal(bucket.take(1, 0), false);
    assert.equal(bucket.take(1, 1099), false);
    assert.equal(bucket.take(1, 1100), true);
  });
});

describe('the byte budget', () => {
  test('gives one peer a quarter and all of them no more than there is', () => {
    const { budget } = gateWith({ maxBytesInFlight: 100 }).gate;
    assert.equal(budget.reserve('a', 25), true);
    assert.equal(budget.reserve('a', 1), false);
    for (const peer of ['b', 'c', 'd']) assert.equal(budget.reserve(peer, 25), true);
    assert.equal(budget.reserve('e', 1), false);
    budget.release('b', 10);
    assert.equal(budget.reserve('e', 10), true);
    assert.deepEqual([budget.held, budget.heldBy('b'), budget.heldBy('nobody')], [100, 15, 0]);
    assert.equal(budget.reserve('f', 0), true);
  });
});

describe('address rules', () => {
  test('admit by prefix, deny before allow', () => {
    const rules = new AddressRules(['10.0.0.0/8', 'fd00::/8'], ['10.1.0.0/16', '10.2.3.4']);
    const admits = (address: string) => rules.admits(address);
    assert.equal(admits('/ip4/10.9.0.1/tcp/1'), true);
    assert.equal(admits('/ip4/10.1.0.1/tcp/1'), false);
    assert.equal(admits('/ip4/10.2.3.4/tcp/1/p2p/x'), false);
    assert.equal(admits('/ip4/192.168.0.1/tcp/1'), false);
    assert.equal(admits('/ip6/fd00::1/tcp/1'), true);
    assert.equal(admits('/ip6/2001:db8::1/tcp/1'), false);
    assert.equal(admits('/ip6/::ffff:10.1.0.1/tcp/1'), false);
    assert.equal(admits('/ip4/192.168.0.1/tcp/1/p2p/relay/p2p-circuit'), true);
    assert.equal(new AddressRules([], []).admits('/ip4/8.8.8.8/tcp/1'), true);
  });

  test('take no prefix that is none', () => {
    for (const bad of ['10.0.0.0/33', '::/129', 'example.com', '10.0.0.0/8/9', '10.0.0.0/x', ''])
      assert.throws(() => new AddressRules([bad], []), { code: 'swarm_address_invalid' });
  });
});

describe('the gate', () => {
  test('bans until the time given, or for good', () => {
    const { gate, clock, cut } = gateWith({
      bans: [
        { peer: 'old', until: 1 },
        { peer: 'kept', until: null },
      ],
    });
    assert.deepEqual([gate.banned('old'), gate.banned('kept'), gate.banned('other')], [false, true, false]);
    gate.ban('other', clock.now() + 1000);
    assert.deepEqual(cut, ['other']);
    assert.equal(gate.banned('other'), true);
    assert.equal(gate.bans().length, 2);
    void clock.advance(1000);
    assert.equal(gate.banned('other'), false);
    gate.unban('kept');
    assert.deepEqual(gate.bans(), []);
  });

  test('tells of each misbehaviour, and cuts and refuses the peer with too many', () => {
    const { gate, clock, told, cut, counters } = gateWith({ strikes: 3 });
    gate.strike('p', 'garbage');
    gate.strike('p', 'rate');
    assert.equal(gate.banned('p'), false);
    gate.strike('p', 'window');
    const until = clock.now() + STRIKE_OUT_MS;
    assert.deepEqual(told, [
      ['p', 'garbage', null],
      ['p', 'rate', null],
      ['p', 'window', until],
    ]);
    assert.deepEqual([cut, gate.banned('p'), counters.read().misbehaviours], [['p'], true, 3]);
    void clock.advance(STRIKE_OUT_MS);
    assert.equal(gate.banned('p'), false);
  });

  test('forgets strikes that are long ago, and never shortens a ban', () => {
    const { gate, clock } = gateWith({ strikes: 2 });
    gate.strike('p', 'garbage');
    void clock.advance(11 * 60_000);
    gate.strike('p', 'garbage');
    assert.equal(gate.banned('p'), false);
    gate.ban('p', null);
    gate.strike('p', 'garbage');
    assert.deepEqual(gate.bans(), [{ peer: 'p', until: null }]);
  });

  test('counts requests, sessions and strangers within bounds', () => {
    const { gate, clock, counters } = gateWith({
      requestsPerSecond: 2,
      requestBurst: 2,
      maxSessionsPerPeer: 1,
    });
    assert.deepEqual([gate.request('p'), gate.request('p'), gate.request('p')], [0, 0, 500]);
    assert.equal(counters.read().refusedRequests, 1);
    assert.equal(gate.request('q'), 0);
    void clock.advance(500);
    assert.equal(gate.request('p'), 0);
    assert.deepEqual([gate.openSession('p'), gate.openSession('p')], [true, false]);
    // Thousands of others do not make it forget a session that stands.
    for (let index = 0; index < 5000; index++) gate.request(`stranger ${index}`);
    assert.equal(gate.openSession('p'), false);
    gate.closeSession('p');
    assert.equal(gate.openSession('p'), true);
  });
});

describe('the ledger', () => {
  test('counts as one what two threads see of a peer', () => {
    const ledger = new Ledger(4);
    const other = new Ledger(ledger.buffer);
    assert.equal(other.places, 4);
    const rate = { perSecond: 1000, burst: 100 };
    assert.equal(ledger.spend(1, 60, rate, 0), 0);
    assert.equal(other.spend(1, 60, rate, 0), 20);
    assert.equal(other.spend(2, 60, rate, 0), 0);
    assert.deepEqual([ledger.hold(1, 70, 100), other.hold(1, 40, 100)], [true, false]);
    other.letGo(1, 50);
    assert.deepEqual([ledger.held(1), ledger.hold(1, 80, 100)], [20, true]);
    assert.deepEqual([ledger.openSession(3, 1), other.openSession(3, 1)], [true, false]);
    other.closeSession(3);
    other.closeSession(3);
    assert.equal(ledger.sessions(3), 0);
    ledger.clear(1);
    assert.deepEqual([other.held(1), other.spend(1, 100, rate, 0)], [0, 0]);
  });

  test('gives no more than burst and rate together, and never holds beyond its limit', () => {
    const step = fc.tuple(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: 60 }), fc.boolean());
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const ledger = new Ledger(1);
        const taken: number[] = [];
        let [now, given] = [0, 0];
        for (const [later, bytes, back] of steps) {
          now += later;
          const wait = ledger.request(1, { perSecond: 20, burst: 10 }, now);
          if (wait === 0) given++;
          assert.ok(wait >= 0 && wait <= 50 && given <= 10 + (now * 20) / 1000 + 1e-6);
          if (back) ledger.letGo(1, taken.pop() ?? 0);
          else if (ledger.hold(1, bytes, 100)) taken.push(bytes);
          const held = taken.reduce((sum, one) => sum + one, 0);
          assert.ok(ledger.held(1) === held && held <= 100);
        }
      }),
    );
  });

  test('keeps the place of a peer that is pinned, however many others come', () => {
    const { gate } = gateWith({ maxSessionsPerPeer: 1 });
    const place = gate.pin('p');
    for (let index = 0; index < 5000; index++) gate.request(`stranger ${index}`);
    assert.equal(gate.pin('p'), place);
    gate.unpin('p');
    gate.unpin('p');
    for (let index = 0; index < 5000; index++) gate.request(`other ${index}`);
    assert.notEqual(gate.pin('p'), place);
  });
});

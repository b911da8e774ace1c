/** Where peers stand in the circle. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boxAt, distanceOf, edges, labelsOf, standsOf, tiers } from './layout.ts';

const radius = ({ x, y }: { x: number; y: number }) => Math.hypot(x, y);

test('every tier has its ring, and within it nearer means faster', () => {
  let inner = 0;
  for (const tier of tiers) {
    const all = [0.2, 3, 40, 900, 60_000].map((rttMs) => distanceOf(tier, rttMs));
    assert.deepEqual(
      all,
      all.toSorted((a, b) => a - b),
    );
    assert.ok(all[1]! < all[2]! && all[0]! > inner && all.at(-1)! < edges[tier], tier);
    assert.equal(distanceOf(tier, null), distanceOf(tier, 1_000));
    inner = edges[tier];
  }
});

test('a peer keeps its angle when its round trip changes', () => {
  const at = (rttMs: number) => standsOf([{ peer: 'ada', tier: 'known', rttMs }]).get('ada')!;
  const [near, far] = [at(2), at(200)];
  assert.ok(Math.abs(Math.atan2(near.y, near.x) - Math.atan2(far.y, far.x)) < 1e-9);
  assert.ok(radius(near) < radius(far));
});

test('peers stand apart from each other and from the names of the rings', () => {
  for (const count of [1, 2, 12, 60]) {
    const peers = Array.from({ length: count }, (_, n) => ({
      peer: `peer ${n}`,
      tier: 'unknown' as const,
      rttMs: 50,
    }));
    const stands = [...standsOf(peers).values()];
    assert.equal(stands.length, count);
    const least = Math.min(24, 299 / count);
    for (const [index, one] of stands.entries()) {
      const fromTop = Math.abs((Math.atan2(one.x, -one.y) * 180) / Math.PI);
      assert.ok(fromTop > 29.9, `${count}: ${fromTop}`);
      for (const other of stands.slice(index + 1)) {
        const cosine = (one.x * other.x + one.y * other.y) / (radius(one) * radius(other));
        assert.ok(
          (Math.acos(Math.max(-1, Math.min(1, cosine))) * 180) / Math.PI > least - 0.1,
          `${count} peers`,
        );
      }
    }
  }
});

test('a name stands beside its mark, never over another one or outside, and is left out where there is no room', () => {
  const alone = labelsOf([{ peer: 'ada', x: 40, y: 0 }], 200, []);
  assert.deepEqual(alone.get('ada'), { x: 53, y: -1, anchor: 'start' });
  // At the edge it goes to the other side.
  assert.equal(labelsOf([{ peer: 'ada', x: 190, y: 0 }], 200, []).get('ada')?.anchor, 'end');
  const crowd = Array.from({ length: 9 }, (_, n) => ({
    peer: `${n}`,
    x: (n % 3) * 20,
    y: Math.floor(n / 3) * 20,
  }));
  const named = labelsOf(crowd, 200, []);
  assert.ok(named.size > 0 && named.size < crowd.length);
  assert.equal(labelsOf(crowd, 200, [boxAt(-200, -200, 400, 400)]).size, 0);
});

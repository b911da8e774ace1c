/** Where peers stand in the circle. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distanceOf, edges, standsOf, tiers } from './layout.ts';

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

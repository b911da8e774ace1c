import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { blockId } from '../block.ts';
import { orderFor, type Place, placesFor } from './rendezvous.ts';

const blocks = Array.from({ length: 2000 }, (_, i) => blockId(Buffer.from(`block ${i}`)));
const evesOf = (count: number, operator: (i: number) => string | null = () => null): Place[] =>
  Array.from({ length: count }, (_, i) => ({ peer: `12D3KooW${i}`, operator: operator(i) }));

test('a join moves as many blocks as the new Eve gets, and no others', () => {
  for (const count of [2, 5, 11]) {
    const eves = evesOf(count);
    const more = evesOf(count + 1);
    const moved = blocks.filter((block) => orderFor(block, eves)[0]!.peer !== orderFor(block, more)[0]!.peer);
    assert.ok(moved.every((block) => orderFor(block, more)[0]!.peer === `12D3KooW${count}`));
    assert.ok(moved.length <= (1.2 * blocks.length) / (count + 1), `${moved.length} of ${blocks.length}`);
  }
});

test('blocks spread evenly', () => {
  const counts = new Map<string, number>();
  for (const block of blocks)
    for (const { peer } of placesFor(block, evesOf(11), 2).slice(0, 2))
      counts.set(peer, (counts.get(peer) ?? 0) + 1);
  const ideal = (2 * blocks.length) / 11;
  assert.ok(
    [...counts.values()].every((n) => Math.abs(n - ideal) < 0.2 * ideal),
    [...counts.values()].join(),
  );
});

test('copies go to different operators while there are some, and every Eve is in the order once', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 5 }),
      fc.nat(1999),
      (count, replicas, n) => {
        const eves = evesOf(count, (i) => (i === 0 ? null : `operator ${i % 3}`));
        const order = placesFor(blocks[n]!, eves, replicas);
        assert.deepEqual(new Set(order), new Set(eves));
        const all = new Set(eves.map(({ operator }) => operator));
        const chosen = new Set(order.slice(0, replicas).map(({ operator }) => operator));
        assert.equal(chosen.size, Math.min(replicas, all.size, count));
        assert.deepEqual(
          order,
          placesFor(blocks[n]!, [...eves].reverse(), replicas),
          'whatever the order of Eves',
        );
      },
    ),
  );
});

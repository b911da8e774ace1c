import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../test/property.ts';
import { BLOCK_MAX_BYTES, blockId, isLeafOf, LEAF_BYTES, leafCount, proveLeaf } from './block.ts';

const lengths = fc.oneof(
  fc.integer({ min: 0, max: 5 * LEAF_BYTES }),
  fc.constantFrom(0, 1, LEAF_BYTES - 1, LEAF_BYTES, LEAF_BYTES + 1, 7 * LEAF_BYTES, 33 * LEAF_BYTES + 5),
);
const blockOf = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 31 + seed * 7 + (i >> 8)) & 255);

test('a block has a name that does not change between versions', () => {
  assert.equal(
    blockId(new Uint8Array(0)),
    'f2b2f05a836b7f4277d8cfd5cf46db32f029b4d30a7c991b2a434614a3066a50',
  );
  assert.equal(
    blockId(blockOf(3 * LEAF_BYTES + 17, 1)),
    'd835307acb23c7b251bd33f9e990853738f89fcc9070212acb08b901d1be7ef2',
  );
  assert.throws(() => blockId(new Uint8Array(BLOCK_MAX_BYTES + 1)), { code: 'block_too_large' });
});

test('each leaf shows that it is of its block, and of no other place in it', () => {
  fc.assert(
    fc.property(lengths, fc.nat(255), fc.nat(), (length, seed, draw) => {
      const block = blockOf(length, seed);
      const id = blockId(block);
      const leaves = leafCount(length);
      const at = draw % leaves;
      const proof = proveLeaf(block, at);
      assert.ok(isLeafOf(id, at, proof));
      for (let other = 0; other < leaves; other++)
        if (other !== at) {
          const same = Buffer.compare(proof.leaf, proveLeaf(block, other).leaf) === 0;
          assert.ok(!isLeafOf(id, other, proof) || same);
        }
      assert.throws(() => proveLeaf(block, leaves), { code: 'block_range' });
    }),
    { numRuns: 60 },
  );
});

test('a leaf with one bit turned, another length or another way is refused', () => {
  fc.assert(
    fc.property(lengths, fc.nat(), fc.nat(), (length, draw, bit) => {
      const block = blockOf(length, 3);
      const id = blockId(block);
      const at = draw % leafCount(length);
      const { leaf, path } = proveLeaf(block, at);
      if (leaf.length > 0) {
        const turned = Uint8Array.from(leaf);
        turned[bit % leaf.length]! ^= 1 << (bit & 7);
        assert.ok(!isLeafOf(id, at, { length, leaf: turned, path }));
      }
      assert.ok(!isLeafOf(id, at, { length: length + 1, leaf, path }));
      assert.ok(!isLeafOf(id, at, { length, leaf, path: [...path, new Uint8Array(32)] }));
      if (path.length > 0) {
        assert.ok(!isLeafOf(id, at, { length, leaf, path: path.slice(1) }));
        const other = path.map((node) => Uint8Array.from(node));
        other[bit % path.length]![0]! ^= 1;
        assert.ok(!isLeafOf(id, at, { length, leaf, path: other }));
      }
    }),
    { numRuns: 60 },
  );
});

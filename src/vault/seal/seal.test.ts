import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createSeededRandom } from '../../base/index.ts';
import { blockId } from '../block.ts';
import { type KeyUse, rootOf } from '../keys/keys.ts';
import { headNumber, openHead, openPage, pageCount, pageOf, sealHead, sealPage } from './manifest.ts';
import { OBJECT_MAX_BYTES, openRecord, paddedLength, sealRecord } from './record.ts';
import { createSegmentWriter, type Entry, SEGMENT_BYTES, type Segment } from './segment.ts';

const random = createSeededRandom(8);
const root = rootOf(random.bytes(32));
const keys = root.keysOf('books', 1);
const damaged = { code: 'vault_damaged' };

test('no two uses, epochs, collections or roots share a key', () => {
  const uses: KeyUse[] = ['manifest', 'pages', 'secret', 'noise', 'perturb'];
  const all = [root, rootOf(random.bytes(32)), root.beside(random.bytes(32))].flatMap((one) =>
    ['books', 'book', 'books/1'].flatMap((name) => [
      one.label(name),
      ...[0, 1, 11].flatMap((epoch) =>
        uses.map((use) => Buffer.from(one.keysOf(name, epoch).key(use)).toString('hex')),
      ),
    ]),
  );
  assert.equal(new Set(all).size, all.length);
});

test('an object comes back as it was, and under no other name, collection or key', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 3000 }),
      fc.string({ minLength: 1, maxLength: 40 }),
      (object, name) => {
        const { bytes, key } = sealRecord('books', name, object, random);
        assert.deepEqual(Buffer.from(openRecord('books', name, bytes, key)), Buffer.from(object));
        assert.throws(() => openRecord('books', `${name}x`, bytes, key), damaged);
        assert.throws(() => openRecord('book', name, bytes, key), damaged);
        assert.throws(() => openRecord('books', name, bytes, random.bytes(32)), damaged);
        const turned = Uint8Array.from(bytes);
        turned[random.uint32() % turned.length]! ^= 1 << (random.uint32() & 7);
        assert.throws(() => openRecord('books', name, turned, key), damaged);
        assert.throws(() => openRecord('books', name, bytes.subarray(0, -1), key), damaged);
      },
    ),
    { numRuns: 200 },
  );
  assert.throws(() => sealRecord('books', 'a', new Uint8Array(OBJECT_MAX_BYTES + 1), random), {
    code: 'object_too_large',
  });
});

test('sizes are padded by an eighth at most, and few sizes remain', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 5_000_000 }), (length) => {
      const padded = paddedLength(length);
      assert.ok(padded >= length && padded <= length * 1.125 + 1);
      assert.equal(paddedLength(padded), padded);
    }),
  );
  const sizes = new Set(Array.from({ length: 1 << 20 }, (_, length) => paddedLength(length)));
  assert.ok(sizes.size < 500, `${sizes.size}`);
});

function pack(objects: ReadonlyMap<string, Uint8Array>): Segment[] {
  const writer = createSegmentWriter('books', random);
  const made = [...objects].map(([name, object]) => writer.add(name, object));
  return [...made, writer.finish()].filter((one) => one !== null);
}

test('segments hold all objects, hide their bytes, and each entry leads to its own', () => {
  const planted = Buffer.from('a sentence that somebody must not read '.repeat(4));
  const objects = new Map(
    Array.from({ length: 400 }, (_, i): [string, Uint8Array] => [
      `d/${i}`,
      i === 7 ? planted : i === 8 ? random.bytes(OBJECT_MAX_BYTES) : random.bytes(random.uint32() % 40_000),
    ]),
  );
  const segments = pack(objects);
  assert.ok(segments.length > 5);
  for (const { id, block } of segments) {
    assert.equal(blockId(block), id);
    assert.ok(block.length <= SEGMENT_BYTES * 1.125 || block.length > OBJECT_MAX_BYTES);
    assert.ok(!Buffer.from(block).includes(planted.subarray(0, 12)));
  }
  const blocks = new Map(segments.map(({ id, block }) => [id, block]));
  const entries = segments.flatMap((one) => one.entries);
  assert.equal(entries.length, objects.size);
  for (const { name, segment, at, bytes, key } of entries) {
    const record = blocks.get(segment)!.subarray(at, at + bytes);
    assert.deepEqual(Buffer.from(openRecord('books', name, record, key)), Buffer.from(objects.get(name)!));
  }
});

const entryOf = (name: string): Entry => ({
  ...{ name, segment: Buffer.from(random.bytes(32)).toString('hex'), at: 5, bytes: 77, size: 60 },
  ...{ digest: random.bytes(16), key: random.bytes(32) },
});

test('a page comes back as it was, and at no other place, epoch or collection', () => {
  const entries = Array.from({ length: 500 }, (_, i) => entryOf(`name ${i}`));
  const { block, id } = sealPage(keys, 3, entries, random);
  assert.equal(blockId(block), id);
  assert.deepEqual(
    openPage(keys, 3, block),
    [...entries].sort((a, b) => (a.name < b.name ? -1 : 1)),
  );
  assert.throws(() => openPage(keys, 2, block), damaged);
  assert.throws(() => openPage(root.keysOf('books', 2), 3, block), damaged);
  assert.throws(() => openPage(root.keysOf('other', 1), 3, block), damaged);
  const turned = Uint8Array.from(block);
  turned[100]! ^= 1;
  assert.throws(() => openPage(keys, 3, turned), damaged);
});

test('a head comes back as it was; its number cannot be changed', () => {
  const pages = Array.from({ length: 4 }, () => entryOf('x').segment);
  const everywhere = Array.from({ length: 3 }, () => entryOf('x').segment);
  const head = {
    ...({ number: 41, mode: 'split', objects: 3 } as const),
    ...{ pages, everywhere, info: { kb: 'books', at: 2 } },
  };
  const bytes = sealHead(keys, head, random);
  const keysOf = (epoch: number) => root.keysOf('books', epoch);
  assert.deepEqual(openHead(keysOf, bytes), { ...head, epoch: 1 });
  assert.deepEqual(headNumber(bytes), { epoch: 1, number: 41 });
  for (let at = 0; at < bytes.length; at++) {
    const turned = Uint8Array.from(bytes);
    turned[at]! ^= 1;
    assert.throws(() => openHead(keysOf, turned), damaged);
  }
  assert.throws(() => openHead((epoch) => root.keysOf('other', epoch), bytes), damaged);
  const many = Array.from({ length: 513 }, () => pages[0]!);
  assert.throws(() => sealHead(keys, { ...head, everywhere: many }, random), { code: 'vault_full' });
});

test('bytes that somebody made up are damaged, whatever they are', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      assert.throws(() => openHead((epoch) => root.keysOf('books', epoch), bytes), damaged);
      assert.throws(() => openPage(keys, 0, bytes), damaged);
      assert.throws(() => openRecord('books', 'a', bytes, random.bytes(32)), damaged);
    }),
    { numRuns: 500 },
  );
});

test('names spread over the pages, and there is a bound', () => {
  const counts = new Map<number, number>();
  for (let i = 0; i < 4096; i++) {
    const page = pageOf(`documents/${i}`, 8);
    counts.set(page, (counts.get(page) ?? 0) + 1);
  }
  assert.ok([...counts.values()].every((count) => count > 400 && count < 620));
  assert.equal(pageCount(0), 1);
  assert.equal(pageCount(513), 2);
  assert.throws(() => pageCount(10_000_000), { code: 'vault_full' });
});

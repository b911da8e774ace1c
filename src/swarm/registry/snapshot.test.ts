import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { type CborMap, decodeCbor, encodeCbor, isKithError, toHex } from '../../base/index.ts';
import { encodeAnnouncement } from '../records/announcement.ts';
import { encodeEnvelope } from '../records/envelope.ts';
import { announcementOf, identityOf, MODEL, NOW, OTHER_MODEL, recordOf } from '../records/testing/samples.ts';
import type { Registry } from './registry.ts';
import {
  encodeSnapshotPage,
  encodeSnapshotRequest,
  mergeRecords,
  PAGE_MAX_BYTES,
  pageOf,
  parseSnapshotPage,
  parseSnapshotRequest,
} from './snapshot.ts';
import { registryFor } from './testing/registries.ts';

const sender = identityOf(9).peerId;

function filled(count: number): Registry {
  const { registry } = registryFor();
  for (let i = 1; i <= count; i++) {
    const model = { hash: i % 3 === 0 ? OTHER_MODEL : MODEL, quant: 'F16' };
    assert.ok(registry.offer(recordOf(identityOf(i), { model })).ok);
  }
  return registry;
}

/** All pages over the wire forms. */
function* pages(registry: Registry, model: string | null, limit: number) {
  for (let after: string | null = null; ; ) {
    const request = parseSnapshotRequest(
      decodeCbor(encodeCbor(encodeSnapshotRequest({ model, after, limit }))) as CborMap,
    );
    const page = parseSnapshotPage(encodeSnapshotPage(pageOf(registry, request)));
    yield page;
    if (page.next === null) return;
    after = page.next;
  }
}

test('pages in turn hold every record once, of all models or of one', async () => {
  const registry = filled(25);
  const taken = registryFor().registry;
  let count = 0;
  for (const page of pages(registry, null, 4)) {
    assert.ok(page.records.length <= 4);
    count += page.records.length;
    assert.equal((await mergeRecords(taken, page.records, sender)).learned, page.records.length);
  }
  assert.equal(count, 25);
  assert.equal(taken.size, 25);
  const some = [...pages(registry, OTHER_MODEL, 256)].flatMap((page) => page.records);
  assert.equal(some.length, 8);
  const again = await mergeRecords(taken, some, sender);
  assert.deepEqual([again.learned, again.known], [0, 8]);
});

test('farewells are in the page of every model, expired records in none', async () => {
  const { registry, clock } = registryFor();
  registry.offer(recordOf(identityOf(1), { model: null, blocks: [], serves: [], state: 'offline' }));
  registry.offer(recordOf(identityOf(2), { model: null, blocks: [], serves: ['storage'] }));
  registry.offer(recordOf(identityOf(3), { exp: NOW + 10 }));
  assert.equal(pageOf(registry, { model: MODEL, after: null, limit: 256 }).records.length, 2);
  assert.equal(pageOf(registry, { model: null, after: null, limit: 256 }).records.length, 3);
  await clock.advance(10);
  assert.equal(pageOf(registry, { model: MODEL, after: null, limit: 256 }).records.length, 1);
});

test('a page stays below its bytes however large the records are', () => {
  const { registry } = registryFor();
  const addrs = Array.from({ length: 8 }, (_, i) => `/dns4/${'a'.repeat(160)}${i}/tcp/1`);
  for (let i = 1; i <= 200; i++) registry.offer(recordOf(identityOf(i), { addrs }));
  const all = [...pages(registry, null, 256)];
  assert.ok(all.length > 1);
  assert.equal(all.flatMap((page) => page.records).length, 200);
  for (const page of all) assert.ok(encodeSnapshotPage(page).length <= PAGE_MAX_BYTES);
});

test('records of a stranger are verified one by one, and one who passes on forgeries is not read to the end', async () => {
  const { registry } = registryFor();
  registry.offer(recordOf(identityOf(1), { seq: NOW + 10 }));
  const forged = (number: number) => {
    const body = encodeAnnouncement(announcementOf(identityOf(number)));
    return encodeEnvelope({ body, signature: identityOf(9).sign('announcement', body) }, 2048);
  };
  const merged = await mergeRecords(
    registry,
    [
      recordOf(identityOf(1)),
      recordOf(identityOf(2), { seq: NOW - 10, exp: NOW }),
      recordOf(identityOf(3), { seq: NOW + 10_000_000 }),
      recordOf(identityOf(4)),
      forged(5),
      new Uint8Array(10),
      new Uint8Array(3000),
      forged(6),
      recordOf(identityOf(7)),
      recordOf(identityOf(8)),
    ],
    sender,
  );
  assert.deepEqual(merged, {
    learned: 1,
    known: 0,
    skipped: 2,
    refused: {
      oversized: 1,
      malformed: 1,
      wrong_peer: 0,
      expired: 1,
      too_far_ahead: 1,
      replayed: 1,
      bad_signature: 2,
      rate: 0,
    },
  });
});

test('the bytes of a page of version 1 never change', () => {
  const page = { records: [Uint8Array.of(1, 2, 3)], next: `${identityOf(1).peerId}/` };
  assert.equal(
    toHex(encodeSnapshotPage(page)),
    `a3617601646e6578747835${toHex(new TextEncoder().encode(page.next))}677265636f7264738143010203`,
  );
  assert.deepEqual(parseSnapshotPage(encodeSnapshotPage(page)), page);
});

test('no bytes make the readers throw anything but that they are malformed', () => {
  const good = encodeSnapshotPage(pageOf(filled(3), { model: null, after: null, limit: 256 }));
  const mutated = fc.tuple(fc.nat(good.length - 1), fc.nat(255)).map(([at, byte]) => {
    const bytes = good.slice();
    bytes[at] = byte;
    return bytes;
  });
  const refusesOnly = (read: () => unknown) => {
    try {
      read();
    } catch (error) {
      assert.ok(isKithError(error) && error.code === 'record_malformed', String(error));
    }
  };
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated), (bytes) =>
      refusesOnly(() => parseSnapshotPage(bytes)),
    ),
    { numRuns: 1000 },
  );
  const value = fc.oneof(fc.integer(), fc.string(), fc.uint8Array({ maxLength: 40 }), fc.constant(null));
  const request = fc.record(
    { v: fc.constantFrom(1, 2), model: value, after: value, limit: value, more: value },
    { requiredKeys: ['v'] },
  );
  fc.assert(fc.property(request, (metadata) => refusesOnly(() => parseSnapshotRequest(metadata as CborMap))));
});

test('a request out of bounds is refused', () => {
  for (const wrong of [
    {},
    { v: 2 },
    { v: 1, limit: 0 },
    { v: 1, limit: 257 },
    { v: 1, model: new Uint8Array(31) },
    { v: 1, after: 'x' },
    { v: 1, after: `${sender}/zz` },
    { v: 1, more: 1 },
  ])
    assert.throws(() => parseSnapshotRequest(wrong), isKithError, JSON.stringify(wrong));
});

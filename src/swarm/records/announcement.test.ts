import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import {
  type CborMap,
  type CborValue,
  decodeCbor,
  encodeCbor,
  fromHex,
  isKithError,
  toHex,
} from '../../base/index.ts';
import { verify } from '../../identity/index.ts';
import {
  ANNOUNCEMENT_MAX_BYTES,
  encodeAnnouncement,
  parseAnnouncement,
  signAnnouncement,
} from './announcement.ts';
import { parseEnvelope } from './envelope.ts';
import { announcementOf, identityOf, MODEL, NOW, OTHER_MODEL, recordOf } from './testing/samples.ts';
import type { Announcement } from './types.ts';

const someone = identityOf(1);

const words = (max: number) =>
  fc
    .uniqueArray(fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?$/), { maxLength: max })
    .map((list) => list.sort());
const ranges = fc
  .uniqueArray(fc.nat(200), { maxLength: 16 })
  .map((cuts) => cuts.sort((a, b) => a - b))
  .map((cuts) => cuts.slice(0, cuts.length - (cuts.length % 2)))
  .map((cuts) =>
    Array.from({ length: cuts.length / 2 }, (_, i): [number, number] => [cuts[2 * i]!, cuts[2 * i + 1]!]),
  );
/** Announcements as nodes make them. */
const announcements: fc.Arbitrary<Announcement> = fc
  .record({
    number: fc.nat(3),
    seq: fc.integer({ min: 1, max: 2 ** 47 }),
    life: fc.integer({ min: 1, max: 600_000 }),
    blocks: ranges,
    tokensPerSecond: fc.option(fc.nat(1e6).map((thousandths) => thousandths / 1000)),
    latencyMs: fc.option(fc.nat(600_000)),
    freeCacheTokens: fc.nat(2 ** 31),
    maxBatch: fc.nat(65_535),
    relayed: fc.boolean(),
    addrs: fc.array(
      fc.ipV4().map((ip) => `/ip4/${ip}/tcp/4001`),
      { maxLength: 8 },
    ),
    regions: words(8),
    serves: words(4),
    trust: fc.uniqueArray(fc.constantFrom(MODEL, OTHER_MODEL)).map((list) => list.sort()),
    state: fc.constantFrom('joining', 'online', 'draining', 'offline'),
  })
  .map(({ number, life, ...rest }) => ({
    ...announcementOf(identityOf(number)),
    ...rest,
    exp: rest.seq + life,
  }));

test('an announcement is the same after it was encoded and read', () => {
  fc.assert(
    fc.property(announcements, (one) => {
      const bytes = encodeAnnouncement(one);
      assert.deepEqual(parseAnnouncement(bytes), one);
      assert.deepEqual(encodeAnnouncement(parseAnnouncement(bytes)), bytes);
    }),
  );
});

test('the bytes of version 1 never change', () => {
  const one = announcementOf(someone, {
    blocks: [
      [0, 8],
      [12, 16],
    ],
    tokensPerSecond: 12.5,
    relayed: true,
    addrs: ['/ip4/192.0.2.1/tcp/4001'],
    regions: ['de-by', 'eu'],
    serves: ['blocks', 'chat'],
    trust: [OTHER_MODEL],
  });
  assert.equal(toHex(encodeAnnouncement(one)), GOLDEN_RECORD);
  const envelope = signAnnouncement(one, someone);
  assert.equal(toHex(envelope), GOLDEN_ENVELOPE);
  assert.deepEqual(parseAnnouncement(fromHex(GOLDEN_RECORD)), one);
  const { body, signature } = parseEnvelope(envelope, ANNOUNCEMENT_MAX_BYTES);
  assert.ok(verify(someone.publicKey, 'announcement', body, signature));
});

test('the largest announcement that the bounds allow by count does not pass by bytes, and says so', () => {
  const addrs = Array.from({ length: 8 }, (_, i) => `/dns4/${'a'.repeat(170)}${i}/tcp/1`);
  const protocols = Array.from({ length: 16 }, (_, i) => `/kith/${'b'.repeat(50)}${i}`);
  assert.throws(
    () => recordOf(someone, { addrs, protocols }),
    (error) => isKithError(error) && /2048/.test(error.message),
  );
  assert.ok(recordOf(someone, { addrs: addrs.slice(0, 4) }).length <= ANNOUNCEMENT_MAX_BYTES);
});

/** A record with one field changed, or left out when `value` is undefined. */
function changed(name: string, value: CborValue | undefined): Uint8Array {
  const map: Record<string, CborValue> = {
    ...(decodeCbor(encodeAnnouncement(announcementOf(someone))) as CborMap),
  };
  if (value === undefined) delete map[name];
  else Object.defineProperty(map, name, { value, enumerable: true });
  return encodeCbor(map);
}

test('every field is needed, of its own type, and within its bounds', () => {
  const wrong: [string, CborValue | undefined][] = [
    ...[
      'v',
      'peer',
      'seq',
      'exp',
      'freeCacheTokens',
      'maxBatch',
      'protocols',
      'regions',
      'serves',
      'trust',
      'state',
      'blocks',
      'model',
    ].map((name): [string, undefined] => [name, undefined]),
    ['v', 2],
    ['v', '1'],
    ['peer', new Uint8Array(31)],
    ['peer', new Uint8Array(32)],
    ['peer', someone.peerId],
    ['seq', 0],
    ['seq', -1],
    ['seq', 1.5],
    ['seq', 2n ** 60n],
    ['exp', NOW],
    ['exp', NOW + 600_001],
    ['model', null],
    ['model', { hash: new Uint8Array(32) }],
    ['model', { hash: new Uint8Array(31), quant: 'F16' }],
    ['model', { hash: new Uint8Array(32), quant: 'a b' }],
    ['model', { hash: new Uint8Array(32), quant: 'F16', more: 1 }],
    ['blocks', [[0, 0]]],
    ['blocks', [[3, 2]]],
    [
      'blocks',
      [
        [0, 4],
        [4, 8],
      ],
    ],
    [
      'blocks',
      [
        [4, 8],
        [0, 2],
      ],
    ],
    ['blocks', [[0, 4, 8]]],
    ['blocks', [[-1, 4]]],
    ['blocks', [[0, 65_537]]],
    ['blocks', [[0, 0.5]]],
    ['blocks', Array.from({ length: 17 }, (_, i) => [2 * i, 2 * i + 1])],
    ['blocks', []],
    ['tps', -1],
    ['tps', 0.5],
    ['latencyMs', 600_001],
    ['freeCacheTokens', -1],
    ['maxBatch', 65_536],
    ['protocols', ['/ipfs/ping/1.0.0']],
    ['protocols', ['/kith/b', '/kith/a']],
    ['protocols', Array.from({ length: 17 }, (_, i) => `/kith/${String.fromCharCode(97 + i)}`)],
    ['relay', false],
    ['relay', 1],
    ['addrs', []],
    ['addrs', ['192.0.2.1']],
    ['addrs', [`/${'a'.repeat(192)}`]],
    ['addrs', Array(9).fill('/ip4/192.0.2.1')],
    ['regions', ['EU']],
    ['regions', ['a', 'a']],
    ['regions', ['a\nb']],
    ['serves', ['-']],
    ['trust', ['x']],
    ['trust', [new Uint8Array(31)]],
    ['trust', [new Uint8Array(32), new Uint8Array(32)]],
    ['trust', Array.from({ length: 9 }, (_, i) => new Uint8Array(32).fill(i))],
    ['state', 'away'],
    ['state', 1],
    ['unknown', 1],
    ['__proto__', 1],
  ];
  for (const [name, value] of wrong) {
    let bytes: Uint8Array;
    try {
      bytes = changed(name, value);
    } catch {
      assert.fail(`${name} could not be set`);
    }
    assert.throws(
      () => parseAnnouncement(bytes),
      (error) => isKithError(error) && error.code === 'record_malformed',
      `${name} = ${String(value)}`,
    );
  }
  parseAnnouncement(changed('v', 1));
});

test('no bytes make the reader throw anything but that they are malformed', () => {
  const good = encodeAnnouncement(announcementOf(someone));
  const mutated = fc
    .array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
    .map((edits) => {
      const bytes = good.slice();
      for (const [at, byte] of edits) bytes[at] = byte;
      return bytes;
    });
  const cut = fc.nat(good.length).map((length) => good.slice(0, length));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), mutated, cut), (bytes) => {
      for (const read of [parseAnnouncement, (all: Uint8Array) => parseEnvelope(all, 2048)]) {
        try {
          read(bytes);
        } catch (error) {
          assert.ok(isKithError(error) && error.code === 'record_malformed', String(error));
        }
      }
    }),
    { numRuns: 3000 },
  );
});

test('what this node would refuse from others it does not sign', () => {
  for (const changes of [
    { exp: NOW + 600_001 },
    { model: null },
    { model: { hash: 'abc', quant: 'F16' } },
    { regions: ['Bavaria'] },
    { trust: ['abc'] },
    { peer: 'QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N' },
    { peer: identityOf(2).peerId },
    { tokensPerSecond: Number.NaN },
  ])
    assert.throws(() => recordOf(someone, changes), isKithError, JSON.stringify(changes));
});

const GOLDEN_RECORD =
  'b1617601636578701b000001a31861ce40637365711b000001a3185c5000637470731930d464706565725820e9b6cac6' +
  '3a1c9ba5da6f2312f2abe29d89842f17f282e9f2055b3e95caf8662e65616464727381772f6970342f3139322e302e32' +
  '2e312f7463702f34303031656d6f64656ca264686173685820e6a8036e9cb9f8c9f52ffd985c4d6f0498d94e6919f4c6' +
  '7b6423da0176e549fa657175616e746451385f306572656c6179f5657374617465666f6e6c696e656574727573748158' +
  '204856c3dd6768357ee539b64592abdb72a32339df89af3e76ff101c51fb316c4066626c6f636b7382820008820c1066' +
  '7365727665738266626c6f636b73646368617467726567696f6e73826564652d6279626575686d617842617463680869' +
  '6c6174656e63794d73146970726f746f636f6c7381712f6b6974682f73686172642f312e302e306f6672656543616368' +
  '65546f6b656e73191000';
const GOLDEN_ENVELOPE =
  'a2616259015ab1617601636578701b000001a31861ce40637365711b000001a3185c5000637470731930d46470656572' +
  '5820e9b6cac63a1c9ba5da6f2312f2abe29d89842f17f282e9f2055b3e95caf8662e65616464727381772f6970342f31' +
  '39322e302e322e312f7463702f34303031656d6f64656ca264686173685820e6a8036e9cb9f8c9f52ffd985c4d6f0498' +
  'd94e6919f4c67b6423da0176e549fa657175616e746451385f306572656c6179f5657374617465666f6e6c696e656574' +
  '727573748158204856c3dd6768357ee539b64592abdb72a32339df89af3e76ff101c51fb316c4066626c6f636b738282' +
  '0008820c10667365727665738266626c6f636b73646368617467726567696f6e73826564652d6279626575686d617842' +
  '6174636808696c6174656e63794d73146970726f746f636f6c7381712f6b6974682f73686172642f312e302e306f6672' +
  '65654361636865546f6b656e731910006173584043e30a2f24e628727e6d54b92d42642a355706911c41f683f0639173' +
  'b850c02787c5649715243ae80e2411c6b9b25bcefbb97aac6fb0617dbf5829d024f0c106';

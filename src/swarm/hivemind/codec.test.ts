import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { fromHex, toHex } from '../../base/index.ts';
import {
  AddressBook,
  decodeRoutingAnswer,
  decodeRoutingRequest,
  encodeRoutingAnswer,
  encodeRoutingRequest,
} from './addresses.ts';
import { decodeDictionary, encodeDictionary } from './dictionary.ts';
import { HivemindFault } from './fault.ts';
import { commonPrefix, compareDistance, keyId } from './ids.ts';
import {
  decodeFindRequest,
  decodeFindResponse,
  decodePingRequest,
  decodePingResponse,
  decodeStoreRequest,
  decodeStoreResponse,
  encodeFindRequest,
  encodeFindResponse,
  encodePingRequest,
  encodePingResponse,
  encodeStoreRequest,
  encodeStoreResponse,
  REGULAR,
  WHOLE,
} from './messages.ts';
import {
  decodeMsgpack,
  Extension,
  encodeMsgpack,
  Float,
  type MsgMap,
  type MsgValue,
  Tuple,
} from './msgpack.ts';
import { peerIdFromBytes, peerIdToBytes } from './peer-ids.ts';
import { encodeVarint, readFields, readVarint } from './protobuf.ts';
import { decodeAnswer, decodeCall, encodeAnswer, encodeCall } from './unary.ts';

/** JSON of interop/hivemind/golden.py, which tells types apart. */
type Tagged =
  | null
  | boolean
  | string
  | readonly Tagged[]
  | { readonly i?: string; readonly f?: number | string; readonly b?: string; readonly t?: readonly Tagged[] }
  | { readonly m: readonly (readonly [Tagged, Tagged])[] };

interface Golden {
  readonly values: readonly { readonly value: Tagged; readonly bytes: string }[];
  readonly long: readonly { readonly value: string; readonly length: number; readonly head: string }[];
  readonly keys: readonly { readonly key: Tagged; readonly id: string }[];
  readonly dictionaries: readonly {
    readonly maxsize: number | null;
    readonly entries: readonly (readonly [Tagged, string, number])[];
    readonly bytes: string;
  }[];
  readonly peers: readonly { readonly text: string; readonly bytes: string }[];
  readonly tags: { readonly regular: string; readonly dictionary: string };
  readonly messages: Readonly<Record<string, string>>;
  readonly frames: Readonly<Record<string, string>>;
}

const golden = JSON.parse(
  readFileSync(new URL('../../../interop/hivemind/golden.json', import.meta.url), 'utf8'),
) as Golden;

function untag(value: Tagged): MsgValue {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return (value as readonly Tagged[]).map(untag);
  if ('m' in value) return new Map(value.m.map(([key, item]) => [untag(key) as string, untag(item)]));
  const { i, f, b, t } = value as Extract<Tagged, { i?: string }>;
  if (i !== undefined) return Number.isSafeInteger(Number(i)) ? Number(i) : BigInt(i);
  if (f !== undefined) return new Float(typeof f === 'number' ? f : f === 'inf' ? Infinity : -Infinity);
  return b !== undefined ? fromHex(b) : new Tuple(t!.map(untag));
}

test('values have the bytes that Python gives them, and are read back from them', () => {
  for (const { value, bytes } of golden.values) {
    assert.equal(toHex(encodeMsgpack(untag(value))), bytes, JSON.stringify(value));
    assert.deepEqual(decodeMsgpack(fromHex(bytes)), untag(value));
  }
  const long: readonly MsgValue[] = [
    'z'.repeat(65_536),
    new Uint8Array(65_536).fill(0xfd),
    Array.from({ length: 65_536 }, () => null),
    new Tuple([new Uint8Array(70_000).fill(1)]),
  ];
  assert.deepEqual(
    long.map((value) => {
      const bytes = encodeMsgpack(value);
      assert.deepEqual(decodeMsgpack(bytes), value);
      return { length: bytes.length, head: toHex(bytes.subarray(0, 12)) };
    }),
    golden.long.map(({ length, head }) => ({ length, head })),
  );
});

test('keys have the ids that Python gives them', () => {
  for (const { key, id } of golden.keys) assert.equal(toHex(keyId(untag(key))), id, JSON.stringify(key));
});

test('dictionaries have the bytes that Python gives them', () => {
  for (const { maxsize, entries, bytes } of golden.dictionaries) {
    const dictionary = {
      maxsize: maxsize ?? Infinity,
      entries: entries.map(([subkey, value, expiration]) => ({
        subkey: untag(subkey),
        value: fromHex(value),
        expiration,
      })),
    };
    assert.equal(toHex(encodeDictionary(dictionary)), bytes);
    assert.deepEqual(decodeDictionary(fromHex(bytes)), dictionary);
  }
});

test('PeerIds of Ed25519 and RSA keys have the bytes that Python gives them', () => {
  for (const { text, bytes } of golden.peers) {
    assert.equal(toHex(peerIdToBytes(text)), bytes);
    assert.equal(peerIdFromBytes(fromHex(bytes)), text);
    assert.equal(peerIdFromBytes(fromHex(bytes.slice(2))), null);
  }
});

test('messages are read from the bytes of Python and written as the same bytes', () => {
  const { messages, tags } = golden;
  assert.deepEqual([toHex(REGULAR), toHex(WHOLE)], [tags.regular, tags.dictionary]);
  const same = <T>(name: string, decode: (bytes: Uint8Array) => T, encode: (message: T) => Uint8Array): T => {
    const message = decode(fromHex(messages[name]!));
    assert.equal(toHex(encode(message)), messages[name], name);
    return message;
  };
  const node = keyId('node');
  assert.deepEqual(same('pingRequestOfClient', decodePingRequest, encodePingRequest), {
    node: null,
    validate: false,
  });
  assert.deepEqual(same('pingRequestOfNode', decodePingRequest, encodePingRequest), { node, validate: true });
  assert.deepEqual(same('pingResponse', decodePingResponse, encodePingResponse), {
    node,
    time: 1_700_000_000.5,
    available: true,
  });
  same('pingResponseOfClient', decodePingResponse, encodePingResponse);
  const store = same('storeRequest', decodeStoreRequest, encodeStoreRequest);
  assert.deepEqual(
    store.items.map(({ key, subkey, expiration, inCache }) => [
      toHex(key),
      toHex(subkey),
      expiration,
      inCache,
    ]),
    [
      [toHex(keyId('a')), 'c0', 1_700_000_360, false],
      [toHex(keyId('b')), toHex(encodeMsgpack('peer')), 1_700_000_360.5, true],
      [toHex(keyId('b')), '', 1_700_000_361, false],
    ],
  );
  assert.deepEqual(same('storeResponse', decodeStoreResponse, encodeStoreResponse), {
    node,
    stored: [true, false, true],
  });
  assert.deepEqual(same('findRequest', decodeFindRequest, encodeFindRequest), {
    node: null,
    keys: [keyId('a'), keyId('b')],
  });
  const { results } = same('findResponse', decodeFindResponse, encodeFindResponse);
  assert.deepEqual(
    results.map(({ found, nearest }) => [found, nearest.map(({ peer }) => peer)]),
    [
      ['regular', golden.peers.map(({ text }) => text)],
      ['dictionary', []],
      ['nothing', [golden.peers[0]!.text]],
    ],
  );
});

test('calls and answers have the frames that the daemon has', () => {
  const body = (name: string): Uint8Array => {
    const bytes = fromHex(golden.frames[name]!);
    const { value, end } = readVarint(bytes, 0);
    assert.equal(value, bytes.length - end);
    assert.deepEqual(encodeVarint(value), bytes.subarray(0, end));
    return bytes.subarray(end);
  };
  for (const name of ['call', 'emptyCall']) assert.deepEqual(encodeCall(decodeCall(body(name))), body(name));
  assert.equal(decodeCall(body('call')).method, 'DHTProtocol.rpc_find');
  for (const name of ['reply', 'emptyReply']) {
    const { id, data } = decodeAnswer(body(name));
    assert.deepEqual(encodeAnswer(id, { data: data! }), body(name));
  }
  const { id, data, error } = decodeAnswer(body('error'));
  assert.deepEqual([data, error], [null, "ValueError('no')"]);
  assert.deepEqual(encodeAnswer(id, { error }), body('error'));
  assert.throws(() => decodeAnswer(body('call')), HivemindFault);
  assert.throws(() => decodeCall(body('reply')), HivemindFault);
});

const [ed25519, rsa] = golden.peers.map(({ text }) => text) as [string, string];
const places = new Map([
  [ed25519, [`/ip4/9.9.9.9/tcp/4001/p2p/${ed25519}`, `/ip6/2600::1/tcp/1/p2p/${ed25519}`]],
  [
    rsa,
    [`/ip4/10.0.0.1/tcp/4001/p2p/${ed25519}/p2p-circuit/p2p/${rsa}`, `/dns4/a.example.org/tcp/1/p2p/${rsa}`],
  ],
]);

test('where peers are is asked and told in the form of peer routing', () => {
  assert.equal(toHex(encodeRoutingRequest(ed25519)), `0804${'1226'}${golden.peers[0]!.bytes}`);
  const request = decodeRoutingRequest(encodeRoutingRequest(rsa));
  assert.deepEqual(request, { type: 4, key: peerIdToBytes(rsa) });
  assert.deepEqual(decodeRoutingAnswer(encodeRoutingAnswer(request, places)), places);
  // What strangers say is dialled, and told to strangers, only when it is of the public Internet.
  const fits = (lan: boolean) => new AddressBook(lan, []).fit([...places.values()].flat());
  assert.deepEqual(fits(false), places.get(ed25519));
  assert.equal(fits(true).length, 4);
});

test('unknown fields are passed over, broken ones refused', () => {
  // NodeInfo of a later version: fields 9 (varint), 10 (text), 11 (fixed 32), 12 (fixed 64).
  const later = `48ac02${'5202'}6869${'5d01020304'}${'610102030405060708'}`;
  assert.deepEqual(decodePingRequest(fromHex(`${golden.messages.pingRequestOfNode}${later}`)), {
    node: keyId('node'),
    validate: true,
  });
  for (const [bytes, why] of [
    ['12', 'no length'],
    ['1205', 'longer than the message'],
    ['12ffffffffffffffffff01', 'a length beyond all'],
    ['0b', 'a group'],
    ['0001', 'the number 0'],
    ['ffffffffffffffffffff01', 'a tag that does not end'],
    [`1203${'0a0101'}`, 'an id of one byte'],
    ['1801', 'nothing wrong'],
  ] as const)
    if (why === 'nothing wrong') decodePingRequest(fromHex(bytes));
    else assert.throws(() => decodePingRequest(fromHex(bytes)), HivemindFault, why);
});

test('counts and depths that would cost memory or stack are refused before they do', () => {
  const refused = (hex: string) => assert.throws(() => decodeMsgpack(fromHex(hex)), HivemindFault, hex);
  for (const hex of [
    '',
    'c1',
    'dd7fffffff',
    'df7fffffff',
    'c6ffffffff00',
    'dbffffffff',
    'c9ffffffff40',
    '81',
    '9201',
  ])
    refused(hex);
  // Not text, a key that is a number, bytes after the value, a tuple that holds no list.
  for (const hex of ['a1ff', '810102', 'c0c0', 'd440c0']) refused(hex);
  assert.throws(() => decodeMsgpack(new Uint8Array(100_000).fill(0x91)), HivemindFault);
  let tuples = Uint8Array.of(0xc0);
  for (let depth = 0; depth < 5000; depth++)
    tuples = encodeMsgpack(new Extension(0x40, tuples)) as Uint8Array<ArrayBuffer>;
  assert.throws(() => decodeMsgpack(tuples), HivemindFault);
  assert.throws(
    () => [...readFields(new Uint8Array(80_000).map((_, at) => (at % 2 === 0 ? 8 : 0)))],
    HivemindFault,
  );
});

const leaf: fc.Arbitrary<MsgValue> = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(1n << 63n), max: -(1n << 53n) }),
  fc.bigInt({ min: 1n << 53n, max: (1n << 64n) - 1n }),
  fc.double({ noNaN: true }).map((value) => new Float(value)),
  fc.string({ unit: 'grapheme' }),
  fc.uint8Array(),
);
const { value: anyValue } = fc.letrec<{ value: MsgValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie('value'), { maxLength: 20 }),
    fc.array(tie('value'), { maxLength: 5 }).map((items) => new Tuple(items)),
    fc
      .dictionary(fc.string(), tie('value'), { maxKeys: 5 })
      .map((object): MsgMap => new Map(Object.entries(object))),
  ),
}));

test('every value comes back as it was', () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      assert.deepEqual(decodeMsgpack(encodeMsgpack(value)), value);
    }),
  );
});

test('whatever bytes a stranger sends, a reader takes them or says that it does not', () => {
  const readers = [
    decodeMsgpack,
    decodeDictionary,
    decodePingRequest,
    decodePingResponse,
    decodeStoreRequest,
    decodeStoreResponse,
    decodeFindRequest,
    decodeFindResponse,
    decodeCall,
    decodeAnswer,
    decodeRoutingRequest,
    decodeRoutingAnswer,
  ];
  const real = [
    ...Object.values(golden.messages),
    ...Object.values(golden.frames).map((frame) => frame.slice(4)),
    ...golden.dictionaries.map(({ bytes }) => bytes),
    toHex(encodeRoutingRequest(golden.peers[0]!.text)),
    toHex(encodeRoutingAnswer({ type: 4, key: REGULAR }, places)),
  ].map(fromHex);
  // Bytes of chance, and real ones that were cut or changed in one place.
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.tuple(fc.constantFrom(...real), fc.nat(), fc.nat(255), fc.boolean()).map(([whole, at, byte, cut]) => {
      const changed = whole.slice(0, cut ? at % (whole.length + 1) : undefined);
      if (changed.length > 0) changed[at % changed.length] = byte;
      return changed;
    }),
  );
  fc.assert(
    fc.property(bytes, (given) => {
      for (const read of readers)
        try {
          read(given);
        } catch (error) {
          if (!(error instanceof HivemindFault)) throw error;
        }
    }),
    { numRuns: 2000 },
  );
});

test('nearness is that of XOR', () => {
  const id = fc.uint8Array({ minLength: 20, maxLength: 20 });
  const distance = (a: Uint8Array, b: Uint8Array) => BigInt(`0x${toHex(a.map((byte, at) => byte ^ b[at]!))}`);
  fc.assert(
    fc.property(id, id, id, (target, a, b) => {
      const expected = distance(target, a) - distance(target, b);
      assert.equal(Math.sign(compareDistance(target, a, b)), expected < 0n ? -1 : expected > 0n ? 1 : 0);
      const bits = distance(a, b).toString(2).padStart(160, '0');
      assert.equal(commonPrefix(a, b), bits.includes('1') ? bits.indexOf('1') : 160);
    }),
  );
});

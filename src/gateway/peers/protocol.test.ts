import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { type CborMap, type CborValue, encodeCbor, isKithError } from '../../base/index.ts';
import { decodeEvent, encodeEvent, type PeerEvent } from './events.ts';
import {
  decodeEmbedded,
  decodeLease,
  decodeLeaseAsk,
  decodeModels,
  decodeOpening,
  decodeReceipts,
  encodeEmbedded,
  encodeLease,
  encodeLeaseAsk,
  encodeModels,
  encodeOpening,
  encodeReceipts,
  PEER_BOUNDS,
  type PeerMessage,
} from './protocol.ts';
import { decodeChat, decodeEmbedding, encodeChat, encodeEmbedding } from './requests.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const ascii = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const id = (byte: number) => new Uint8Array(16).fill(byte);
const signed = { receipt: Uint8Array.of(1, 2), signature: new Uint8Array(64).fill(9) };

const start: PeerEvent = { type: 'start', model: 'm', promptTokens: 7, cachedTokens: null };
const usage: PeerEvent = {
  type: 'usage',
  ...{ promptTokens: 7, cachedTokens: 0, completionTokens: 2 },
  ...{ queueMs: 0.5, prefillMs: 12, decodeMs: null, notes: ['n'] },
  ...signed,
};

test('the bytes of each message stay what they are', () => {
  const bytes = (metadata: CborMap) => hex(encodeCbor(metadata));
  assert.equal(bytes(encodeLeaseAsk({ kind: 'want', model: 'm', task: 'chat', ms: 600_000 })), GOLDEN.want);
  assert.equal(bytes(encodeLeaseAsk({ kind: 'release', lease: id(1) })), GOLDEN.release);
  assert.equal(bytes(encodeLease({ state: 'granted', lease: id(1), ms: 5 })), GOLDEN.granted);
  assert.equal(bytes(encodeLease({ state: 'busy', ms: 5 })), GOLDEN.busy);
  assert.equal(bytes(encodeLease({ state: 'denied', reason: 'closed', message: 'x' })), GOLDEN.denied);
  assert.equal(bytes(encodeOpening({ lease: id(1), request: id(2), ms: 3 })), GOLDEN.opening);
  assert.equal(bytes(encodeEvent(start)[0]!.metadata), GOLDEN.start);
  assert.equal(bytes(encodeEvent(usage)[0]!.metadata), GOLDEN.usage);
  const models = encodeModels({
    models: [{ id: 'm', task: 'chat', state: 'ready', context: 4096 }],
    queueMs: 0,
  });
  assert.deepEqual([bytes(models.metadata), hex(models.payload)], GOLDEN.models);
  const piece = encodeEvent({ type: 'text', choice: 1, text: 'é', logprobs: null })[0]!;
  assert.deepEqual([bytes(piece.metadata), hex(piece.payload)], GOLDEN.text);
  const request = encodeChat(chat);
  assert.equal(hex(request), GOLDEN.chat);
  assert.ok(ascii(request).includes('messages'));
});

const chat = {
  ...{ model: 'm', messages: [{ role: 'user', content: 'hi' }], n: 1, sampler: { temperature: 0, seed: 1 } },
  ...{ maxTokens: 8, timeoutMs: null, stop: [], overflow: null, keepTokens: 0 },
} as const;

const record = <T extends object>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(fields, { noNullPrototype: true }) as fc.Arbitrary<T>;
const name = fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' });
const count = fc.nat({ max: 1_000_000 });
const choice = fc.nat({ max: 15 });
const index = fc.nat({ max: 255 });
const maybe = fc.option(count);
const ms = fc.option(fc.double({ min: 0, max: 1e6, noNaN: true }));
const logprob = record({
  token: fc.nat(),
  bytes: fc.uint8Array({ maxLength: 16 }).map((bytes) => new Uint8Array(bytes)),
  logprob: fc.double({ min: -9999, max: 0, noNaN: true }).map((value) => value + 0),
});
const text = fc.string({ maxLength: 200, unit: 'grapheme' });
const event: fc.Arbitrary<PeerEvent> = fc.oneof(
  record({ type: fc.constant('start' as const), model: name, promptTokens: maybe, cachedTokens: maybe }),
  record({ type: fc.constant('text' as const), choice, text, logprobs: fc.constant(null) }),
  record({
    ...{ type: fc.constant('text' as const), choice, text },
    logprobs: fc.array(
      fc.tuple(logprob, fc.array(logprob, { maxLength: 3 })).map(([one, top]) => ({ ...one, top })),
      { maxLength: 3 },
    ),
  }),
  record({
    type: fc.constant('tool_call' as const),
    choice,
    index,
    id: fc.constant('call_1'),
    name: fc.constant('f'),
  }),
  record({ type: fc.constant('tool_arguments' as const), choice, index, text }),
  record({
    ...{ type: fc.constant('finish' as const), choice, stop: fc.option(name), slidTokens: count },
    reason: fc.constantFrom('stop' as const, 'length' as const, 'tool_calls' as const),
  }),
  record({
    ...{
      type: fc.constant('usage' as const),
      promptTokens: maybe,
      cachedTokens: maybe,
      completionTokens: maybe,
    },
    ...{ queueMs: ms, prefillMs: ms, decodeMs: ms, notes: fc.array(name, { maxLength: 4 }) },
    ...{ receipt: fc.constant(signed.receipt), signature: fc.constant(signed.signature) },
  }),
  record({
    ...{ type: fc.constant('error' as const), code: fc.constant('peer_failed'), message: text },
    ...{ status: fc.integer({ min: 0, max: 599 }), retryMs: ms },
  }),
);

test('every event comes out as it went in', () => {
  fc.assert(
    fc.property(event, (value) => {
      const [message, ...more] = encodeEvent(value);
      assert.deepEqual(more, []);
      assert.deepEqual(decodeEvent(message!), value);
    }),
  );
});

test('a long text goes out in pieces that are whole characters, and comes together again', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('a', 'é', '世', '🦊'),
      fc.integer({ min: 0, max: 90_000 }),
      (character, length) => {
        const long = character.repeat(length);
        const pieces = encodeEvent({ type: 'text', choice: 0, text: long, logprobs: null });
        let back = '';
        for (const piece of pieces) {
          assert.ok(piece.payload.length <= PEER_BOUNDS.textBytes);
          const one = decodeEvent(piece);
          assert.ok(one.type === 'text');
          back += one.text;
        }
        assert.equal(back, long);
      },
    ),
    { numRuns: 20 },
  );
});

test('a log probability without a bound is written as one', () => {
  const row = { token: 1, bytes: Uint8Array.of(97), logprob: Number.NEGATIVE_INFINITY, top: [] };
  const [message] = encodeEvent({ type: 'text', choice: 0, text: 'a', logprobs: [row] });
  const back = decodeEvent(message!);
  assert.ok(back.type === 'text' && back.logprobs![0]!.logprob === -10_000);
});

test('requests and the other messages come out as they went in', () => {
  assert.deepEqual(decodeChat(encodeChat(chat)), chat);
  const embedding = { model: 'm', inputs: ['a', Int32Array.of(1, 2)], truncate: true, dimensions: null };
  assert.deepEqual(decodeEmbedding(encodeEmbedding(embedding)), embedding);
  const answer = {
    model: 'm',
    dimension: 2,
    tokens: [1, 2],
    vectors: Float32Array.of(1, 2, 3, 4),
    ...signed,
  };
  assert.deepEqual(decodeEmbedded(encodeEmbedded(answer), 2), answer);
  assert.deepEqual(decodeReceipts(encodeReceipts([signed])), [signed]);
  assert.deepEqual(decodeLease(encodeLease({ state: 'released' })), { state: 'released' });
});

test('requests beyond the bounds of the HTTP surface are refused on both sides', () => {
  const message = { role: 'user', content: 'x' };
  const beyond: readonly object[] = [
    { messages: [] },
    { messages: Array.from({ length: 2049 }, () => message) },
    { messages: [{ role: 'root', content: 'x' }] },
    { messages: [{ ...message, secret: 1 }] },
    { n: 17 },
    { n: 0 },
    { sampler: { temperature: 2.1 } },
    { sampler: { logitBias: Array.from({ length: 1025 }, () => [1, 1]) } },
    { stop: Array.from({ length: 17 }, () => 'a') },
    { stop: [''] },
    { grammar: { kind: 'literal', text: 'a' } },
    {
      tools: Array.from({ length: 129 }, () => ({
        name: 'f',
        description: null,
        parameters: null,
        strict: false,
      })),
    },
    { tools: [{ name: 'f', description: null, parameters: { a: Uint8Array.of(1) }, strict: false }] },
    { variables: { a: { b: 1 } } },
    { more: 1 },
  ];
  for (const part of beyond) {
    const odd = { ...chat, ...part };
    const raw = encodeCbor(odd as unknown as CborValue, { maxItems: 500_000, maxBytes: 2 ** 22 });
    assert.throws(() => decodeChat(raw), { code: 'peer_malformed' }, JSON.stringify(part).slice(0, 80));
    if (!('more' in part)) assert.throws(() => encodeChat(odd as never), { code: 'peer_malformed' });
  }
});

const decoders: readonly ((message: PeerMessage) => unknown)[] = [
  decodeEvent,
  decodeModels,
  decodeReceipts,
  ({ metadata }) => decodeLease(metadata),
  ({ metadata }) => decodeLeaseAsk(metadata),
  ({ metadata }) => decodeOpening(metadata),
  (message) => decodeEmbedded(message, 2),
  ({ payload }) => decodeChat(payload),
  ({ payload }) => decodeEmbedding(payload),
];

const refuses = (decode: () => unknown): void => {
  try {
    decode();
  } catch (error) {
    const known = isKithError(error) && (error.code === 'peer_malformed' || error.code === 'cbor_invalid');
    assert.ok(known && error.status === 400, String(error));
  }
};

test('whatever a peer sends, it is read or refused by name', () => {
  const value: fc.Arbitrary<CborValue> = fc.oneof(
    fc.string({ maxLength: 5 }).map((one) => one.toWellFormed()),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 70 }).map((bytes) => new Uint8Array(bytes)),
    fc.constantFrom(...['start', 'text', 'scored', 'usage', 'granted', 'busy', 'chat', 'stop']),
    fc.array(fc.integer(), { maxLength: 3 }),
    fc.constant({}),
  );
  const keys = fc.constantFrom(...'escmtlirgqwxpokfdnau'.split(''), 'ms');
  const payload = fc.oneof(fc.uint8Array({ maxLength: 64 }), fc.constant(encodeChat(chat)));
  fc.assert(
    fc.property(fc.dictionary(keys, value), payload, (metadata, bytes) => {
      const plain = { ...metadata };
      for (const decode of decoders)
        refuses(() => decode({ metadata: plain, payload: new Uint8Array(bytes) }));
    }),
    { numRuns: 2000 },
  );
});

test('a message with one byte changed is read or refused by name', () => {
  const whole = encodeChat({
    ...chat,
    tools: [{ name: 'f', description: 'd', parameters: { type: 'object' }, strict: true }],
  });
  fc.assert(
    fc.property(fc.nat({ max: whole.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, by) => {
      const damaged = Uint8Array.from(whole);
      damaged[at] = damaged[at]! ^ by;
      refuses(() => decodeChat(damaged));
    }),
    { numRuns: 2000 },
  );
});

/** Written down once; a change of them is another version of the protocol. */
const GOLDEN = {
  want: 'a3616d616d61746463686174626d731a000927c0',
  release: 'a161725001010101010101010101010101010101',
  granted: 'a3616c50010101010101010101010101010101016173676772616e746564626d7305',
  busy: 'a261736462757379626d7305',
  denied: 'a361736664656e696564617766636c6f73656461786178',
  opening: 'a361695002020202020202020202020202020202616c5001010101010101010101010101010101626d7303',
  start: 'a46165657374617274616bf6616d616d617007',
  usage:
    'aa6164f6616565757361676561660c6167584009090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909616b00616f026170076171f938006172420102617881616e',
  models: ['a1617100', '81a461631910006169616d617365726561647961746463686174'],
  text: ['a261630161656474657874', 'c3a9'],
  chat: 'a9616e016473746f7080656d6f64656c616d6773616d706c6572a26473656564016b74656d706572617475726500686d6573736167657381a264726f6c65647573657267636f6e74656e74626869686f766572666c6f77f6696d6178546f6b656e73086974696d656f75744d73f66a6b656570546f6b656e7300',
};

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { type CborMap, encodeCbor, fromHex, isKithError, toHex } from '../../base/index.ts';
import { verify } from '../../identity/index.ts';
import { parseEnvelope } from '../records/envelope.ts';
import { identityOf, NOW } from '../records/testing/samples.ts';
import {
  encodeMessage,
  encodeMessageReply,
  MESSAGE_MAX_BYTES,
  MESSAGE_MAX_LIFE_MS,
  type Message,
  messageId,
  parseMessage,
  parseMessageReply,
  signMessage,
} from './message.ts';

const alice = identityOf(1);
const bob = identityOf(2);

function messageFor(changes: Partial<Message> = {}): Message {
  const nonce = new Uint8Array(16).fill(7);
  return { from: alice.peerId, to: bob.peerId, nonce, sent: NOW, exp: NOW + 1000, text: 'Hello', ...changes };
}

test('a message is the same after it was encoded and read', () => {
  const text = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 200 })
    .filter((one) => one.length > 0 && one.isWellFormed());
  const life = fc.integer({ min: 1, max: MESSAGE_MAX_LIFE_MS });
  fc.assert(
    fc.property(text, life, fc.uint8Array({ minLength: 16, maxLength: 16 }), (words, ms, nonce) => {
      const message = messageFor({ text: words, exp: NOW + ms, nonce });
      assert.deepEqual(parseMessage(encodeMessage(message)), message);
    }),
  );
});

test('the bytes of version 1 never change', () => {
  const { id, bytes } = signMessage(messageFor(), alice);
  const { body, signature } = parseEnvelope(bytes, MESSAGE_MAX_BYTES);
  assert.equal(toHex(body), GOLDEN);
  assert.equal(id, GOLDEN_ID);
  assert.equal(messageId(fromHex(GOLDEN)), GOLDEN_ID);
  assert.ok(verify(alice.publicKey, 'message', body, signature));
  assert.equal(
    toHex(encodeCbor(encodeMessageReply({ state: 'refused', code: 'rate', retryAfter: 600 }))),
    'a461760164636f6465647261746565737461746567726566757365646a7265747279416674657219025 8'.replace(' ', ''),
  );
});

test('the longest text of any script fits, one longer is refused in words for its writer', () => {
  const { bytes } = signMessage(messageFor({ text: '\u{20ac}'.repeat(8000) }), alice);
  assert.ok(bytes.length <= MESSAGE_MAX_BYTES);
  for (const text of ['', 'a'.repeat(8001), '\ud800'])
    assert.throws(
      () => signMessage(messageFor({ text }), alice),
      (error) => isKithError(error) && error.code === 'message_text_invalid',
    );
});

test('what breaks a bound is not signed', () => {
  for (const changes of [
    { exp: NOW },
    { exp: NOW + MESSAGE_MAX_LIFE_MS + 1 },
    { from: bob.peerId },
    { to: 'nobody' },
    { nonce: new Uint8Array(15) },
  ])
    assert.throws(() => signMessage(messageFor(changes), alice), isKithError, JSON.stringify(changes));
});

test('no bytes make the readers throw anything but that they are malformed', () => {
  const good = encodeMessage(messageFor());
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
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), mutated), (bytes) =>
      refusesOnly(() => parseMessage(bytes)),
    ),
    { numRuns: 2000 },
  );
  const value = fc.oneof(fc.integer(), fc.string(), fc.constantFrom('stored', 'refused', 'rate', null));
  const reply = fc.record(
    { v: fc.constantFrom(1, 2), state: value, code: value, retryAfter: value, more: value },
    { requiredKeys: [] },
  );
  fc.assert(fc.property(reply, (metadata) => refusesOnly(() => parseMessageReply(metadata as CborMap))));
});

test('replies are the same after they were encoded and read', () => {
  for (const reply of [
    { state: 'stored' },
    { state: 'duplicate' },
    { state: 'refused', code: 'inbox_full', retryAfter: 60 },
    { state: 'refused', code: 'tier', retryAfter: null },
  ] as const)
    assert.deepEqual(parseMessageReply(encodeMessageReply(reply)), reply);
});

const GOLDEN =
  'a761760162746f5820982abb39437fe3fc88d5066bfe7048ba0dbb8055e9d26938dcfc1e853669d8f8636578701b0000' +
  '01a3185c53e86466726f6d5820e9b6cac63a1c9ba5da6f2312f2abe29d89842f17f282e9f2055b3e95caf8662e647365' +
  '6e741b000001a3185c500064746578746548656c6c6f656e6f6e63655007070707070707070707070707070707';
const GOLDEN_ID = 'msg-53ca112aa22fed3bcf3994fb87949ea8';

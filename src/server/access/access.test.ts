import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createManualClock, createSeededRandom, isKithError } from '../../base/index.ts';
import { agentOf } from './agent.ts';
import { challengeFor, credentialOf } from './credential.ts';
import { peerOf } from './failures.ts';
import { keyDigest, keyId, newKeyId, newKeyText, sameDigest } from './key-text.ts';
import { createBucket, resetText } from './rate.ts';

test('a key text names its id, and nothing but its own digest fits it', () => {
  const random = createSeededRandom(1);
  const id = newKeyId(random);
  const text = newKeyText(id, random);
  assert.equal(keyId(text), id);
  assert.equal(keyDigest(text).length, 32);
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, char) => {
      const other = text.slice(0, at) + char + text.slice(at + 1);
      assert.equal(sameDigest(keyDigest(other), keyDigest(text)), other === text);
    }),
  );
  assert.equal(sameDigest(keyDigest(text), new Uint8Array(31)), false);
  for (const wrong of ['', 'kith_', text.slice(1), `${text}a`, text.toUpperCase(), text.replace('_', '-')])
    assert.equal(keyId(wrong), null, wrong);
});

test('secrets of all zero and all one bits have the length of the others', () => {
  for (const byte of [0, 255]) {
    const random = { ...createSeededRandom(1), bytes: (count: number) => new Uint8Array(count).fill(byte) };
    assert.notEqual(keyId(newKeyText(newKeyId(random), random)), null);
  }
});

test('no headers make the search for a credential throw, and what it finds is bounded', () => {
  const value = fc.option(
    fc.oneof(
      fc.string(),
      fc.string().map((text) => `Basic ${text}`),
      fc.string().map((text) => `Bearer ${text}`),
    ),
    {
      nil: undefined,
    },
  );
  fc.assert(
    fc.property(value, value, (authorization, apiKey) => {
      const found = credentialOf({ authorization, 'x-api-key': apiKey });
      assert.ok(found === null || typeof found === 'string');
    }),
  );
  assert.ok(credentialOf({ authorization: `Bearer ${'x'.repeat(100_000)}` })!.length <= 1024);
  assert.equal(credentialOf({}), null);
  assert.equal(credentialOf({ authorization: 'Bearer ' }), null);
});

test('a password survives being carried by Basic, whatever the user name', () => {
  const name = fc.string().filter((text) => !text.includes(':'));
  fc.assert(
    fc.property(name, fc.string({ minLength: 1, maxLength: 80 }), (user, password) => {
      const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
      fc.pre(authorization.length <= 1024);
      assert.equal(credentialOf({ authorization }), Buffer.from(password).toString());
    }),
  );
});

test('only a request for a page is asked for a password', () => {
  assert.match(challengeFor({ accept: 'text/html, */*' }), /^Basic/);
  for (const accept of ['*/*', 'text/htmlx', 'application/json', undefined])
    assert.match(challengeFor(accept === undefined ? {} : { accept }), /^Bearer/);
});

/** A unit counts as refilled when so little is missing that only rounding can explain it (rate.ts). */
const roundingSlack = 1e-3;

test('a bucket lets a minute through at once and never more than its rate over time', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 50 }),
      fc.array(fc.integer({ min: 1, max: 20_000 }), { maxLength: 30 }),
      async (limit, waits) => {
        const clock = createManualClock();
        const bucket = createBucket(limit, clock);
        let taken = 0;
        let elapsed = 0;
        for (const wait of [0, ...waits]) {
          await clock.advance(wait);
          elapsed += wait;
          while (bucket.waitMs() === 0) {
            bucket.take(1);
            taken++;
          }
          assert.ok(taken <= limit + (elapsed / 60_000) * limit + roundingSlack);
        }
        // Waiting as long as it says is always enough.
        await clock.advance(bucket.waitMs());
        assert.equal(bucket.waitMs(), 0);
        await clock.advance(bucket.resetMs());
        assert.equal(bucket.remaining(), limit);
      },
    ),
    { numRuns: 40 },
  );
});

test('a bucket that was overdrawn makes up for it', async () => {
  const clock = createManualClock();
  const bucket = createBucket(60, clock);
  bucket.take(160);
  assert.equal(bucket.remaining(), -100);
  assert.equal(Math.round(bucket.waitMs()), 101_000);
  await clock.advance(101_000);
  assert.equal(bucket.waitMs(), 0);
});

test('times until a reset are written as OpenAI writes them', () => {
  const cases: [number, string][] = [
    [0, '0s'],
    [0.4, '1ms'],
    [20, '20ms'],
    [1000, '1s'],
    [1500, '1.5s'],
    [59_999, '59.999s'],
    [60_000, '1m0s'],
    [360_000, '6m0s'],
    [3_630_000, '1h0m30s'],
  ];
  for (const [ms, expected] of cases) assert.equal(resetText(ms), expected);
});

test('every text is some peer', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.ipV4(), fc.ipV6()),
      (address) => typeof peerOf(address) === 'string',
    ),
  );
  fc.assert(fc.property(fc.ipV4(), (address) => peerOf(`::ffff:${address}`) === address));
});

test('a name of an agent has no case; what is none is refused, and a key in its place is not repeated', () => {
  assert.equal(agentOf({}), null);
  assert.equal(agentOf({ 'x-kith-agent': 'planner-2' }), 'planner-2');
  assert.equal(agentOf({ 'x-kith-agent': 'Strategy' }), 'strategy');
  for (const value of ['kith_0123456789_abc', 'KITH_0123456789_abc', 'a b', '', '-x', 'x'.repeat(65), 'a, b'])
    assert.throws(
      () => agentOf({ 'x-kith-agent': value }),
      (error) =>
        isKithError(error) &&
        error.code === 'invalid_header' &&
        error.status === 400 &&
        error.param === 'x-kith-agent' &&
        (value === '' || !error.message.includes(`"${value}"`)) &&
        !error.message.includes('0123456789'),
    );
});

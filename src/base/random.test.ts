import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../test/property.ts';
import { createManualClock } from './clock.ts';
import { createIds, ID_PATTERN, idTime, isId } from './ids.ts';
import { createSeededRandom, systemRandom } from './random.ts';

test('the seeded generator is xoshiro128**', () => {
  // First outputs of the authors' reference code for the state 1, 2, 3, 4.
  const random = createSeededRandom([1, 2, 3, 4]);
  const first = Array.from({ length: 10 }, () => random.uint32());
  const reference = [
    11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
  ];
  assert.deepEqual(first, reference);
});

test('a seed repeats itself, and another one differs', () => {
  const draw = (seed: number) => {
    const random = createSeededRandom(seed);
    return [random.float(), random.uint32(), ...random.bytes(7)];
  };
  assert.deepEqual(draw(7), draw(7));
  assert.notDeepEqual(draw(7), draw(8));
  assert.notDeepEqual(draw(0), draw(1));
});

for (const [name, random] of [
  ['system', systemRandom],
  ['seeded', createSeededRandom(42)],
] as const) {
  test(`the ${name} generator fills its ranges evenly`, () => {
    const counts = new Array<number>(16).fill(0);
    let sum = 0;
    for (let index = 0; index < 16_000; index++) {
      counts[random.uint32() >>> 28]!++;
      const float = random.float();
      assert.ok(float >= 0 && float < 1);
      sum += float;
    }
    // Expected 1000 each with a deviation of about 31: eight deviations never happen by chance.
    for (const count of counts) assert.ok(Math.abs(count - 1000) < 250, String(counts));
    assert.ok(Math.abs(sum / 16_000 - 0.5) < 0.02);
    assert.equal(random.bytes(33).length, 33);
    assert.notDeepEqual(random.bytes(16), random.bytes(16));
  });
}

test('ids match their pattern, carry their time and sort by it', () => {
  const clock = createManualClock(1_700_000_000_123);
  const ids = createIds(clock, createSeededRandom(1));
  const first = ids.next('chatcmpl');
  assert.match(first, ID_PATTERN);
  assert.equal(idTime(first), 1_700_000_000_123);
  assert.ok(isId('chatcmpl', first) && !isId('cmpl', first) && !isId('chatcmpl', `${first}0`));
  clock.advance(1);
  assert.ok(ids.next('chatcmpl') > first);
  assert.notEqual(ids.next('req'), ids.next('req'));
  assert.equal(idTime('nothing'), null);
  for (const bad of ['', 'A', 'a-b', '1a', 'a b', 'x'.repeat(40)]) {
    assert.throws(() => ids.next(bad), { code: 'id_prefix_invalid' });
  }
});

test('the 80 random bits of an id are the bytes drawn, high bit first', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 10, maxLength: 10 }), (bytes) => {
      const random = { ...systemRandom, bytes: () => bytes };
      const text = createIds(createManualClock(), random).next('a').slice(-16);
      let value = 0n;
      for (const char of text) value = value * 32n + BigInt('0123456789abcdefghjkmnpqrstvwxyz'.indexOf(char));
      assert.equal(value, BigInt(`0x${Buffer.from(bytes).toString('hex')}`));
    }),
    { numRuns: 100 },
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { decodeDictionary, encodeDictionary } from './dictionary.ts';
import { keyId } from './ids.ts';
import { WHOLE } from './messages.ts';
import { encodeMsgpack } from './msgpack.ts';
import { keep } from './serve.ts';
import { STORAGE_LIMITS, Storage } from './storage.ts';

const NOW = 1_800_000_000;
const KEY = keyId('key');

function storage(limits: Partial<typeof STORAGE_LIMITS> = {}) {
  const time = { now: NOW };
  const kept = new Storage({ now: () => time.now * 1000 }, { ...STORAGE_LIMITS, ...limits });
  return {
    time,
    kept,
    put: (
      text: string,
      expiration: number,
      {
        subkey,
        peer = 'ada',
        key = KEY,
      }: { readonly subkey?: string; readonly peer?: string; readonly key?: Uint8Array } = {},
    ) =>
      kept.store(peer, {
        key,
        subkey: subkey === undefined ? null : { value: subkey, tag: encodeMsgpack(subkey) },
        value: encodeMsgpack(text),
        expiration: NOW + expiration,
      }),
    read() {
      const found = kept.get(KEY);
      if (found === null) return null;
      if ('regular' in found) return [Buffer.from(found.regular.slice(1)).toString(), found.expiration - NOW];
      return Object.fromEntries(
        decodeDictionary(found.dictionary).entries.map(({ subkey, value, expiration }) => [
          subkey,
          [Buffer.from(value.slice(1)).toString(), expiration - NOW],
        ]),
      );
    },
  };
}

test('what expires later replaces what expires earlier, and nothing else does', () => {
  const { put, read, time, kept } = storage();
  assert.deepEqual([put('a', 10), put('b', 10), put('c', 9), read()], [true, false, false, ['a', 10]]);
  assert.deepEqual([put('d', 11), read()], [true, ['d', 11]]);
  // A dictionary takes the place of a value that expires earlier, and the other way round.
  assert.deepEqual([put('s', 11, { subkey: 'x' }), put('s', 12, { subkey: 'x' })], [false, true]);
  assert.deepEqual([put('t', 5, { subkey: 'y' }), put('u', 4, { subkey: 'y' })], [true, false]);
  assert.deepEqual(read(), { x: ['s', 12], y: ['t', 5] });
  assert.equal(put('whole', 12), false);
  time.now += 5;
  assert.deepEqual(read(), { x: ['s', 12] });
  assert.deepEqual([put('whole', 13), read()], [true, ['whole', 13]]);
  time.now += 8;
  assert.deepEqual([read(), put('late', 13), kept.size()], [null, false, { keys: 0, bytes: 0 }]);
  assert.deepEqual([put('for good', Infinity), put('never', Number.NaN)], [false, false]);
});

test('one peer cannot take the room of all, nor all of them more than there is', () => {
  const { put, kept, time } = storage({ maxValues: 5, maxValuesPerPeer: 3, maxValueBytes: 50 });
  const key = (name: number) => keyId(name);
  const put10 = (name: number, peer: string, expiration = 10) =>
    put('x', expiration, { peer, key: key(name) });
  assert.deepEqual(
    [1, 2, 3, 4].map((name) => put10(name, 'ada')),
    [true, true, true, false],
  );
  // Its own it may renew at its bound.
  assert.equal(put10(1, 'ada', 20), true);
  assert.deepEqual(
    [5, 6, 7].map((name) => put10(name, 'bob')),
    [true, true, false],
  );
  assert.equal(put('y'.repeat(51), 10, { peer: 'eve' }), false);
  time.now += 15;
  // Room is made by what has expired.
  assert.equal(put10(8, 'eve', 20), true);
  assert.equal(kept.size().keys, 2);
});

test('the count of values and bytes is right whatever happens, so that the bounds hold', () => {
  const step = fc.record({
    wait: fc.nat(3),
    peer: fc.constantFrom('ada', 'bob', 'eve'),
    key: fc.nat(4),
    subkey: fc.option(fc.constantFrom('x', 'y'), { nil: undefined }),
    size: fc.nat(30),
    expiration: fc.integer({ min: -2, max: 12 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const limits = { maxValues: 6, maxBytes: 2000, maxValuesPerPeer: 4, maxBytesPerPeer: 1200 };
      const { kept, put, time } = storage(limits);
      for (const { wait, peer, key, subkey, size, expiration } of steps) {
        time.now += wait;
        put('v'.repeat(size), time.now - NOW + expiration, {
          peer,
          key: keyId(key),
          ...(subkey !== undefined && { subkey }),
        });
        const { bytes, keys } = kept.size();
        assert.ok(bytes <= limits.maxBytes && keys <= limits.maxValues);
        assert.equal(bytes === 0, keys === 0);
      }
      time.now += 20;
      assert.deepEqual(kept.size(), { keys: 0, bytes: 0 });
    }),
  );
});

test('a dictionary over what an answer holds is found by its size, and one longer than others read does not come about', () => {
  const { kept } = storage({ maxValuesPerPeer: 5000 });
  const put = (index: number) =>
    kept.store('ada', {
      key: KEY,
      subkey: { value: index, tag: encodeMsgpack(index) },
      value: new Uint8Array(100),
      expiration: NOW + 10,
    });
  for (let index = 0; index < 4096; index++) assert.equal(put(index), true);
  assert.equal(put(4096), false);
  const whole = kept.get(KEY);
  assert.ok(whole !== null && 'dictionary' in whole);
  assert.equal(decodeDictionary(whole.dictionary).entries.length, 4096);
  assert.equal(kept.get(KEY, whole.dictionary.length - 1), null);
  assert.notEqual(kept.get(KEY, 2 * whole.dictionary.length), null);
});

test('of the dictionaries in one request only so many entries are looked at', () => {
  const { kept } = storage({ maxValuesPerPeer: 5000 });
  const room = { entries: 4096 };
  const dictionary = (name: string, count: number) => {
    const entries = Array.from({ length: count }, (_, index) => ({
      subkey: index,
      value: Uint8Array.of(1),
      expiration: NOW + 10,
    }));
    const value = encodeDictionary({ maxsize: Infinity, entries });
    return keep(kept, 'ada', { key: keyId(name), subkey: WHOLE, value, expiration: 0, inCache: false }, room);
  };
  assert.deepEqual([dictionary('a', 4000), dictionary('b', 100), dictionary('c', 1)], [true, true, false]);
  assert.equal(kept.size().keys, 2);
});

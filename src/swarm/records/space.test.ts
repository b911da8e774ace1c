import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { TIERS, toHex } from '../../base/index.ts';
import { encodeAnnouncement, parseAnnouncement } from './announcement.ts';
import { readSpace, type SpaceTerms, spaceWords, withoutTerms } from './space.ts';
import { announcementOf, identityOf, NOW } from './testing/samples.ts';

const TERMS: SpaceTerms = {
  ...{ modes: ['sealed', 'split'], freeBytes: 50e9, largestBytes: 5e9, days: 90, to: 'friends' },
};
const recordWith = (serves: readonly string[]) =>
  announcementOf(identityOf(1), { model: null, blocks: [], seq: NOW, serves });

test('terms are in the signed record, rounded down to powers of two, and as words that every node of version 1 reads', () => {
  const record = encodeAnnouncement(recordWith(spaceWords(TERMS)));
  const { serves } = parseAnnouncement(record);
  assert.deepEqual(readSpace(serves), { ...TERMS, freeBytes: 2 ** 35, largestBytes: 2 ** 32 });
  assert.deepEqual(withoutTerms(serves), ['storage']);
  assert.equal(toHex(record), GOLDEN);
});

test('a record without terms lends space on terms that are not known, and is the same bytes as before', () => {
  const old = parseAnnouncement(encodeAnnouncement(recordWith(['storage'])));
  assert.equal(readSpace(old.serves), null);
  assert.equal(readSpace(['blocks']), null);
});

test('terms that do not hold together say nothing', () => {
  const words = spaceWords(TERMS);
  const without = (start: string) => words.filter((word) => !word.startsWith(start));
  for (const bad of [
    without('storage-free'),
    without('storage-days'),
    [...words, 'storage-free-30'],
    [...without('storage-free'), 'storage-free-24'],
    [...without('storage-free'), 'storage-free-51'],
    [...without('storage-free'), 'storage-free-35x'],
    [...without('storage-free'), 'storage-free-035'],
    [...without('storage-days'), 'storage-days-0'],
    [...without('storage-days'), 'storage-days-9999'],
    [...without('storage-most'), 'storage-most-40'],
    [...without('storage-to'), 'storage-to-anybody'],
    words.filter((word) => word !== 'storage'),
  ])
    assert.equal(readSpace(bad), null, bad.join(' '));
  // A word that a newer node knows is read past.
  assert.notEqual(readSpace([...words, 'storage-colour-red']), null);
});

test('any terms are read as they were said, within a factor of two, and any words are read or read past', () => {
  const bytes = fc.integer({ min: 0, max: 2 ** 50 });
  const terms = fc.record({
    modes: fc.subarray(['split', 'perturbed']).map((modes) => ['sealed', ...modes]),
    ...{ freeBytes: bytes, largestBytes: bytes, days: fc.integer({ min: 1, max: 3660 }) },
    to: fc.constantFrom('friends' as const, ...TIERS),
  });
  fc.assert(
    fc.property(terms, (said) => {
      const read = readSpace(parseAnnouncement(encodeAnnouncement(recordWith(spaceWords(said)))).serves)!;
      const { freeBytes, largestBytes, ...rest } = read;
      assert.deepEqual(rest, { modes: said.modes, days: said.days, to: said.to });
      const largest = Math.min(said.freeBytes, said.largestBytes);
      for (const [told, true_] of [
        [freeBytes, said.freeBytes],
        [largestBytes, largest],
      ] as const)
        assert.ok(told <= true_ && (true_ < 32 << 20 ? told === 0 : 2 * told > true_), `${told} of ${true_}`);
    }),
    { numRuns: 200 },
  );
  const word = fc.oneof(
    fc.constantFrom('storage', ...spaceWords(TERMS)),
    fc.string().map((end) => `storage-free-${end}`),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 8 }), (words) => {
      const read = readSpace(words);
      assert.ok(read === null || (read.freeBytes <= 2 ** 50 && read.days >= 1 && read.days <= 3660));
    }),
    { numRuns: 300 },
  );
});

const GOLDEN =
  'ae617601636578701b000001a31861ce40637365711b000001a3185c5000637470731930d464706565725820e9b6cac6' +
  '3a1c9ba5da6f2312f2abe29d89842f17f282e9f2055b3e95caf8662e657374617465666f6e6c696e6565747275737480' +
  '66626c6f636b738066736572766573866773746f726167656f73746f726167652d646179732d39306f73746f72616765' +
  '2d667265652d33356f73746f726167652d6d6f73742d33326d73746f726167652d73706c69747273746f726167652d74' +
  '6f2d667269656e647367726567696f6e7381626575686d6178426174636808696c6174656e63794d73146970726f746f' +
  '636f6c7381712f6b6974682f73686172642f312e302e306f667265654361636865546f6b656e73191000';

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createTextStream } from './index.ts';

/** A tokenizer whose token n is the n-th of these byte strings. */
const tokenizerOf = (pieces: readonly Uint8Array[]) => ({ bytes: (token: number) => pieces[token]! });

function run(pieces: readonly Uint8Array[], stops: readonly string[]) {
  const stream = createTextStream(tokenizerOf(pieces), stops);
  const chunks = pieces.map((_, token) => stream.push(token));
  chunks.push(stream.finish());
  return { text: chunks.map(({ text }) => text).join(''), chunks, stop: stream.stop };
}

const utf8 = (...texts: string[]): Uint8Array[] => texts.map((text) => new Uint8Array(Buffer.from(text)));

const bytes = fc.oneof(
  fc
    .string({ unit: fc.constantFrom('a', 'b', 'c', 'é', '漢', '😀'), maxLength: 24 })
    .map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 16 }).map((array) => Buffer.from(array)),
);
const stopTexts = fc.array(
  fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'é', '漢', '😀', '\ufffd'), maxLength: 4 }),
  { maxLength: 4 },
);

function cut(whole: Buffer, places: readonly number[]): Uint8Array[] {
  const ends = [...new Set(places.map((place) => place % (whole.length + 1)))].sort((a, b) => a - b);
  return [0, ...ends].map((start, i) => new Uint8Array(whole.subarray(start, ends[i] ?? whole.length)));
}

test('any chunking gives the whole text, cut at the stop that starts first', () => {
  fc.assert(
    fc.property(bytes, stopTexts, fc.array(fc.nat(64), { maxLength: 12 }), (whole, stops, places) => {
      const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(whole);
      const starts = stops.filter((stop) => stop !== '').map((stop) => text.indexOf(stop));
      const first = Math.min(...starts.filter((at) => at >= 0), text.length);
      const result = run(cut(whole, places), stops);
      assert.equal(result.text, text.slice(0, first));
      assert.equal(
        result.stop !== null,
        starts.some((at) => at >= 0),
      );
      for (const chunk of result.chunks) {
        assert.ok(chunk.text.isWellFormed());
      }
    }),
    { numRuns: 2000 },
  );
});

test('tokens are counted once, with the text that completes them', () => {
  fc.assert(
    fc.property(bytes, fc.array(fc.nat(64), { maxLength: 12 }), (whole, places) => {
      const pieces = cut(whole, places);
      const { chunks } = run(pieces, ['aab', 'éa']);
      const total = chunks.reduce((sum, { tokens }) => sum + tokens, 0);
      assert.ok(total <= pieces.length);
      if (chunks.every(({ stop }) => stop === null)) assert.equal(total, pieces.length);
    }),
  );
});

test('a character split over tokens comes with the token that completes it', () => {
  const [first, second] = [new Uint8Array([0xe6, 0xbc]), new Uint8Array([0xa2])];
  const { chunks } = run([first, second], []);
  assert.deepEqual(chunks, [
    { text: '', tokens: 0, stop: null },
    { text: '漢', tokens: 2, stop: null },
    { text: '', tokens: 0, stop: null },
  ]);
});

test('text that may start a stop is held back until it is decided', () => {
  const stream = createTextStream(tokenizerOf(utf8('one <', '/', 's> two', '>')), ['</s>']);
  assert.deepEqual(stream.push(0), { text: 'one ', tokens: 0, stop: null });
  assert.deepEqual(stream.push(1), { text: '', tokens: 0, stop: null });
  assert.deepEqual(stream.push(2), { text: '', tokens: 0, stop: '</s>' });
  assert.deepEqual(stream.push(3), { text: '', tokens: 0, stop: null });

  const other = createTextStream(tokenizerOf(utf8('one <', 'b>')), ['</s>']);
  assert.deepEqual(other.push(0), { text: 'one ', tokens: 0, stop: null });
  assert.deepEqual(other.push(1), { text: '<b>', tokens: 2, stop: null });
});

test('an unfinished character at the end becomes U+FFFD, an unfinished stop is text', () => {
  assert.equal(run([new Uint8Array([0x61, 0xf0, 0x9f])], []).text, 'a\ufffd');
  assert.equal(run(utf8('a</'), ['</s>']).text, 'a</');
});

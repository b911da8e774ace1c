import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../../../test/property.ts';
import { stemsOf } from '../search/highlight.ts';
import { type Span, spansOfPassage, spansOfSentence, spansOfWords } from './pdf-marks.ts';

const cut = (pieces: readonly string[], spans: readonly Span[]) =>
  spans.map(({ piece, from, to }) => pieces[piece]!.slice(from, to));

test('a sentence is found over lines, parted words and ligatures, and nothing is marked where it does not stand', () => {
  const pieces = ['Head', 'Before it. The of\uFB01ce lea', 'se ends in Decem-', 'ber 2026. After it.'];
  assert.deepEqual(cut(pieces, spansOfSentence(pieces, 'The office lease ends in December 2026.')), [
    'The of\uFB01ce lea',
    'se ends in Decem',
    'ber 2026.',
  ]);
  assert.deepEqual(spansOfSentence(pieces, 'The lease ends in June.'), []);
  assert.deepEqual(spansOfSentence(pieces, ' '), []);
  assert.deepEqual(spansOfSentence([], 'x'), []);
});

test('of a passage that goes over pages each page shows its part', () => {
  const passage =
    'The boiler was bought in 2019 and is looked after each autumn by the plumber of the house.';
  const first = ['Page 1', 'The boiler was bought in 2019', 'and is looked after'];
  const second = ['each autumn by the plumber', 'of the house.', 'Another thing.'];
  assert.deepEqual(cut(first, spansOfPassage(first, passage)), first.slice(1));
  assert.deepEqual(cut(second, spansOfPassage(second, passage)), second.slice(0, 2));
  assert.deepEqual(spansOfPassage(['Something else stands here.'], passage), []);
});

test('words that were looked for are marked in all their forms', () => {
  const pieces = ['Brakes and brake pads', 'nothing'];
  assert.deepEqual(cut(pieces, spansOfWords(pieces, stemsOf('a brake'))), ['Brakes', 'brake']);
});

test('whatever the pieces are, spans lie within them and say what was looked for', () => {
  const text = fc.array(fc.string({ unit: 'grapheme', maxLength: 12 }), { maxLength: 8 });
  fc.assert(
    fc.property(text, fc.nat(30), fc.nat(30), (pieces, from, length) => {
      const whole = pieces.join('');
      const wanted = whole.slice(from, from + length).toWellFormed();
      for (const spans of [spansOfSentence(pieces, wanted), spansOfPassage(pieces, wanted)])
        for (const span of spans) {
          const { length: end } = pieces[span.piece]!;
          assert.ok(span.from >= 0 && span.from < span.to && span.to <= end);
        }
    }),
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../../../test/property.ts';
import { excerpt, highlight, markSentence, stemsOf } from './highlight.ts';

const hits = (text: string, question: string) =>
  highlight(text, stemsOf(question))
    .filter(({ hit }) => hit)
    .map(({ text: word }) => word);

test('words are marked in all their forms, with and without accents, and words that tell nothing are not', () => {
  assert.deepEqual(
    hits('The brakes need repairs; we repaired the café.', 'Who will repair the brake of the cafe?'),
    ['brakes', 'repairs', 'repaired', 'café'],
  );
  assert.deepEqual(hits('He stopped. Stories stop making sense, she makes them.', 'stop story make'), [
    'stopped',
    'Stories',
    'stop',
    'making',
    'makes',
  ]);
  assert.deepEqual(hits('Version 42 is not 421.', 'version 42'), ['Version', '42']);
  assert.deepEqual(hits('To be or not', 'to be'), ['To', 'be'], 'nothing else was asked');
  assert.deepEqual(hits('anything', ''), []);
});

test('markup in a document stays text', () => {
  const text = '<img src=x onerror=alert(1)> & "tea"';
  assert.deepEqual(highlight(text, stemsOf('tea')), [
    { text: '<img src=x onerror=alert(1)> & "', hit: false },
    { text: 'tea', hit: true },
    { text: '"', hit: false },
  ]);
});

test('pieces are the whole text again, whatever is looked for', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (text, question) => {
      assert.equal(
        highlight(text, stemsOf(question))
          .map((piece) => piece.text)
          .join(''),
        text,
      );
      assert.equal(
        markSentence(text, question)
          .map((piece) => piece.text)
          .join(''),
        text,
      );
    }),
  );
});

test('an excerpt shows where most of the words stand, and is cut between words', () => {
  const text = `${'Nothing of note here. '.repeat(60)}The lease ends in May and the lease costs more. ${'More of nothing. '.repeat(60)}`;
  const cut = excerpt(text, stemsOf('when does the lease end'), 200);
  assert.match(cut, /^… .*The lease ends in May and the lease costs more\..* …$/);
  assert.ok(cut.length < 220, cut);
  assert.ok(cut.split(' ').every((word) => word === '…' || text.includes(word)));
  assert.equal(excerpt('Short.', stemsOf('x'), 200), 'Short.');
  const long = 'a'.repeat(900);
  assert.ok(excerpt(long, new Set(), 200).length < 220, 'also a text without spaces');
});

test('a cited sentence is found over line ends, and one that is not there marks nothing', () => {
  const text = 'Before it. The lease\n  ends in May. After it.';
  assert.deepEqual(markSentence(text, 'The lease ends in May.'), [
    { text: 'Before it. ', hit: false },
    { text: 'The lease\n  ends in May.', hit: true },
    { text: ' After it.', hit: false },
  ]);
  assert.deepEqual(markSentence(text, 'The lease ends in June.'), [{ text, hit: false }]);
  assert.deepEqual(markSentence(text, null), [{ text, hit: false }]);
});

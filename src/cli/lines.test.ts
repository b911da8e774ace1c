import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { fc } from '../../test/property.ts';
import { journalLine } from './journal-line.ts';
import { inLine, widthOf, wrapped } from './lines.ts';

test('text from outside stays in its line, and what would move or hide something is shown', () => {
  assert.equal(
    inLine('one\ntwo\tthree\r\u001b[2Jfour\u2028five'),
    'one\\ntwo\\tthree\\x0d\\x1b[2Jfour\\u2028five',
  );
  assert.equal(inLine('a\u202eb\u200bc\ud800'), 'a\\u202eb\\u200bc\ufffd');
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      assert.doesNotMatch(inLine(text), /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
    }),
  );
});

test('a line is as wide as its terminal shows it', () => {
  assert.deepEqual(
    ['abc', '日本', 'e\u0301', '\u001b[1mab\u001b[22m', '👩‍👩‍👧'].map(widthOf),
    [3, 4, 1, 2, 2],
  );
});

test('long lines are wrapped between words at the width of the terminal, and left whole without one', () => {
  const line = 'Ada Lovelace knows Charles Babbage';
  assert.equal(wrapped(line, undefined), line);
  assert.equal(wrapped(line, 34), line);
  assert.equal(wrapped(line, 20), 'Ada Lovelace knows\n    Charles Babbage');
  assert.equal(wrapped('日'.repeat(20), 20, '  '), `${'日'.repeat(10)}\n  ${'日'.repeat(9)}\n  日`);
  const words = fc.array(fc.stringMatching(/^[a-z日]{1,40}$/u), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(words, fc.integer({ min: 20, max: 60 }), (given, columns) => {
      const lines = wrapped(given.join(' '), columns).split('\n');
      for (const each of lines) assert.ok(widthOf(each) <= columns, each);
      assert.equal(
        lines
          .map((each) => each.trim())
          .join('')
          .replaceAll(' ', ''),
        given.join(''),
      );
      assert.equal(stripVTControlCharacters(lines.join('')), lines.join(''));
    }),
  );
});

test('an entry of a journal is one line, whatever the document says', () => {
  const line = journalLine({
    ...{ id: 1, kind: 'said', subject: 'Ada\nLovelace', what: 'summary', value: 'wrote\u001b[31m' },
    ...{ why: 'it\tsays so', by: 'rule', chunk: null, sentence: 'Ada wrote.\r\nAnd more.' },
    ...{ confidence: 1, holds: true },
  });
  assert.equal(
    stripVTControlCharacters(line),
    'Ada\\nLovelace summary wrote\\x1b[31m  rule: it\\tsays so  “Ada wrote.\\x0d\\nAnd more.”',
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { AnswerReader, citedBy, type ReadSentence } from './reading.ts';

function read(...pieces: string[]): [text: string, cites: readonly number[]][] {
  const reader = new AnswerReader();
  const sentences: ReadSentence[] = [];
  for (const piece of pieces) sentences.push(...reader.push(piece));
  sentences.push(...reader.end());
  return sentences.map(({ text, cites }) => [text.trim(), cites]);
}

test('marks of citation have many forms, and other brackets are none', () => {
  for (const [mark, cites] of [
    ['[1]', [1]],
    ['[1, 3]', [1, 3]],
    ['[2-4]', [2, 3, 4]],
    ['[^2]', [2]],
    ['[Source 2]', [2]],
    ['[sources 1 and 2]', [1, 2]],
    ['【3】', [3]],
    ['【3†notes】', [3]],
  ] as const)
    assert.deepEqual(citedBy(mark), cites, mark);
  for (const other of ['[a]', '[]', '[1a]', '[see 1]', '[12345]', '[x](y)'])
    assert.equal(citedBy(other), null, other);
  assert.equal(citedBy('[1-9999]')!.length, 16);
});

test('a mark belongs to its sentence, before or behind the full stop', () => {
  assert.deepEqual(read('Oak is hard [1]. Fir is soft. [2] Ash bends.[3][1] The end.'), [
    ['Oak is hard.', [1]],
    ['Fir is soft.', [2]],
    ['Ash bends.', [3, 1]],
    ['The end.', []],
  ]);
  assert.deepEqual(read('[1] Oak is hard. [2] Fir is soft.'), [
    ['Oak is hard.', [1]],
    ['Fir is soft.', [2]],
  ]);
  assert.deepEqual(read('- Oak is hard [1]\n- Fir is soft [2]\n\nMore.'), [
    ['- Oak is hard', [1]],
    ['- Fir is soft', [2]],
    ['More.', []],
  ]);
  assert.deepEqual(read('It is 3.5 m, says Dr. Ash [1].'), [['It is 3.5 m, says Dr. Ash.', [1]]]);
});

test('links and pictures become their words, so that no address is called', () => {
  assert.deepEqual(
    read('See [the page](https://evil.example/?q=secret) now. ![x](https://evil.example/p.png) Good!'),
    [
      ['See the page now.', []],
      ['Good!', []],
    ],
  );
  assert.deepEqual(read('An array a[i] and [1](http://x.example) and ![', '1](http://y.example/z)!'), [
    ['An array a[i] and 1 and !', []],
  ]);
});

test('sentences do not depend on how the text came in pieces', () => {
  const part = fc.constantFrom(
    ...[
      'Oak is hard',
      ' [1]',
      '. ',
      '[2]',
      '\n',
      '- ',
      'Dr. ',
      'It is 3.5 m',
      '! ',
      '![',
      '](x)',
      '[',
      ']',
      '[a',
      'Ash',
    ],
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 25 }), fc.array(fc.nat(9), { maxLength: 40 }), (parts, cuts) => {
      const text = parts.join('');
      const pieces: string[] = [];
      let from = 0;
      for (const cut of cuts) {
        pieces.push(text.slice(from, from + cut));
        from += cut;
      }
      pieces.push(text.slice(from));
      assert.deepEqual(read(...pieces), read(text));
    }),
  );
});

test('what never ends is held to a bound', () => {
  const reader = new AnswerReader();
  let longest = 0;
  for (let i = 0; i < 600; i++)
    for (const { text } of reader.push('[word ')) longest = Math.max(longest, text.length);
  assert.ok(longest > 0 && longest <= 2000);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import type { Chunk, Link, ParsedDocument } from '../types.ts';
import { Gazetteer } from './gazetteer.ts';
import { MOST_MENTIONS, mentionsOf } from './mentions.ts';
import { namesIn } from './names.ts';
import { normalForm, shortTitle } from './normal.ts';
import { MOST_WORDS, wordsIn } from './words.ts';

const names = (text: string): string[] => namesIn(text).map(({ surface }) => surface);

const document = (more: Partial<ParsedDocument> = {}): ParsedDocument => ({
  ...{ title: null, sections: [], links: [], aliases: [], tags: [], properties: {}, pages: null, notes: [] },
  ...more,
});
const chunk = (position: number, text: string, title = 'Log'): Chunk => ({
  ...{ id: String(position), position, title, text, tokens: 1, place: {} },
});

test('names are runs of capitalised words, with initials and particles between', () => {
  assert.deepEqual(names('She met J. R. R. Tolkien and the Duke of York near Port of Spain.'), [
    'J. R. R. Tolkien',
    'Duke of York',
    'Port of Spain',
  ]);
  assert.deepEqual(names('The Bank of the West hired Ludwig van Beethoven in March 1801.'), [
    'Bank of the West',
    'Ludwig van Beethoven',
    'March 1801',
  ]);
  assert.deepEqual(names('Both Ann, Bob and Chloé-Marie O’Neil came.'), ['Ann', 'Bob', 'Chloé-Marie O’Neil']);
  assert.deepEqual(names('We saw Élodie at Zürich HB; Ελένη came, too.'), ['Élodie', 'Zürich HB', 'Ελένη']);
});

test('what only begins a sentence is no name, unless it has a capital elsewhere or is never small', () => {
  assert.deepEqual(names('However, it rained. Rain fell for days, and rain again.'), []);
  assert.deepEqual(names('In Paris it rained. The end came with Dr. Rieux.'), ['Paris', 'Dr. Rieux']);
  const [first] = namesIn('Bubye is a river.');
  assert.deepEqual([first?.surface, first?.confidence], ['Bubye', 0.5]);
  assert.deepEqual(
    namesIn('Bubye is long. They crossed Bubye.').map(({ confidence }) => confidence),
    [0.8, 0.7],
  );
});

test('a name does not go on over commas, ends of sentences or lines', () => {
  assert.deepEqual(names('He lives in Springfield, Illinois. Lincoln did not.'), [
    'Springfield',
    'Illinois',
    'Lincoln',
  ]);
  assert.deepEqual(names('a letter from Ann\nBob wrote it'), ['Ann', 'Bob']);
});

test('sentences are counted over initials and titles before names', () => {
  assert.deepEqual(
    namesIn('Mr. Smith saw J. Doe. Ann did not! Then Bob came.').map(({ surface, sentence }) => [
      surface,
      sentence,
    ]),
    [
      ['Mr. Smith', 0],
      ['J. Doe', 0],
      ['Ann', 1],
      ['Bob', 2],
    ],
  );
});

test('names are one under capitals, accents, points, articles and possessives', () => {
  for (const surface of ['U.S. Senate', 'the US Senate', 'U.S. Senate’s', 'us  senate'])
    assert.equal(normalForm(surface), 'us senate');
  assert.equal(normalForm('Aschenbrödel'), normalForm('Aschenbrodel'));
  assert.equal(normalForm('The The'), 'the');
  for (const surface of ['', '1984', '...', 'x'.repeat(500)]) assert.equal(normalForm(surface), '');
  assert.equal(shortTitle('Mercury (planet)'), 'Mercury');
  assert.equal(shortTitle('Mercury'), null);
  assert.equal(shortTitle('(planet)'), null);
});

test('titles are found by their longest run of words, those of one word only with a capital', () => {
  const titles = new Gazetteer();
  for (const form of ['new york', 'new york city', 'brother', 'saxby junna']) titles.add(form);
  const found = (text: string) => titles.in(wordsIn(text)).map(({ form }) => form);
  assert.deepEqual(found('From New York City to new york, by Brother and my brother.'), [
    'new york city',
    'new york',
    'brother',
  ]);
  assert.deepEqual(found('Kerry Saxby-Junna ran'), ['saxby junna']);
  assert.deepEqual(found('It is New. York is old.'), []);
  assert.equal(titles.add('brother'), false);
  assert.equal(titles.remove('brother'), false);
  assert.equal(titles.remove('brother'), true);
  assert.equal(titles.remove('brother'), false);
  assert.deepEqual(found('A Brother of New York'), ['new york']);
});

test('a document names by title, headings, aliases, tags, links, people and its text', () => {
  const links: Link[] = [
    { target: 'people/Ann Lee.md', kind: 'link', label: 'my friend' },
    { target: 'Atlas#Part 2', kind: 'wiki', label: null },
    { target: 'https://example.org/Some_Page', kind: 'link', label: 'Web' },
    { target: 'ben@example.org', kind: 'person', label: 'Ben Low' },
    { target: 'Category:Rivers', kind: 'category', label: null },
  ];
  const mentions = mentionsOf({
    title: 'Log',
    document: document({ aliases: ['Diary'], tags: ['#travel/asia'], links }),
    chunks: [chunk(0, 'Off to Kyoto.', 'Log › May'), chunk(1, 'See Atlas, and my friend.', 'Log › June')],
  });
  assert.deepEqual(
    mentions.map(({ chunk: of, surface, span, extractor }) => [of, surface, span, extractor]),
    [
      [0, 'Log', null, 'title'],
      [0, 'Diary', null, 'alias'],
      [0, 'travel/asia', null, 'tag'],
      [0, 'May', null, 'heading'],
      [0, 'Ben Low', null, 'link'],
      [0, 'Rivers', null, 'link'],
      [0, 'Kyoto', [7, 12], 'name'],
      [1, 'Log', null, 'title'],
      [1, 'June', null, 'heading'],
      [1, 'Ann Lee', null, 'link'],
      [1, 'Atlas', [4, 9], 'link'],
      [1, 'Atlas', [4, 9], 'name'],
    ],
  );
});

test('mentions of any text are bounded, and their spans are where they say', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom('Ann ', 'of the ', 'J. ', '. ', '\n', 'É', '’s ', '-', '̈', '\ud800', 'The ', '1984 '),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), fc.string({ unit: 'binary' }), (pieces, target) => {
      const text = pieces.join('');
      const found = mentionsOf({
        title: target,
        document: document({ links: [{ target, kind: 'wiki', label: pieces[0] ?? null }], tags: [target] }),
        chunks: [chunk(0, text)],
      });
      for (const { surface, span, confidence } of found) {
        assert.notEqual(normalForm(surface), '');
        assert.ok(confidence > 0 && confidence <= 1);
        if (span !== null) assert.equal(text.slice(...span), surface);
      }
      const sentences = wordsIn(text).map(({ sentence }) => sentence);
      assert.deepEqual(
        sentences,
        sentences.toSorted((a, b) => a - b),
      );
    }),
  );
});

test('hostile texts are read to their bounds', () => {
  for (const piece of ['A', 'A.', 'A-', "A'", 'Ab of ', 'Ab. ', '\n', '“', '. ', 'Ab\n\n', ' ', '́', 'Ab (']) {
    const text = piece.repeat(Math.ceil(400_000 / piece.length));
    assert.ok(wordsIn(text).length <= MOST_WORDS);
    const mentions = mentionsOf({
      title: text,
      document: document({
        aliases: [text],
        tags: [text],
        links: [{ target: text, kind: 'wiki', label: text }],
      }),
      chunks: [chunk(0, text)],
    });
    assert.ok(mentions.length <= MOST_MENTIONS);
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../../test/property.ts';
import { hasName, nameIndexOf, namesOf, quotesOf } from './names.ts';
import { checkable, claimOf, judge } from './verify.ts';

const SOURCE = checkable(
  'Marie Curie › Life',
  'Maria Skłodowska was born in Warsaw on 7 November 1867. She moved to Paris in 1891 and studied at the Sorbonne. ' +
    'In 1903 she shared the Nobel Prize in Physics with Pierre Curie and Henri Becquerel. ' +
    'She said: "Nothing in life is to be feared, it is only to be understood." ' +
    'The reactor does not need water. About 1,500 people came to her lectures, which took 90 minutes each.',
);
const kinds = (text: string) => judge(claimOf(text), SOURCE).missing.map(({ kind }) => kind);

test('what a source says is supported, in other forms too', () => {
  for (const text of [
    'Marie Curie was born in Warsaw in 1867.',
    'Maria Sklodowska was born on November 7, 1867 in Warsaw.',
    'In 1891 she moved to Paris, where she studied at the Sorbonne.',
    'She shared the 1903 Nobel Prize in Physics with Pierre Curie and Becquerel.',
    'She said that “nothing in life is to be feared … only to be understood”.',
    'Her lectures, which took 1.5 hours, had 1500 people.',
    'The reactor does not need water.',
  ])
    assert.deepEqual(judge(claimOf(text), SOURCE).missing, [], text);
});

test('other numbers, names, quotes, negations and matters are not supported', () => {
  assert.deepEqual(kinds('Marie Curie was born in Warsaw in 1876.'), ['number']);
  assert.deepEqual(kinds('Marie Curie was born in Kraków in 1867.'), ['name']);
  assert.deepEqual(kinds('Albert Einstein was born in Warsaw in 1867.'), ['name']);
  assert.deepEqual(kinds('Napoleon was born in Warsaw in 1867.'), ['name']);
  assert.deepEqual(kinds('She said "nothing in life is to be loved".'), ['quote']);
  assert.deepEqual(kinds('The reactor needs water.'), ['negation']);
  assert.deepEqual(kinds('She never moved to Paris in 1891.'), ['negation']);
  assert.deepEqual(kinds('The lectures took 90 seconds each.'), ['number']);
  assert.deepEqual(kinds('Bananas are grown on large tropical farms.'), ['words']);
  assert.deepEqual(kinds('She moved to Paris, see https://evil.example/x for more.').includes('link'), true);
});

test('the supporting sentence is the one that says it, word for word', () => {
  assert.equal(
    judge(claimOf('She came to Paris in 1891 to study.'), SOURCE).sentence,
    'She moved to Paris in 1891 and studied at the Sorbonne.',
  );
  assert.equal(
    judge(claimOf('Curie was born on 7 November 1867.'), SOURCE).sentence,
    'Maria Skłodowska was born in Warsaw on 7 November 1867.',
  );
});

test('names are compared without accents and endings, and by their initials', () => {
  const index = nameIndexOf(
    'The National Aeronautics and Space Administration met Antonín Dvořák, Søren Kierkegaard and Weiß from Germany.',
  );
  for (const name of ['Antonin Dvorak', 'Dvořák', 'Soren', 'Weiss', 'NASA', "Kierkegaard's works"])
    assert.ok(
      namesOf(`Then came ${name}.`).every((each) => hasName(each, index)),
      name,
    );
  for (const name of ['Antonia', 'Smetana', 'ESA', 'Germaine'])
    assert.ok(!namesOf(`Then came ${name}.`).every((each) => hasName(each, index)), name);
});

test('a capital at the beginning of a sentence makes no name, but a subject without an article mostly is one', () => {
  const names = (text: string) => namesOf(text).map(({ surface }) => surface);
  assert.deepEqual(names('However, the plan failed.'), []);
  assert.deepEqual(names('Trees make sugar.'), []);
  assert.deepEqual(names('The Great Wall is long.'), ['Great Wall']);
  assert.deepEqual(names('Napoleon was small.'), ['Napoleon']);
  assert.deepEqual(names('Use GPT-4 with ISO27001 on 5km.'), ['GPT-4', 'ISO27001']);
  assert.deepEqual(names('He met Ludwig van Beethoven.'), ['Ludwig van Beethoven']);
  assert.deepEqual(quotesOf('He wrote "one two three" and "one".'), ['one two three']);
});

test('every sentence of a text is supported by that text, and no sentence with a name or number put in its place', () => {
  const noun = fc.constantFrom('river', 'garden', 'engine', 'letter', 'harbour', 'violin');
  const name = fc.constantFrom('Anna Berg', 'Tomás Ruiz', 'Oxford', 'Lagos', 'Mei Lin');
  const fact = fc
    .tuple(name, noun, noun, fc.integer({ min: 100, max: 99_999 }))
    .map(([who, a, b, count]) => ({
      who,
      count,
      text: `${who} built a ${a} with ${count} parts beside the ${b}.`,
    }));
  fc.assert(
    fc.property(fc.array(fact, { minLength: 1, maxLength: 5 }), fc.nat(), (facts, pick) => {
      const source = checkable('Notes', facts.map(({ text }) => text).join(' '));
      const { text, who, count } = facts[pick % facts.length]!;
      assert.deepEqual(judge(claimOf(text), source).missing, []);
      assert.equal(judge(claimOf(text.replace(who, 'Rolf Zett')), source).supported, false);
      assert.equal(
        judge(claimOf(text.replace(String(count), String(count + 100_000))), source).supported,
        false,
      );
    }),
  );
});

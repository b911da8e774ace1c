import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../../test/property.ts';
import { hasDate, hasQuantity, numbersOf } from './numbers.ts';
import { fold } from './words.ts';

/** Whether everything in `claim` that is a number stands in `source`. */
function says(source: string, claim: string): boolean {
  const [known, asked] = [numbersOf(source), numbersOf(claim)];
  assert.ok(asked.quantities.length + asked.dates.length > 0, `no number in "${claim}"`);
  return (
    asked.quantities.every((quantity) => quantity.weak || hasQuantity(quantity, known, fold(source))) &&
    asked.dates.every((date) => hasDate(date, known))
  );
}

test('one number has many forms', () => {
  for (const [a, b] of [
    ['1,000 people', '1000 people'],
    ['1.000 Menschen', '1000 Menschen'],
    ['1 000 people', "1'000 people"],
    ['1\u202f000 people', '1,000 people'],
    ['3.5 million years', '3,500,000 years'],
    ['3,5 Millionen Jahre', '3500000 Jahre'],
    ['$5 million', '5 million dollars'],
    ['€20', '20 euros'],
    ['5%', '5 percent'],
    ['5 per cent', '5 %'],
    ['twenty-one ships', '21 ships'],
    ['two thousand ships', '2,000 ships'],
    ['5k users', '5,000 users'],
    ['1.5 km', '1,500 m'],
    ['2 hours', '120 minutes'],
    ['-5 degrees', '−5 degrees'],
    ['the 3rd floor', '3 floors'],
    ['2 GB', '2,000 MB'],
    ['3.5 million pounds', '£3,500,000'],
    ['10 pounds', '10 lb'],
    ['a table | Height (m)\nOak | 31', '31 m'],
  ] as const) {
    assert.ok(says(a, b), `${a} says ${b}`);
    if (!a.includes('|')) assert.ok(says(b, a), `${b} says ${a}`);
  }
});

test('other numbers, other units and more exact dates are not said', () => {
  for (const [source, claim] of [
    ['1,000 people', '10,000 people'],
    ['3.5 million', '3.5 billion'],
    ['5 km', '5 miles'],
    ['5 people', '5%'],
    ['$5', '€5'],
    ['-5', '5'],
    ['born 1884', 'born 1914'],
    ['12 March 2020', '13 March 2020'],
    ['March 2020', '12 March 2020'],
    ['12 March', '12 March 2020'],
    ['version 2.1.3 of it', 'version 2.14 of it'],
    ['0.05', '0.5'],
    ['3.14159', '3.15'],
  ] as const)
    assert.ok(!says(source, claim), `${source} does not say ${claim}`);
});

test('one date has many forms', () => {
  const forms = [
    '12 March 2020',
    'March 12, 2020',
    '12th of March 2020',
    '2020-03-12',
    '12. März 2020',
    '12/03/2020',
    '03/12/2020',
    '12.3.2020',
    'Mar 12, 2020',
    '12 mars 2020',
  ];
  for (const a of forms)
    for (const b of forms) assert.ok(says(`It was on ${a}.`, `On ${b} it was.`), `${a} = ${b}`);
  assert.ok(says('on 12 March 2020', 'in March 2020'));
  assert.ok(says('on 12 March 2020', 'in 2020'));
  assert.ok(says('on 2020-03-12', 'on the 12th'));
});

test('what is said to be near is near by its digits', () => {
  assert.ok(says('3,512,334 people', 'about 3.5 million people'));
  assert.ok(!says('3,512,334 people', '3.5 million people'));
  assert.ok(!says('3,612,334 people', 'about 3.5 million people'));
  assert.ok(says('it took 48.7 s', 'nearly 49 s'));
});

test('names with digits are no numbers, and small words that often mean nothing are weak', () => {
  assert.deepEqual(numbersOf('COVID-19 and GPT4 on a 3D screen').quantities, []);
  assert.ok(numbersOf('one of the first').quantities.every(({ weak }) => weak));
  assert.ok(!numbersOf('one million ships').quantities[0]!.weak);
});

test('integers are equal in every way of writing them, and to nothing else', () => {
  const forms = (value: number) => [
    String(value),
    value.toLocaleString('en-US'),
    value.toLocaleString('de-DE'),
    value.toLocaleString('de-CH'),
    value.toLocaleString('fr-FR'),
  ];
  fc.assert(
    fc.property(fc.nat(2_000_000_000), fc.nat(2_000_000_000), fc.nat(4), fc.nat(4), (value, other, i, j) => {
      assert.ok(says(`There are ${forms(value)[i]} of them.`, `They are ${forms(value)[j]}.`));
      // 1.234 is 1234 in one country and a little more than one in another.
      if (value !== other) assert.ok(!says(`There are ${value} of them.`, `They are ${other}.`));
    }),
  );
});

test('any text is read without an error, in time that grows with its length', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
      const { quantities } = numbersOf(text);
      for (const { values } of quantities) assert.ok(values.every(Number.isFinite));
    }),
  );
  const hostile = [
    '1 '.repeat(50_000),
    '1,'.repeat(50_000),
    '9'.repeat(100_000),
    'two '.repeat(25_000),
    '12 '.repeat(30_000),
  ];
  for (const text of hostile) assert.ok(numbersOf(text).quantities.length >= 0);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { datesIn, dayText, isDate, propertyDates, spanOf } from './dates.ts';

const told = (text: string): string[] =>
  datesIn(text).map(
    ({ start, end, from, to, precision }) =>
      `${text.slice(start, end)}: ${dayText(from)}${from === to ? '' : ` ${dayText(to)}`} ${precision}`,
  );

test('dates are found as people write them', () => {
  assert.deepEqual(told('On 2019-05-04T10:00 and 1884/03/12.'), [
    '2019-05-04: 2019-05-04 day',
    '1884/03/12: 1884-03-12 day',
  ]);
  assert.deepEqual(told('born 12 March 1884; 12th of March, 1884; March 12, 1884; Mar. 3rd 1900'), [
    '12 March 1884: 1884-03-12 day',
    '12th of March, 1884: 1884-03-12 day',
    'March 12, 1884: 1884-03-12 day',
    'Mar. 3rd 1900: 1900-03-03 day',
  ]);
  assert.deepEqual(told('Am 12. März 1884, le 12 mars 1884, el 12 de marzo de 1884, am 12.03.1884'), [
    '12. März 1884: 1884-03-12 day',
    '12 mars 1884: 1884-03-12 day',
    '12 de marzo de 1884: 1884-03-12 day',
    '12.03.1884: 1884-03-12 day',
  ]);
  assert.deepEqual(told('It opened in March 1884, by February 2000.'), [
    'March 1884: 1884-03-01 1884-03-31 month',
    'February 2000: 2000-02-01 2000-02-29 month',
  ]);
  assert.deepEqual(told('(1884–1950), from 1884 to 1890, the 1880s'), [
    '1884–1950: 1884-01-01 1950-12-31 years',
    '1884 to 1890: 1884-01-01 1890-12-31 years',
    '1880s: 1880-01-01 1889-12-31 years',
  ]);
  // Only where one of the two can be no month.
  assert.deepEqual(told('25/03/1884, 03/25/1884 and 03/04/1884'), [
    '25/03/1884: 1884-03-25 day',
    '03/25/1884: 1884-03-25 day',
  ]);
});

test('a number is a year only where the words around it say so', () => {
  assert.deepEqual(told('In 1884 he died (1884). Since 1984, summer 1999 was warm.'), [
    '1884: 1884-01-01 1884-12-31 year',
    '1884: 1884-01-01 1884-12-31 year',
    '1984: 1984-01-01 1984-12-31 year',
    '1999: 1999-01-01 1999-12-31 year',
  ]);
  for (const none of [
    'in 1500 cases, of 2048 bytes, by 1200 people',
    'room 1200, page 1984, phone 1234-5678',
    'in 44 BC, in 1200 BC, from 1300 to 1200 B.C.',
    'cost 1,999 in 1999.5 and $2000, in 2000% more',
    '31 June 1999, 1999-13-04, 30 February 2000, the 2001-02 season',
    'the rover Mars 2020, in the 19th century, in 3000',
  ])
    assert.deepEqual(told(none), [], none);
});

test('what a document is dated with is read, and not when its file was written', () => {
  const dates = propertyDates({
    ...{ date: 'Mon, 12 Mar 2018 10:00:00 +0100', year: 1984, born: '12 March 1884 in London' },
    ...{
      created: '2019-01-01',
      'modified-by': '2019-01-01',
      pages: 1984,
      end: ['2020-03', '2021'],
      free: '2020-02-02',
    },
  });
  assert.deepEqual(
    dates.map(({ name, from, to, precision }) => [name, from, to, precision]),
    [
      ['date', 20180312, 20180312, 'day'],
      ['year', 19840101, 19841231, 'year'],
      ['born', 18840312, 18840312, 'day'],
      ['end', 20200301, 20200331, 'month'],
      ['free', 20200202, 20200202, 'day'],
    ],
  );
});

test('names that are only a date are known, names of people are none', () => {
  for (const form of [
    'march 1884',
    '12 march 1884',
    'monday',
    'friday 12 may 2019',
    'february',
    'early 1990',
  ])
    assert.ok(isDate(form), form);
  for (const form of ['may', 'june smith', 'may day', 'march', 'ann', 'summer school'])
    assert.ok(!isDate(form), form);
});

test('every day is found again as it is written, and spans hold what they should', () => {
  const day = fc.date({
    min: new Date('1000-01-01T00:00:00Z'),
    max: new Date('2100-12-31T00:00:00Z'),
    noInvalidDate: true,
  });
  const months =
    'January February March April May June July August September October November December'.split(' ');
  fc.assert(
    fc.property(day, (date) => {
      const text = date.toISOString().slice(0, 10);
      const [year, month, number] = [date.getUTCFullYear(), months[date.getUTCMonth()]!, date.getUTCDate()];
      for (const written of [text, `${number} ${month} ${year}`, `${month} ${number}, ${year}`]) {
        const [found, ...more] = datesIn(`It was on ${written}, they say.`);
        assert.equal(more.length, 0);
        assert.deepEqual([dayText(found!.from), dayText(found!.to)], [text, text]);
      }
      for (const length of [4, 7, 10]) {
        const span = spanOf(text.slice(0, length))!;
        assert.ok(dayText(span.from) <= text && text <= dayText(span.to));
      }
    }),
    { numRuns: 200 },
  );
  for (const none of ['', '884', '0999', '2101', '1884-13', '1884-02-30', '1884-3', 'March'])
    assert.equal(spanOf(none), null);
});

test('no text takes long or is read beyond its bounds', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('1', '9', '0', '-', '/', '.', ' ', 'May', 'to', 'de', '(', ',') }),
      (text) => {
        for (const { start, end, from, to } of datesIn(text)) {
          assert.ok(start < end && end <= text.length);
          assert.ok(from <= to && from >= 10_000_101 && to <= 21_001_231);
        }
      },
    ),
  );
  assert.equal(datesIn('1 May 1999 '.repeat(5000)).length, 1000);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { dayName, dayNamed, dayOf, periodOf, startOfDay } from './periods.ts';

const days = fc.nat(2_900_000);

test('a day has one name, and a name one day', () => {
  fc.assert(fc.property(days, (day) => assert.equal(dayNamed(dayName(day)), day)));
  assert.equal(dayName(dayOf(Date.UTC(2026, 10, 21, 23, 59))), '2026-11-21');
  for (const none of ['2026-02-29', '2026-13-01', '2026-1-1', '26-01-01', '', '2026-11-21T00:00'])
    assert.equal(dayNamed(none), null, none);
});

test('every day lies in one week from Monday, and in one month of the calendar', () => {
  fc.assert(
    fc.property(days, (day) => {
      const week = periodOf('week', day);
      assert.ok(week.from! <= day && day < week.to! && week.to! - week.from! === 7);
      assert.equal(new Date(startOfDay(week.from!)).getUTCDay(), 1);
      const month = periodOf('month', day);
      const same = dayName(day).slice(0, 7);
      assert.ok(month.from! <= day && day < month.to!);
      assert.equal(dayName(month.from!), `${same}-01`);
      assert.equal(dayName(month.to! - 1).slice(0, 7), same);
      assert.ok(dayName(month.to!).endsWith('-01'));
    }),
  );
});

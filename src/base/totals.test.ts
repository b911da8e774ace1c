import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../test/property.ts';
import { totalOf } from './totals.ts';

test('a total is the sum, or unknown when one of its parts is', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1e6)), fc.nat(), (values, at) => {
      assert.equal(
        totalOf(values),
        values.reduce((sum, value) => sum + value, 0),
      );
      const place = at % (values.length + 1);
      assert.equal(totalOf([...values.slice(0, place), null, ...values.slice(place)]), null);
    }),
  );
});

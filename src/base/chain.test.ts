import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../test/property.ts';
import { Chain, type Linked } from './chain.ts';

test('a chain holds what a set would, in the same order', () => {
  const steps = fc.array(fc.record({ add: fc.boolean(), which: fc.nat({ max: 9 }) }), { maxLength: 60 });
  fc.assert(
    fc.property(steps, (all) => {
      const things = Array.from({ length: 10 }, (): Linked => ({ before: null, after: null }));
      const chain = new Chain<Linked>();
      const set = new Set<Linked>();
      for (const { add, which } of all) {
        const thing = things[which]!;
        if (add) {
          chain.add(thing);
          set.add(thing);
        } else {
          chain.delete(thing);
          set.delete(thing);
        }
        assert.deepEqual(
          [...chain].map((one) => things.indexOf(one)),
          [...set].map((one) => things.indexOf(one)),
        );
        assert.equal(chain.size, set.size);
      }
    }),
  );
});

test('what is looked at may go', () => {
  const chain = new Chain<Linked>();
  const things = [1, 2, 3].map((): Linked => ({ before: null, after: null }));
  for (const thing of things) chain.add(thing);
  for (const thing of chain) chain.delete(thing);
  assert.equal(chain.size, 0);
  assert.ok(things.every(({ before, after }) => before === null && after === null));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createTurns } from './turns.ts';

/** Serves until `ms` are used; each call takes what it says. */
function serve(turns: ReturnType<typeof createTurns<number>>, ms: number): Map<string, number> {
  const got = new Map<string, number>();
  for (let left = ms; left > 0; ) {
    const next = turns.next();
    if (next === null) break;
    turns.used(next.who, next.one);
    got.set(next.who, (got.get(next.who) ?? 0) + next.one);
    left -= next.one;
  }
  return got;
}

test('who asks for much work takes no more time than who asks for little, however many calls wait', () => {
  const turns = createTurns<number>('own');
  for (let i = 0; i < 1000; i++) turns.add('heavy', 300);
  for (let i = 0; i < 20_000; i++) turns.add('light', 1);
  const got = serve(turns, 30_000);
  assert.ok(Math.abs(got.get('heavy')! - got.get('light')!) <= 600, JSON.stringify([...got]));
});

test('one who comes waits for one call of each at most, and time is not saved up', () => {
  const turns = createTurns<number>('own');
  for (let i = 0; i < 50; i++) for (const who of ['a', 'b']) turns.add(who, 100);
  serve(turns, 2000);
  turns.add('late', 1);
  const first = [turns.next()!, turns.next()!, turns.next()!].map(({ who, one }) => {
    turns.used(who, one);
    return who;
  });
  assert.ok(first.includes('late'), first.join());
  // `late` did nothing for long, and gets no more than its share for that.
  for (let i = 0; i < 50; i++) turns.add('late', 100);
  const got = serve(turns, 3000);
  assert.ok(got.get('late')! <= 1100, JSON.stringify([...got]));
});

test("the owner's own goes first", () => {
  const turns = createTurns<number>('own');
  turns.add('a', 1);
  turns.add('own', 5);
  assert.equal(turns.next()!.who, 'own');
});

test('every call is served once, those of one peer in their order', () => {
  const step = fc.oneof(
    fc.record({ who: fc.constantFrom('a', 'b', 'c', 'own'), ms: fc.integer({ min: 0, max: 50 }) }),
    fc.constant(null),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const turns = createTurns<{ who: string; at: number }>('own');
      const served: { who: string; at: number }[] = [];
      let added = 0;
      const one = (ms: number) => {
        const next = turns.next();
        if (next === null) return;
        assert.equal(next.one.who, next.who);
        served.push(next.one);
        turns.used(next.who, ms);
      };
      for (const each of steps) {
        if (each === null) one(3);
        else turns.add(each.who, { who: each.who, at: added++ });
        assert.equal(turns.waiting, added - served.length);
      }
      while (turns.waiting > 0) one(1);
      assert.equal(served.length, added);
      for (const who of ['a', 'b', 'c', 'own']) {
        const order = served.filter((each) => each.who === who).map(({ at }) => at);
        assert.deepEqual(
          order,
          order.toSorted((x, y) => x - y),
        );
      }
    }),
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createFlights, type Open } from './single-flight.ts';
import { collect } from './testing/examples.ts';

/** A source that gives numbers from 0 when it is told to, and tells what happened to it. */
function source(count = Number.POSITIVE_INFINITY) {
  const state = { opened: 0, pulled: 0, aborted: 0, returned: 0 };
  const open: Open<number> = (signal) => {
    state.opened++;
    signal.addEventListener('abort', () => state.aborted++);
    let next = 0;
    return {
      [Symbol.asyncIterator]: () => ({
        async next() {
          state.pulled++;
          return next < count ? { done: false, value: next++ } : { done: true, value: undefined };
        },
        async return() {
          state.returned++;
          return { done: true, value: undefined };
        },
      }),
    };
  };
  return { state, open };
}

const flightsOf = (maxKept = 1000) => createFlights<number>({ sizeOf: () => 1, maxKept });
const same = (event: number) => event;
const still = () => new AbortController().signal;

test('equal requests cost one call, and each waiter gets the whole of it', async () => {
  const flights = flightsOf();
  const { state, open } = source(5);
  const runs = Array.from({ length: 10 }, () => collect(flights.run('a', still(), open, same)));
  for (const events of await Promise.all(runs)) assert.deepEqual(events, [0, 1, 2, 3, 4]);
  assert.equal(state.opened, 1);
  assert.equal(flights.size, 0);
});

test('another key is another call, and so is the same key when the call is over', async () => {
  const flights = flightsOf();
  const { state, open } = source(2);
  await Promise.all([
    collect(flights.run('a', still(), open, same)),
    collect(flights.run('b', still(), open, same)),
  ]);
  await collect(flights.run('a', still(), open, same));
  assert.equal(state.opened, 3);
});

test('a call that is over can be joined while it is held', async () => {
  const flights = flightsOf();
  const { state, open } = source(2);
  const gate = Promise.withResolvers<void>();
  const held: Open<number> = (signal, hold) => {
    hold(gate.promise);
    return open(signal, hold);
  };
  await collect(flights.run('a', still(), held, same));
  assert.deepEqual(await collect(flights.run('a', still(), held, same)), [0, 1]);
  assert.equal(state.opened, 1);
  gate.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(flights.size, 0);
});

test('who comes late gets the beginning too, and knows that another one began', async () => {
  const flights = flightsOf();
  const { open } = source(4);
  const first = flights.run('a', still(), open, (event, joined) => (joined ? -1 : event));
  await first.next();
  await first.next();
  const second = collect(flights.run('a', still(), open, (event, joined) => (joined ? event + 10 : event)));
  assert.deepEqual(await second, [10, 11, 12, 13]);
  assert.deepEqual(await collect(first), [2, 3]);
});

test('one who leaves ends nothing for the others; the last one ends the call', async () => {
  const flights = flightsOf();
  const { state, open } = source();
  const gone = new AbortController();
  const [first, second, third] = [still(), gone.signal, still()].map((signal) =>
    flights.run('a', signal, open, same),
  ) as [AsyncIterableIterator<number>, AsyncIterableIterator<number>, AsyncIterableIterator<number>];
  await Promise.all([first.next(), second.next(), third.next()]);
  await first.return!();
  gone.abort();
  await assert.rejects(second.next(), { code: 'aborted' });
  assert.deepEqual(await third.next(), { done: false, value: 1 });
  assert.equal(state.aborted, 0);
  await third.return!();
  assert.deepEqual([state.aborted, state.returned, flights.size], [1, 1, 0]);
  assert.deepEqual(await third.next(), { done: true, value: undefined });
});

test('an abort wakes a waiter whose call gives nothing, and one before the start calls nobody', async () => {
  const flights = flightsOf();
  let aborted = false;
  let opened = 0;
  const silent: Open<number> = (signal) => {
    opened++;
    return {
      [Symbol.asyncIterator]: () => ({
        next: () =>
          new Promise((_, reject) => {
            signal.addEventListener('abort', () => {
              aborted = true;
              reject(signal.reason);
            });
          }),
      }),
    };
  };
  const controller = new AbortController();
  const waiting = flights.run('a', controller.signal, silent, same).next();
  await new Promise((resolve) => setImmediate(resolve));
  controller.abort();
  await assert.rejects(waiting, { code: 'aborted' });
  assert.ok(aborted);
  await assert.rejects(flights.run('a', AbortSignal.abort(), silent, same).next(), { code: 'aborted' });
  assert.deepEqual([opened, flights.size], [1, 0]);
});

test('a failure goes to all, after what came before it, and the next request asks again', async () => {
  const flights = flightsOf();
  let opened = 0;
  const failing: Open<number> = async function* () {
    opened++;
    yield 1;
    throw new Error('it broke');
  };
  const seen: number[][] = [[], [], []];
  const runs = seen.map(async (list) => {
    for await (const event of flights.run('a', still(), failing, same)) list.push(event);
  });
  for (const result of await Promise.allSettled(runs)) {
    assert.equal(result.status === 'rejected' && (result.reason as Error).message, 'it broke');
  }
  assert.deepEqual([seen, opened], [[[1], [1], [1]], 1]);
  await assert.rejects(collect(flights.run('a', still(), failing, same)), /it broke/);
  assert.equal(opened, 2);
  const throwing: Open<number> = () => {
    throw new Error('at once');
  };
  await assert.rejects(collect(flights.run('b', still(), throwing, same)), /at once/);
  assert.equal(flights.size, 0);
});

test('one who reads slowly holds nobody back, and is told when the bound has passed it', async () => {
  const flights = flightsOf(8);
  const { state, open } = source(100);
  const slow = flights.run('a', still(), open, same);
  await slow.next();
  const fast = await collect(flights.run('a', still(), open, same));
  assert.equal(fast.length, 100);
  await assert.rejects(slow.next(), { code: 'reader_too_slow', status: 503 });
  // Once the beginning is gone the call cannot be joined.
  const third = flights.run('b', still(), open, same);
  for (let i = 0; i < 10; i++) await third.next();
  await flights.run('b', still(), open, same).next();
  assert.equal(state.opened, 3);
});

test('nothing is asked for before somebody wants it', async () => {
  const flights = flightsOf();
  const { state, open } = source();
  const run = flights.run('a', still(), open, same);
  assert.equal(state.opened, 0);
  await run.next();
  await run.next();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(state.pulled, 2);
  await run.return!();
});

test('whatever the order of joining, reading, leaving: one call at a time, prefixes in order, none left open', async () => {
  const step = fc.record({
    waiter: fc.nat(4),
    act: fc.constantFrom(
      'join' as const,
      'read' as const,
      'read' as const,
      'leave' as const,
      'abort' as const,
      'time' as const,
      'time' as const,
    ),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 40 }),
      fc.nat(6),
      fc.boolean(),
      fc.scheduler(),
      async (steps, count, fails, scheduler) => {
        const flights = flightsOf();
        let open = 0;
        let most = 0;
        const start: Open<number> = async function* (signal) {
          open++;
          most = Math.max(most, open);
          try {
            for (let i = 0; i < count; i++) {
              await scheduler.schedule(Promise.resolve(), 'event');
              if (signal.aborted) throw signal.reason;
              yield i;
            }
            if (fails) throw new Error('it broke');
          } finally {
            open--;
          }
        };
        const waiters = new Map<
          number,
          { run: AsyncIterableIterator<number>; gone: AbortController; got: number[] }
        >();
        const reads: Promise<unknown>[] = [];
        for (const { waiter, act } of steps) {
          const found = waiters.get(waiter);
          if (act === 'time') {
            // The sources go on by one event; which one is the scheduler's choice.
            if (scheduler.count() > 0) await scheduler.waitOne();
            await new Promise((resolve) => setImmediate(resolve));
          } else if (act === 'join') {
            if (found !== undefined) continue;
            const gone = new AbortController();
            waiters.set(waiter, { run: flights.run('a', gone.signal, start, same), gone, got: [] });
          } else if (found !== undefined && act === 'read') {
            reads.push(
              found.run.next().then(
                ({ done, value }) => (done === true ? undefined : found.got.push(value)),
                (error: Error) => assert.match(error.message, /it broke|aborted/),
              ),
            );
          } else if (found !== undefined && act === 'leave') reads.push(found.run.return!());
          else found?.gone.abort();
          await Promise.resolve();
        }
        for (const { run } of waiters.values()) reads.push(run.return!());
        await scheduler.waitFor(Promise.all(reads));
        for (const { got } of waiters.values()) assert.deepEqual(got, [...got.keys()]);
        while (open > 0) {
          if (scheduler.count() > 0) await scheduler.waitAll();
          else await new Promise((resolve) => setImmediate(resolve));
        }
        assert.equal(flights.size, 0);
        // A call that was left may still be ending while the next one begins; two are never served.
        assert.ok(most <= waiters.size + 1);
      },
    ),
    { numRuns: 200 },
  );
});

/**
 * Whatever backends do, an ask ends, and ends as one of two things: a whole answer, or an error.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import {
  createBench,
  deaf,
  fail,
  finish,
  hang,
  route,
  type Step,
  say,
  scripted,
  start,
  usage,
  wait,
} from './testing/scripted.ts';

const errors = [
  fail('down', 503),
  fail('server', 500),
  fail('slow_down', 429, 2),
  fail('slow_down', 429, 500),
  fail('bad', 400),
  fail('key', 401),
  fail('content_filter', 400),
  fail('context_length_exceeded', 400),
  fail('connection_stale', 502),
  { do: 'fail', error: new TypeError('a mistake') } as const,
  { do: 'fail', error: undefined } as const,
];

/** Where in a good answer of four pieces it goes wrong, and how; null = nowhere. */
const script = fc.record({
  at: fc.integer({ min: 0, max: 7 }),
  wrong: fc.oneof(
    { weight: 2, arbitrary: fc.constant(null) },
    { weight: 3, arbitrary: fc.constantFrom(...errors) },
    { weight: 2, arbitrary: fc.constantFrom<Step | 'end'>(hang, deaf, 'end') },
  ),
  pause: fc.constantFrom(0, 0, 50, 9000),
});
type ScriptPlan = typeof script extends fc.Arbitrary<infer T> ? T : never;

const backend = fc.record({
  plans: fc.array(script, { minLength: 1, maxLength: 3 }),
  continues: fc.boolean(),
  context: fc.constantFrom(null, 1000, 2000),
});

const how = fc.record({
  redundancy: fc.constantFrom(1, 1, 2, 3),
  decide: fc.constantFrom('first' as const, 'agreement' as const),
  hedgeMs: fc.constantFrom(null, null, 40, 3000),
  whole: fc.boolean(),
});

const letters = ['p', 'q', 'r', 's'];

/** Pieces name their backend and their place: `b1:p `. A continuation goes on from the place it is given. */
function stepsOf(name: string, { at, wrong, pause }: ScriptPlan, prefill: string): Step[] {
  const from = prefill.split(' ').length - 1;
  const said = letters.slice(from).map((letter) => say(`${name}:${letter} `));
  const steps: Step[] = [start, ...said, finish, usage];
  if (pause > 0) steps.splice(1, 0, wait(pause));
  if (wrong === null) return steps;
  const before = steps.slice(0, at);
  return wrong === 'end' ? before : [...before, wrong];
}

test('the result is one whole answer or a typed error; nothing hangs, no timer and no iterator is left', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(backend, { minLength: 1, maxLength: 4 }),
      how,
      fc.nat(1000),
      fc.integer({ min: -1, max: 60 }),
      fc.constantFrom(0, 0.7),
      async (backends, options, seed, leaveAfter, temperature) => {
        const bench = createBench(seed);
        const scriptedOnes = backends.map(({ plans }, index) =>
          scripted(`b${index}`, bench.clock, (ask, request) =>
            stepsOf(`b${index}`, plans[ask % plans.length]!, request.prefill ?? ''),
          ),
        );
        const routes = scriptedOnes.map((one, index) =>
          route(one, { continues: backends[index]!.continues, context: backends[index]!.context }),
        );
        const caller = new AbortController();
        if (leaveAfter > 40) {
          const leave = bench.timers.after((leaveAfter - 40) * 100, () => caller.abort());
          caller.signal.addEventListener('abort', leave);
        }
        const { text, events, error, attempts, notes } = await bench.ask(routes, options, {
          signal: caller.signal,
          sampler: { temperature },
        });
        caller.abort();
        await new Promise((resolve) => setImmediate(resolve));

        const pieces = text.trim() === '' ? [] : text.trim().split(' ');
        // Places follow one another, whoever said them.
        assert.deepEqual(
          pieces.map((piece) => piece.split(':')[1]),
          letters.slice(0, pieces.length),
        );
        const authors = [...new Set(pieces.map((piece) => piece.split(':')[0]))];
        const continued = attempts.filter(({ reason }) => reason === 'continuation');
        if (continued.length === 0) assert.ok(authors.length <= 1, 'from exactly one backend');
        for (const author of authors.slice(1)) assert.ok(continued.some((one) => one.backend === author));

        const types = events.map(({ type }) => type);
        assert.ok(types.indexOf('start') <= 0 && types.lastIndexOf('start') <= 0);
        if (error === null) {
          assert.equal(pieces.length, letters.length);
          assert.deepEqual(types.slice(-2), ['finish', 'usage']);
          assert.equal(types.filter((type) => type === 'finish' || type === 'usage').length, 2);
          assert.ok(attempts.some(({ outcome }) => outcome === 'answered'));
          if (authors.length > 1) assert.match(notes.join(' '), /went on/);
        } else {
          assert.ok(!types.includes('usage'), 'no end that looks whole before an error');
          assert.notEqual(error.code, 'attempt_ended');
          assert.ok(error.status >= 400 && error.message.length > 0);
          // Held back until it is whole, nothing of a failed answer is seen.
          if (options.whole || (options.decide === 'agreement' && options.redundancy > 1))
            assert.equal(text, '');
        }
        assert.ok(attempts.every(({ outcome }) => outcome !== 'running'));
        for (const one of scriptedOnes) {
          assert.equal(one.open, 0, `${one.name} is closed`);
          assert.equal(bench.conditions.of(one.name).inFlight, 0);
        }
        assert.equal(bench.clock.sleeping, 0, 'no timer is left');
        const asked = attempts.filter(({ outcome }) => outcome !== 'skipped').length;
        assert.equal(
          asked,
          scriptedOnes.reduce((sum, one) => sum + one.asked.length, 0),
        );
        assert.ok(attempts.filter(({ reason }) => reason === 'retry').length <= 3);
      },
    ),
    { numRuns: 400 },
  );
});

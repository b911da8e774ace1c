import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fc } from '../../../test/property.ts';
import { alone, assertAlone, job, open, prompt, type Wish } from './testing/harness.ts';
import { type Recording, record } from './testing/recording.ts';
import { TOY_CONTROL } from './testing/toy-model.ts';

describe('Whatever is asked of the scheduler', () => {
  const wish = fc.record({
    length: fc.integer({ min: 1, max: 90 }),
    seed: fc.integer({ min: 1, max: 3 }),
    extra: fc.array(fc.nat(TOY_CONTROL), { maxLength: 3 }),
    maxTokens: fc.integer({ min: 0, max: 50 }),
    temperature: fc.constantFrom(0, 1, 2),
    stop: fc.constantFrom([], ['ab'], ['e s', 'h']),
    overflow: fc.constantFrom('error' as const, 'slide' as const),
    keepTokens: fc.constantFrom(0, 5),
    cachePrompt: fc.boolean(),
    priority: fc.constantFrom(0, 0, 0, 1),
    // Pass at which the job is submitted, and passes later at which it is cancelled.
    at: fc.integer({ min: 0, max: 40 }),
    cancelAfter: fc.option(fc.integer({ min: 0, max: 30 }), { freq: 2 }),
  });

  it('each job says what it would say alone, and every cell comes back', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(wish, { minLength: 4, maxLength: 14, size: 'max' }),
        fc.record({
          kvCells: fc.integer({ min: 80, max: 400 }),
          maxActive: fc.integer({ min: 1, max: 6 }),
          prefillChunk: fc.integer({ min: 1, max: 64 }),
          maxRows: fc.integer({ min: 2, max: 80 }),
        }),
        async (wishes, setting) => {
          const context = 80;
          const { scheduler, runner, clock } = open({ ...setting, context, eog: -1 }, setting);
          const pending = wishes.map((w, i) => ({ ...w, i })).sort((a, b) => a.at - b.at || a.i - b.i);
          const running: { recording: Recording; wish: Wish; cancelAt: number }[] = [];
          const submit = () => {
            while (
              pending.length > 0 &&
              (pending[0]!.at <= runner.passes.length || scheduler.stats().active === 0)
            ) {
              const {
                length,
                seed,
                extra,
                temperature,
                cancelAfter,
                at: _,
                i: __,
                ...rest
              } = pending.shift()!;
              const tokens = [...prompt(length, seed), ...extra];
              const full: Wish = { ...rest, tokens, sampling: { temperature, seed: length } };
              if (tokens.length >= context && rest.overflow === 'error') {
                assert.throws(() => record(scheduler, job(full)), { code: 'context_length_exceeded' });
                continue;
              }
              const cancelAt =
                cancelAfter === null ? Number.POSITIVE_INFINITY : runner.passes.length + cancelAfter;
              running.push({ recording: record(scheduler, job(full)), wish: full, cancelAt });
            }
          };
          runner.onPass = () => {
            clock.time += 3;
            submit();
            for (const { recording, cancelAt } of running) {
              if (runner.passes.length >= cancelAt) scheduler.cancel(recording.id);
            }
          };
          while (pending.length > 0) {
            submit();
            await Promise.all(running.map(({ recording }) => recording.ended));
          }
          await scheduler.drain();
          for (const { recording, wish: asked } of running) {
            const expected = alone(asked, { context, eog: -1 });
            if (recording.finish().reason === 'aborted') {
              assert.ok(expected.text.startsWith(recording.text()));
            } else assertAlone(recording, expected);
          }
          const stats = scheduler.stats();
          assert.equal(stats.freeCells + stats.cachedCells, setting.kvCells);
          assert.deepEqual([stats.active, stats.waiting], [0, 0]);
          const { submitted, finished, aborted, failed } = stats.totals;
          assert.deepEqual([submitted, failed], [finished + aborted, 0]);
          await scheduler[Symbol.asyncDispose]();
          assert.equal(scheduler.stats().freeCells, setting.kvCells);
        },
      ),
      { numRuns: 150 },
    );
  });
});

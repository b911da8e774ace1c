import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { InputError, isKithError, type KithError, LimitError } from '../../base/index.ts';
import { job, NEVER, open, prompt, type Wish } from './testing/harness.ts';
import { record } from './testing/recording.ts';
import { TOY_VOCAB } from './testing/toy-model.ts';

describe('The limits of the scheduler', () => {
  const refusal = (run: () => void): KithError => {
    try {
      run();
    } catch (error) {
      assert.ok(isKithError(error));
      return error;
    }
    assert.fail('it was accepted');
  };

  it('refuse a prompt that does not fit the context, naming both numbers', () => {
    const { scheduler } = open({ kvCells: 200, context: 50 });
    const error = refusal(() => record(scheduler, job({ tokens: prompt(50), promptParam: 'messages' })));
    assert.ok(error instanceof InputError);
    assert.equal(error.code, 'context_length_exceeded');
    assert.equal(error.param, 'messages');
    assert.deepEqual(error.details, { promptTokens: 50, context: 50 });
    assert.equal(scheduler.stats().totals.refused, 1);
  });

  it('refuse at once what can never fit the cells', () => {
    const { scheduler } = open({ kvCells: 40, context: 90 });
    const error = refusal(() => record(scheduler, job({ tokens: prompt(60) })));
    assert.ok(error instanceof LimitError);
    assert.equal(error.limit, 'engine.kvCells');
    assert.equal(error.status, 400);
  });

  it('refuse malformed jobs', () => {
    const { scheduler } = open({ kvCells: 40 });
    const bad: [Partial<Wish>, string][] = [
      [{ tokens: [] }, 'prompt_empty'],
      [{ tokens: [1, TOY_VOCAB] }, 'token_invalid'],
      [{ tokens: [-1] }, 'token_invalid'],
      [{ maxTokens: -1 }, 'option_invalid'],
      [{ maxTokens: 1.5 }, 'option_invalid'],
      [{ timeoutMs: 0 }, 'option_invalid'],
      [{ priority: Number.NaN }, 'option_invalid'],
      [{ stop: new Array(65).fill('x') }, 'option_invalid'],
      [{ tokens: prompt(45), keepTokens: 39, overflow: 'slide' }, 'option_invalid'],
    ];
    for (const [wish, code] of bad) {
      assert.equal(refusal(() => record(scheduler, job({ tokens: prompt(3), ...wish }))).code, code);
    }
    const first = job({ tokens: prompt(3) });
    record(scheduler, first);
    assert.equal(refusal(() => record(scheduler, first)).code, 'job_duplicate');
  });

  it('let maxQueue jobs wait beside maxActive that run, and say when to come back', async () => {
    const { scheduler, clock, runner } = open({ kvCells: 400, eog: NEVER }, { maxActive: 2, maxQueue: 3 });
    runner.onPass = () => {
      clock.time += 1000;
    };
    const submit = (seed: number) => record(scheduler, job({ tokens: prompt(4, seed), maxTokens: 4 }));
    const recordings = [1, 2, 3, 4, 5].map(submit);
    const full = refusal(() => submit(6));
    assert.ok(full instanceof LimitError);
    assert.equal(full.limit, 'engine.maxQueue');
    assert.equal(full.status, 429);
    assert.ok(full.retryAfter! >= 1);
    await recordings[0]!.ended;
    assert.equal(scheduler.stats().waiting + scheduler.stats().active, 3, 'both of the first have ended');
    recordings.push(submit(7));
    await Promise.all(recordings.map(({ ended }) => ended));
    for (const recording of recordings) assert.equal(recording.finish().usage.completionTokens, 4);
  });

  it('turn away with 503 what waited too long', async () => {
    const { scheduler, clock, runner } = open({ kvCells: 400, eog: NEVER }, { maxActive: 1, maxWaitMs: 500 });
    runner.onPass = () => {
      clock.time += 100;
    };
    const first = record(scheduler, job({ tokens: prompt(4), maxTokens: 20 }));
    const second = record(scheduler, job({ tokens: prompt(4, 2) }));
    const third = record(scheduler, job({ tokens: prompt(4, 3), timeoutMs: 300 }));
    await Promise.all([first.ended, second.ended, third.ended]);
    const error = second.error() as LimitError;
    assert.deepEqual([error.limit, error.status, error.value], ['engine.maxWaitMs', 503, 500]);
    assert.equal((third.error() as LimitError).limit, 'timeoutMs');
    assert.equal(first.finish().usage.completionTokens, 20);
  });

  it('end with length what runs too long, with what there is', async () => {
    const { scheduler, clock, runner } = open({ kvCells: 400, eog: NEVER }, { maxRunMs: 1000 });
    runner.onPass = () => {
      clock.time += 100;
    };
    const long = record(scheduler, job({ tokens: prompt(4), maxTokens: 300 }));
    const short = record(scheduler, job({ tokens: prompt(4, 2), maxTokens: 300, timeoutMs: 400 }));
    await Promise.all([long.ended, short.ended]);
    assert.deepEqual([long.finish().reason, long.finish().usage.completionTokens], ['length', 10]);
    assert.deepEqual([short.finish().reason, short.finish().usage.completionTokens], ['length', 4]);
    assert.deepEqual([long.finish().usage.prefillMs, long.finish().usage.decodeMs], [100, 900]);
  });

  it('cap the tokens of a job', async () => {
    const { scheduler } = open({ kvCells: 400, eog: NEVER }, { maxTokens: 7 });
    const recording = record(scheduler, job({ tokens: prompt(4), maxTokens: 100 }));
    await recording.ended;
    assert.equal(recording.finish().usage.completionTokens, 7);
  });

  it('let accepted jobs end on drain, take no more, and fail them on disposal', async () => {
    const one = open({ kvCells: 400 });
    const recording = record(one.scheduler, job({ tokens: prompt(4) }));
    await one.scheduler.drain();
    assert.ok(recording.finish());
    assert.equal(refusal(() => record(one.scheduler, job({ tokens: prompt(4) }))).code, 'model_unloading');

    const two = open({ kvCells: 400, eog: NEVER });
    const cut = record(two.scheduler, job({ tokens: prompt(4), maxTokens: 300 }));
    const disposed = Promise.withResolvers<void>();
    two.runner.onPass = () => {
      two.runner.onPass = null;
      void two.scheduler[Symbol.asyncDispose]().then(disposed.resolve);
    };
    await disposed.promise;
    assert.equal(cut.error().code, 'model_unloading');
    assert.equal(two.scheduler.stats().freeCells, 400);
  });
});

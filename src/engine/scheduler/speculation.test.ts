import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createSampler } from '../sampler/index.ts';
import type { Sampler, SamplerOptions } from '../types.ts';
import type { SchedulerJob } from './index.ts';
import { alone, assertAllAlone, assertAlone, job, open, type Wish } from './testing/harness.ts';
import { record } from './testing/recording.ts';
import { TOY_VOCAB } from './testing/toy-model.ts';

/** Only these tokens can be chosen: an answer repeats itself soon, and half of what is guessed is right. */
const only = (...allowed: readonly number[]): SamplerOptions['logitBias'] =>
  Array.from({ length: TOY_VOCAB }, (_, token) => [token, allowed.includes(token) ? 0 : -100] as const);
const two = only(0, 1);
const wish = (rest: Partial<Wish> = {}): Wish => ({
  tokens: [0, 1, 1, 0, 1, 0, 0, 1],
  sampling: { temperature: 0, logitBias: two },
  maxTokens: 60,
  ...rest,
});
const guessing = (toy: Parameters<typeof open>[0], options: Parameters<typeof open>[1] = {}) =>
  open(toy, options, { speculation: 'auto' });

async function run(scheduler: ReturnType<typeof open>['scheduler'], wanted: Wish) {
  const recording = record(scheduler, job(wanted));
  await recording.ended;
  return recording;
}

test('the tokens are those of ordinary decoding, in fewer passes, and the figures say so', async () => {
  const { scheduler, runner } = guessing({ kvCells: 256, eog: -50 });
  const recording = await run(scheduler, wish());
  assertAlone(recording, alone(wish(), { context: 512, eog: -50 }));
  const { draftedTokens, acceptedTokens, draftRounds, rows, passes } = scheduler.stats().totals;
  assert.ok(acceptedTokens > 10, `${acceptedTokens} of ${draftedTokens}`);
  assert.equal(passes, runner.passes.length);
  assert.equal(passes, 60 - acceptedTokens);
  assert.equal(rows, 8 + 59 + draftedTokens - acceptedTokens);
  assert.ok(draftRounds <= draftedTokens);
  const { usage } = recording.finish();
  assert.deepEqual([usage.draftedTokens, usage.acceptedTokens], [draftedTokens, acceptedTokens]);
  assert.equal(usage.completionTokens, 60);
});

test('switched off there are no guesses and no figures of them in the usage', async () => {
  const { scheduler } = open({ kvCells: 256, eog: -50 }, {}, { speculation: 'off' });
  const recording = await run(scheduler, wish());
  assert.equal(scheduler.stats().totals.draftedTokens, 0);
  assert.equal('draftedTokens' in recording.finish().usage, false);
});

test('seeds, penalties, stops, limits, context and parallel sequences change nothing with guesses', () => {
  const sampling = fc.record({
    temperature: fc.constantFrom(0, 0.3, 1, 2),
    seed: fc.nat(1000),
    topK: fc.constantFrom(0, 2),
    repeatPenalty: fc.constantFrom(1, 1.3),
    frequencyPenalty: fc.constantFrom(0, 0.5),
    repeatLastN: fc.constantFrom(-1, 4, 64),
    topLogprobs: fc.constantFrom(null, 3),
    logitBias: fc.constantFrom(two, only(0, 1, 2), only(0, 1, 9), only(17, 18, 0), []),
  });
  const one = fc.record({
    tokens: fc.array(fc.nat(2), { minLength: 1, maxLength: 40 }),
    sampling,
    maxTokens: fc.integer({ min: 1, max: 50 }),
    stop: fc.constantFrom<string[]>([], ['aba'], ['bb', 'aaa'], ['the']),
    overflow: fc.constantFrom('error' as const, 'slide' as const),
    keepTokens: fc.nat(4),
    cachePrompt: fc.boolean(),
  });
  return fc.assert(
    fc.asyncProperty(
      fc.array(one, { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 48, max: 90 }),
      fc.integer({ min: 48, max: 200 }),
      async (wishes, context, kvCells) => {
        const setting = { context: Math.min(context, kvCells), eog: -1 };
        const some = wishes.map((one) => ({ ...one, tokens: one.tokens.slice(0, setting.context - 2) }));
        const { scheduler } = guessing({ kvCells, context, eog: -1 });
        const recordings = some.map((one) => record(scheduler, job(one)));
        await assertAllAlone(recordings, some, setting);
        const plain = open({ kvCells, context, eog: -1 }).scheduler;
        const expected = some.map((one) => record(plain, job(one)));
        await Promise.all(expected.map(({ ended }) => ended));
        for (const [i, { logprobs }] of recordings.entries())
          assert.deepEqual(logprobs(), expected[i]!.logprobs());
        const { active, waiting, freeCells, cachedCells } = scheduler.stats();
        assert.deepEqual([active, waiting, freeCells + cachedCells], [0, 0, kvCells]);
      },
    ),
    { numRuns: 60 },
  );
});

test('what is kept for later prompts is the accepted tokens and no others', () =>
  fc.assert(
    fc.asyncProperty(fc.nat(1000), fc.integer({ min: 1, max: 40 }), async (seed, maxTokens) => {
      const sampling = { temperature: 1, seed, logitBias: two, topLogprobs: 0 };
      const cached: number[] = [];
      for (const { scheduler } of [guessing({ kvCells: 300, eog: -50 }), open({ kvCells: 300, eog: -50 })]) {
        const first = wish({ sampling, maxTokens });
        const answer = (await run(scheduler, first)).logprobs().map(({ token }) => token);
        const next = wish({ tokens: [...Array.from(first.tokens), ...answer, 2, 3], sampling });
        const second = await run(scheduler, next);
        assertAlone(second, alone(next, { context: 512, eog: -50 }));
        cached.push(second.start().cachedTokens);
      }
      assert.equal(cached[0], cached[1]);
      assert.ok(cached[0]! >= 8 + maxTokens - 1);
    }),
    { numRuns: 25 },
  ));

test('a form that the answer must have is followed token by token, and its end ends the answer', async () => {
  /** 0 and 1 in turn in groups of three, and after 40 tokens nothing more. */
  function held(seed: number): Pick<SchedulerJob, 'sampler' | 'ended'> {
    let taken = 0;
    const options = { temperature: 1, seed, logitBias: two };
    const inner = createSampler(options, TOY_VOCAB, {
      mask(logits) {
        if (taken % 3 === 2) logits[0] = Number.NEGATIVE_INFINITY;
      },
    });
    const sampler: Sampler = {
      sample(logits) {
        assert.ok(taken < 40, 'chosen after the end');
        taken++;
        return inner.sample(logits);
      },
      accept: (tokens) => inner.accept(tokens),
    };
    return { sampler, ended: () => taken === 40 };
  }
  const texts: string[] = [];
  for (const { scheduler } of [guessing({ kvCells: 256, eog: -50 }), open({ kvCells: 256, eog: -50 })]) {
    const recording = record(scheduler, { ...job(wish()), ...held(5) });
    await recording.ended;
    const { reason, usage } = recording.finish();
    assert.deepEqual([reason, usage.completionTokens], ['stop', 40]);
    texts.push(recording.text());
    if (texts.length === 1) assert.ok(scheduler.stats().totals.acceptedTokens > 5);
  }
  assert.equal(texts[0], texts[1]);
});

test('a caller who leaves within a run of right guesses gets nothing more, and leaves only what was accepted', async () => {
  const { scheduler } = guessing({ kvCells: 256, eog: -50 });
  for (const after of [1, 7, 12, 20, 33]) {
    let texts = 0;
    const wanted = wish({ tokens: [0, 1, 1, 0, 1, after % 2] });
    const recording = record(scheduler, job(wanted), (event) => {
      if ('type' in event && event.type === 'text' && ++texts === after) scheduler.cancel(recording.id);
    });
    await recording.ended;
    const { reason, usage } = recording.finish();
    assert.deepEqual([reason, usage.completionTokens], ['aborted', after]);
    const whole = alone(wanted, { context: 512, eog: -50 });
    assert.ok(whole.text.startsWith(recording.text()));
    // The toy model refuses to read cells of another prefix.
    assertAlone(await run(scheduler, wanted), whole);
  }
  assert.ok(scheduler.stats().totals.acceptedTokens > 10);
});

test('a caller who leaves during a pass, an interrupted pass and a failed one leave whole cells behind', async () => {
  const { scheduler, runner } = guessing({ kvCells: 256, eog: -50 });
  let wide = 0;
  const first = record(scheduler, job(wish()));
  runner.onPass = (parts) => {
    if (parts.some(({ outputs }) => outputs === 'each') && ++wide === 3) scheduler.cancel(first.id);
  };
  await first.ended;
  assert.equal(first.finish().reason, 'aborted');
  const second = record(scheduler, job(wish()));
  runner.onPass = (parts) => {
    if (parts.some(({ outputs }) => outputs === 'each') && wide++ < 8) runner.interrupt?.();
  };
  await second.ended;
  assertAlone(second, alone(wish(), { context: 512, eog: -50 }));
  assert.ok(runner.interruptions > 3);
  const third = record(scheduler, job(wish()));
  runner.onPass = (parts) => {
    if (parts.some(({ outputs }) => outputs === 'each')) throw new Error('out of order');
  };
  await third.ended;
  assert.equal(third.error().code, 'compute_failed');
  runner.onPass = null;
  assertAlone(await run(scheduler, wish()), alone(wish(), { context: 512, eog: -50 }));
});

test('guesses of a pass that nobody waits for any more are not kept', async () => {
  const { scheduler, runner } = guessing({ kvCells: 256, eog: -50 });
  let wide = 0;
  let guesses = 0;
  const recording = record(scheduler, job(wish()));
  runner.onPass = (parts) => {
    const some = parts.find(({ outputs }) => outputs === 'each');
    if (some === undefined || ++wide < 4) return;
    guesses += some.count - 1;
    scheduler.cancel(recording.id);
  };
  // The pass goes on to its end.
  runner.interrupt = () => {};
  await recording.ended;
  await scheduler.drain();
  assert.ok(guesses > 0);
  assert.equal(scheduler.stats().cachedCells, 8 + recording.finish().usage.completionTokens);
});

test('beside a prompt that is computed, and where cells are short, nothing is guessed', async () => {
  const { scheduler, runner } = guessing({ kvCells: 40, eog: -50 });
  const small = wish({ maxTokens: 25 });
  assertAlone(await run(scheduler, small), alone(small, { context: 40, eog: -50 }));
  for (const { rows, starts } of runner.passes)
    for (const [i, count] of rows.entries())
      if (starts[i]! > 0) assert.ok(starts[i]! + count + 16 <= 40 || count === 1, `${starts[i]} ${count}`);
});

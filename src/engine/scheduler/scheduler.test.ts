import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isKithError, KithError, type LogFields, silentLogger } from '../../base/index.ts';
import { slideBy } from './accept.ts';
import {
  alone,
  assertAllAlone,
  assertAlone,
  job,
  NEVER,
  open,
  prompt,
  type Wish,
} from './testing/harness.ts';
import { type Recording, record } from './testing/recording.ts';
import { toyLogits, toyTokenizer } from './testing/toy-model.ts';

describe('The scheduler', () => {
  it('gives each of several jobs what it would say alone', async () => {
    const { scheduler } = open({ kvCells: 400 });
    const wishes: Wish[] = [
      { tokens: prompt(5) },
      { tokens: prompt(70, 2), sampling: { temperature: 1.3, seed: 9 }, maxTokens: 40 },
      { tokens: prompt(33, 3), sampling: { temperature: 1, seed: 4, frequencyPenalty: 1, repeatLastN: -1 } },
      { tokens: prompt(1, 4), maxTokens: 1 },
      { tokens: prompt(12, 5), maxTokens: 0 },
    ];
    const recordings = wishes.map((wish) => record(scheduler, job(wish)));
    await assertAllAlone(recordings, wishes, { context: 400 });
    await scheduler[Symbol.asyncDispose]();
    assert.equal(scheduler.stats().freeCells, 400);
  });

  it('shares the prefix of an earlier prompt and says how much', async () => {
    const { scheduler, runner } = open({ kvCells: 400 });
    const first = record(scheduler, job({ tokens: prompt(100) }));
    await first.ended;
    assert.equal(first.start().cachedTokens, 0);
    const rows = scheduler.stats().totals.rows;
    const wish = { tokens: [...prompt(90), 1, 2, 3] };
    const second = record(scheduler, job(wish));
    await second.ended;
    assertAlone(second, alone(wish, { context: 400 }));
    assert.deepEqual(second.start(), { type: 'start', promptTokens: 93, cachedTokens: 90 });
    assert.equal(second.finish().usage.cachedTokens, 90);
    assert.ok(scheduler.stats().totals.rows - rows <= 3 + 12);
    const same = record(scheduler, job(wish));
    await same.ended;
    assert.equal(same.start().cachedTokens, 92, 'the last prompt token is always computed');
    const apart = record(scheduler, job({ ...wish, cachePrompt: false }));
    await apart.ended;
    assert.equal(apart.start().cachedTokens, 0);
    assert.equal(apart.text(), second.text());
    assert.ok(runner.passes.length > 0);
  });

  it('computes a prefix once for prompts that come together', async () => {
    const { scheduler } = open({ kvCells: 2000 });
    const wishes = [1, 2, 3, 4].map((last) => ({ tokens: [...prompt(200), last], maxTokens: 3 }));
    const recordings = wishes.map((wish) => record(scheduler, job(wish)));
    await assertAllAlone(recordings, wishes, { context: 512 });
    assert.deepEqual(
      recordings.map((recording) => recording.start().cachedTokens),
      [0, 200, 200, 200],
    );
    assert.ok(scheduler.stats().totals.rows <= 201 + 3 + 4 * 3);
  });

  it('decodes in every pass while a long prompt is computed, in chunks of the budget', async () => {
    const { scheduler, runner } = open({ kvCells: 1000, eog: NEVER }, { prefillChunk: 20 });
    const started = Promise.withResolvers<void>();
    const decode = record(scheduler, job({ tokens: prompt(3), maxTokens: 60 }), (event) => {
      if (!isKithError(event) && event.type === 'text') started.resolve();
    });
    await started.promise;
    const from = runner.passes.length;
    const long = record(scheduler, job({ tokens: prompt(400, 2), maxTokens: 1 }));
    await long.ended;
    const during = runner.passes.slice(from).filter(({ rows }) => rows.some((count) => count > 1));
    assert.equal(during.length, 20, '400 rows in chunks of 20');
    for (const { rows } of during) {
      assert.equal(rows.filter((count) => count === 1).length, 1, 'the decode has its row in every pass');
      assert.ok(rows.reduce((a, b) => a + b) <= 21);
    }
    await decode.ended;
  });

  it('takes smaller chunks of a prompt beside decodes when rows are slow, and whole ones when alone', async () => {
    const { scheduler, runner, clock } = open(
      { kvCells: 2000, eog: NEVER },
      { prefillChunk: 64 },
      { prefillAddedMs: 50 },
    );
    runner.onPass = (parts) => {
      for (const { count } of parts) clock.time += count === 1 ? 10 : 2.5 * count;
    };
    const started = Promise.withResolvers<void>();
    const decode = record(scheduler, job({ tokens: prompt(3), maxTokens: 60 }), (event) => {
      if (!isKithError(event) && event.type === 'text') started.resolve();
    });
    await started.promise;
    const from = runner.passes.length;
    await record(scheduler, job({ tokens: prompt(300, 2), maxTokens: 1 })).ended;
    const chunks = runner.passes
      .slice(from)
      .map(({ rows }) => Math.max(...rows))
      .filter((rows) => rows > 1);
    assert.ok(
      chunks.slice(2).every((rows) => rows <= 20),
      `${chunks}`,
    );
    scheduler.cancel(decode.id);
    const alone = runner.passes.length;
    await record(scheduler, job({ tokens: prompt(300, 3), maxTokens: 1 })).ended;
    assert.equal(Math.max(...runner.passes.slice(alone).flatMap(({ rows }) => rows)), 64);
  });

  it('serves long prompts in turn', async () => {
    const { scheduler, runner } = open({ kvCells: 2000 }, { prefillChunk: 10 });
    const recordings = [1, 2, 3].map((seed) =>
      record(scheduler, job({ tokens: prompt(100, seed), maxTokens: 1 })),
    );
    await Promise.all(recordings.map(({ ended }) => ended));
    const starts = runner.passes.slice(0, 9).map((pass) => pass.starts[0]);
    assert.deepEqual(starts, [0, 0, 0, 10, 10, 10, 20, 20, 20]);
  });

  it('splits a pass where the runner prefers several', async () => {
    const { scheduler, runner } = open(
      { kvCells: 500, eog: NEVER },
      {},
      {
        preferredRows: (rows) => (rows < 8 ? new Array(rows).fill(1) : [rows]),
      },
    );
    const wishes = [1, 2, 3].map((seed) => ({ tokens: prompt(4, seed) }));
    const recordings = wishes.map((wish) => record(scheduler, job(wish)));
    await assertAllAlone(recordings, wishes, { context: 500, eog: NEVER });
    assert.deepEqual(runner.passes[0]!.rows, [4, 4, 4]);
    assert.ok(runner.passes.slice(1).every(({ rows }) => rows.length === 1));
  });

  it('keeps passes within the rows that the runner takes', async () => {
    const { scheduler } = open({ kvCells: 500, maxRows: 3 }, { prefillChunk: 256, maxActive: 8 });
    const wishes = [1, 2, 3, 4, 5, 6, 7, 8].map((seed) => ({ tokens: prompt(10, seed) }));
    const recordings = wishes.map((wish) => record(scheduler, job(wish)));
    await assertAllAlone(recordings, wishes, { context: 500 });
  });

  it('preempts the youngest when cells run out, never the oldest, and nobody notices', async () => {
    const preempted: unknown[] = [];
    const log = { ...silentLogger, debug: (_: string, fields?: LogFields) => preempted.push(fields?.job) };
    const { scheduler } = open({ kvCells: 120, context: 90, eog: NEVER }, {}, { log });
    const wishes = [1, 2, 3, 4].map((seed) => ({
      tokens: prompt(10, seed),
      maxTokens: 70,
      sampling: { seed },
    }));
    const recordings = wishes.map((wish) => record(scheduler, job(wish)));
    await assertAllAlone(recordings, wishes, { context: 90, eog: NEVER });
    assert.ok(preempted.length >= 2);
    assert.equal(preempted[0], recordings[3]!.id);
    assert.ok(!preempted.includes(recordings[0]!.id));
    assert.equal(scheduler.stats().totals.preemptions, preempted.length);
    const { freeCells, cachedCells } = scheduler.stats();
    assert.equal(freeCells + cachedCells, 120);
  });

  it('evicts cached prefixes before it preempts', async () => {
    const { scheduler } = open({ kvCells: 100, context: 90, eog: NEVER });
    await record(scheduler, job({ tokens: prompt(60, 1), maxTokens: 5 })).ended;
    await record(scheduler, job({ tokens: prompt(60, 2), maxTokens: 5 })).ended;
    assert.equal(scheduler.stats().totals.preemptions, 0);
    assert.ok(scheduler.stats().totals.evictedCells >= 28);
  });

  it('admits by priority, then in order', async () => {
    const { scheduler } = open({ kvCells: 400 }, { maxActive: 1 });
    const order: number[] = [];
    const recordings = [0, 5, 1, 5, -1].map((priority, i) =>
      record(scheduler, job({ tokens: prompt(4, i), priority }), (event) => {
        if (!isKithError(event) && event.type === 'start') order.push(i);
      }),
    );
    await Promise.all(recordings.map(({ ended }) => ended));
    assert.deepEqual(order, [1, 3, 2, 0, 4]);
  });

  it('stops before a stop string that spans tokens, and holds its beginning back', async () => {
    const { scheduler } = open({ kvCells: 500, eog: NEVER });
    const wish: Wish = { tokens: prompt(9), maxTokens: 60, sampling: { seed: 3, temperature: 1 } };
    const whole = alone(wish, { context: 500, eog: NEVER }).text;
    assert.ok(whole.length > 40);
    const stop = whole.slice(20, 27);
    const recording = record(scheduler, job({ ...wish, stop: ['never', stop] }));
    await recording.ended;
    assert.equal(recording.text(), whole.slice(0, whole.indexOf(stop)));
    const finish = recording.finish();
    assert.equal(finish.reason, 'stop');
    assert.equal(finish.stop, stop);
    assert.ok(finish.usage.completionTokens < 60);
  });

  it('ends with length when the context is full', async () => {
    const { scheduler } = open({ kvCells: 200, context: 50, eog: NEVER });
    const recording = record(scheduler, job({ tokens: prompt(40), maxTokens: null }));
    await recording.ended;
    assert.equal(recording.finish().reason, 'length');
    assert.equal(recording.finish().usage.completionTokens, 10);
  });

  it('slides exactly as stated: the first tokens stay, the oldest half of the rest goes', async () => {
    const { scheduler } = open({ kvCells: 64, context: 64, eog: NEVER });
    for (const [length, keepTokens] of [
      [40, 8],
      [10, 0],
      [200, 5],
      [64, 62],
      [63, 0],
    ] as const) {
      const wish: Wish = { tokens: prompt(length, length), keepTokens, overflow: 'slide', maxTokens: 150 };
      const recording = record(scheduler, job(wish));
      await recording.ended;
      const expected = alone(wish, { context: 64, eog: NEVER });
      assert.ok(expected.slid > 0);
      assertAlone(recording, expected);
    }
    assert.equal(slideBy(64, 8, 64), 28);
    assert.equal(slideBy(63, 8, 64), 0);
    assert.equal(slideBy(200, 0, 64), 160);
  });

  it('cancels before the next pass, running or waiting, and frees the place', async () => {
    const { scheduler, runner } = open({ kvCells: 200, eog: NEVER }, { maxActive: 1 });
    const waiting = { at: -1 };
    const first = record(scheduler, job({ tokens: prompt(5), maxTokens: 500 }), (event) => {
      if (isKithError(event) || event.type !== 'text' || waiting.at >= 0) return;
      waiting.at = runner.passes.length;
      assert.ok(scheduler.cancel(first.id));
    });
    const second = record(scheduler, job({ tokens: prompt(5, 2) }));
    const third = record(scheduler, job({ tokens: prompt(5, 3), maxTokens: 2 }));
    assert.ok(scheduler.cancel(second.id));
    await Promise.all([first.ended, second.ended, third.ended]);
    assert.equal(first.finish().reason, 'aborted');
    assert.equal(second.finish().reason, 'aborted');
    assert.equal(second.finish().usage.completionTokens, 0);
    assert.equal(runner.passes.length, waiting.at + 2, 'only the third ran on');
    assert.equal(scheduler.cancel(first.id), false);
    assert.equal(scheduler.stats().totals.aborted, 2);
  });

  it('keeps the cells of a job that is cancelled within a pass until the pass is over', async () => {
    const { scheduler, runner } = open({ kvCells: 60, eog: NEVER });
    delete runner.interrupt; // a device whose passes run to their end
    let cancelled = false;
    const first = record(scheduler, job({ tokens: prompt(30), maxTokens: 20 }));
    runner.onPass = () => {
      if (cancelled) return;
      cancelled = true;
      scheduler.cancel(first.id);
      assert.equal(scheduler.stats().freeCells, 30);
    };
    await first.ended;
    const wish = { tokens: prompt(30), maxTokens: 5 };
    const again = record(scheduler, job(wish));
    await again.ended;
    assertAlone(again, alone(wish, { context: 60, eog: NEVER }));
    assert.equal(again.start().cachedTokens, 29, 'what the pass computed is kept');
  });

  it('interrupts a pass that is mostly for a cancelled job, and computes the rows of the others again', async () => {
    const { scheduler, runner } = open({ kvCells: 200, eog: NEVER });
    const wish = { tokens: prompt(6, 2), maxTokens: 20 };
    const stays = record(scheduler, job(wish));
    const goes = record(scheduler, job({ tokens: prompt(60, 1), maxTokens: 20 }));
    runner.onPass = (parts) => {
      if (parts.length < 2) return;
      runner.onPass = null;
      scheduler.cancel(goes.id);
    };
    await Promise.all([stays.ended, goes.ended]);
    assert.equal(runner.interruptions, 1);
    assert.equal(goes.finish().reason, 'aborted');
    assertAlone(stays, alone(wish, { context: 200, eog: NEVER }));
    await scheduler[Symbol.asyncDispose]();
    assert.equal(scheduler.stats().freeCells, 200);
  });

  it('lets a pass finish that is mostly for others', async () => {
    const { scheduler, runner } = open({ kvCells: 200, eog: NEVER });
    const wishes = [1, 2, 3].map((seed) => ({ tokens: prompt(5, seed), maxTokens: 10 }));
    const recordings = wishes.map((wish) => record(scheduler, job(wish)));
    runner.onPass = (parts) => {
      if (parts.length < 3) return;
      runner.onPass = null;
      scheduler.cancel(recordings[0]!.id);
    };
    await Promise.all(recordings.map(({ ended }) => ended));
    assert.equal(runner.interruptions, 0);
    assertAlone(recordings[1]!, alone(wishes[1]!, { context: 200, eog: NEVER }));
  });

  it('takes a job that is cancelled during one pass out of the next pass of the same turn', async () => {
    const preferredRows = (rows: number) => [5, rows - 5];
    const { scheduler, runner } = open({ kvCells: 300, eog: NEVER }, {}, { preferredRows });
    const wishes = [1, 2, 3].map((seed) => ({ tokens: prompt(5, seed), maxTokens: 10 }));
    const recordings = wishes.map((wish) => record(scheduler, job(wish)));
    runner.onPass = () => {
      runner.onPass = null;
      scheduler.cancel(recordings[1]!.id);
    };
    await Promise.all(recordings.map(({ ended }) => ended));
    assert.deepEqual(
      runner.passes.slice(0, 2).map(({ rows }) => rows),
      [[5], [5]],
    );
    assert.equal(recordings[1]!.finish().reason, 'aborted');
    for (const i of [0, 2]) assertAlone(recordings[i]!, alone(wishes[i]!, { context: 300, eog: NEVER }));
    const again = record(scheduler, job(wishes[1]!));
    await again.ended;
    assert.equal(again.start().cachedTokens, 0, 'its cells were never written');
    assertAlone(again, alone(wishes[1]!, { context: 300, eog: NEVER }));
  });

  it('goes on alone when the prompt it waited for is preempted, and both end', async () => {
    // The third decodes while the first two, alike but for the end, are computed: it takes the cells of the first.
    const { scheduler, runner } = open({ kvCells: 150, context: 120, eog: NEVER }, { prefillChunk: 2 });
    const wishes: Wish[] = [
      { tokens: prompt(100), maxTokens: 5 },
      { tokens: [...prompt(90), 1, 2], maxTokens: 5, priority: 1 },
      { tokens: prompt(20, 7), maxTokens: 90, priority: 2 },
    ];
    const recordings: Recording[] = [];
    runner.onPass = () => {
      const next = wishes[recordings.length];
      if (next !== undefined) recordings.push(record(scheduler, job(next)));
    };
    recordings.push(record(scheduler, job(wishes[0]!)));
    await recordings[0]!.ended;
    await assertAllAlone(recordings, wishes, { context: 120, eog: NEVER });
    assert.ok(scheduler.stats().totals.preemptions >= 1);
    assert.ok(recordings[1]!.start().cachedTokens > 0);
  });

  it('fails the jobs of a pass that fails and goes on with the others', async () => {
    const { scheduler, runner } = open({ kvCells: 300 }, { maxActive: 2 });
    const broken = new KithError('compute_failed', 'The device is gone.');
    runner.onPass = () => {
      runner.onPass = null;
      throw broken;
    };
    const wishes = [1, 2, 3].map((seed) => ({ tokens: prompt(20, seed) }));
    const recordings = wishes.map((wish) => record(scheduler, job(wish)));
    await Promise.all(recordings.map(({ ended }) => ended));
    assert.equal(recordings[0]!.error(), broken);
    assert.equal(recordings[1]!.error(), broken);
    assertAlone(recordings[2]!, alone(wishes[2]!, { context: 300 }));
    const again = record(scheduler, job(wishes[0]!));
    await again.ended;
    assertAlone(again, alone(wishes[0]!, { context: 300 }));
    assert.equal(again.start().cachedTokens, 0, 'nothing of the failed pass is kept');
    assert.equal(scheduler.stats().freeCells + scheduler.stats().cachedCells, 300);
  });

  it('fails one job for one bad row of logits', async () => {
    const { scheduler } = open({ kvCells: 300 });
    const bad = job({ tokens: prompt(5) });
    const sampler = {
      accept() {},
      sample() {
        throw new KithError('logits_invalid', 'A logit is not a number.');
      },
    };
    const first = record(scheduler, { ...bad, sampler });
    const wish = { tokens: prompt(6, 2) };
    const second = record(scheduler, job(wish));
    await Promise.all([first.ended, second.ended]);
    assert.equal(first.error().code, 'logits_invalid');
    assertAlone(second, alone(wish, { context: 300 }));
  });

  it('drops a job whose sink throws, without harm to others', async () => {
    const { scheduler } = open({ kvCells: 300, eog: NEVER });
    let calls = 0;
    scheduler.submit(job({ tokens: prompt(5), maxTokens: 200 }), () => {
      calls++;
      throw new Error('the pipe is closed');
    });
    const wish = { tokens: prompt(6, 2), maxTokens: 30 };
    const second = record(scheduler, job(wish));
    await second.ended;
    assertAlone(second, alone(wish, { context: 300, eog: NEVER }));
    assert.equal(calls, 1);
    assert.equal(scheduler.stats().active, 0);
  });

  it('reports log probabilities with the bytes of each token', async () => {
    const { scheduler } = open({ kvCells: 300, eog: NEVER });
    const tokens = prompt(7);
    const recording = record(
      scheduler,
      job({ tokens, sampling: { temperature: 0, topLogprobs: 3 }, maxTokens: 20 }),
    );
    await recording.ended;
    const reported = recording.logprobs();
    assert.equal(reported.length, 20);
    const seen = [...tokens];
    for (const entry of reported) {
      const logits = toyLogits(seen, NEVER);
      const norm = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
      assert.ok(Math.abs(entry.logprob - (logits[entry.token]! - norm)) < 1e-6);
      assert.deepEqual(entry.bytes, toyTokenizer.bytes(entry.token, true));
      assert.equal(entry.top.length, 3);
      assert.equal(entry.top[0]!.token, entry.token, 'greedy takes the first');
      seen.push(entry.token);
    }
    const counted = recording.events.reduce(
      (sum, event) => sum + (!isKithError(event) && event.type === 'text' ? event.tokens : 0),
      0,
    );
    assert.equal(counted, 20);
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock, createSeededRandom } from '../../base/index.ts';
import type { BackendHealth } from '../types.ts';
import { createConditions, createProbes, timersOf } from './index.ts';

const well: BackendHealth = {
  status: 'ok',
  latencyMs: 1,
  modelsAvailable: 1,
  modelsLoaded: 1,
  breaker: { state: 'closed', failures: 0 },
  message: null,
};

function bench(options: { concurrency?: number; backends?: number } = {}) {
  const clock = createManualClock();
  const conditions = createConditions({ now: clock.monotonic });
  const state = { mode: 'well' as 'well' | 'throws' | 'says no' | 'hangs', running: 0, most: 0 };
  const times: number[] = [];
  const backends = Array.from({ length: options.backends ?? 1 }, (_, index) => ({
    name: `b${index}`,
    async health(signal?: AbortSignal) {
      times.push(clock.monotonic());
      state.running++;
      state.most = Math.max(state.most, state.running);
      try {
        await clock.sleep(10, signal);
        if (state.mode === 'throws') throw new Error('connection refused');
        if (state.mode === 'hangs') await new Promise(() => {});
        return state.mode === 'says no' ? { ...well, answers: false, message: 'no model' } : well;
      } finally {
        state.running--;
      }
    },
  }));
  const probes = createProbes({
    backends,
    conditions,
    timers: timersOf(clock),
    random: createSeededRandom(3),
    ...(options.concurrency === undefined ? {} : { concurrency: options.concurrency }),
  });
  return { clock, conditions, probes, state, times };
}

test('a backend that stops answering is demoted and one that comes back is promoted', async () => {
  for (const mode of ['throws', 'says no', 'hangs'] as const) {
    const { clock, conditions, probes, state } = bench();
    probes.start();
    await clock.advance(40_000);
    assert.equal(conditions.of('b0').demoted, false);
    state.mode = mode;
    await clock.advance(45_000);
    assert.equal(conditions.of('b0').demoted, true, mode);
    await clock.advance(100_000);
    assert.equal(conditions.of('b0').demoted, true, 'for as long as it does not answer');
    assert.equal(probes.results()[0]!.good, false);
    state.mode = 'well';
    await clock.advance(12_000);
    assert.equal(conditions.of('b0').demoted, false);
    assert.equal(probes.results()[0]!.message, null);
    probes.stop();
    await clock.advance(0);
    assert.equal(clock.sleeping, 0);
  }
});

test('a failed call demotes before the next probe does', () => {
  const clock = createManualClock();
  const condition = createConditions({ now: clock.monotonic }).of('a');
  condition.begin();
  condition.end('failure');
  assert.equal(condition.demoted, true);
  condition.probed(true);
  assert.equal(condition.demoted, false);
  condition.begin();
  condition.end('neutral');
  assert.equal(condition.demoted, false);
});

test('probes are spread around their interval', async () => {
  const { clock, probes, times } = bench();
  probes.start();
  await clock.advance(3_000_000);
  const gaps = times.slice(1).map((time, index) => time - times[index]!);
  assert.ok(gaps.length > 80);
  assert.ok(Math.min(...gaps) >= 24_000 && Math.max(...gaps) <= 36_020);
  assert.ok(Math.max(...gaps) - Math.min(...gaps) > 6000, 'with jitter');
  probes.stop();
});

test('few probes run at once, and stopping ends those under way', async () => {
  const { clock, probes, state } = bench({ backends: 30, concurrency: 2 });
  probes.start();
  await clock.advance(20_000);
  assert.equal(state.most, 2);
  assert.equal(probes.results().length, 30);
  state.mode = 'hangs';
  await clock.advance(40_000);
  probes.stop();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(clock.sleeping, 0);
  const asked = state.most;
  await clock.advance(100_000);
  assert.equal(state.most, asked);
});

test('peak EWMA takes a slow answer at once and forgets it with time', async () => {
  const clock = createManualClock();
  const condition = createConditions({ now: clock.monotonic }).of('a');
  condition.firstToken(10);
  condition.firstToken(1000);
  assert.equal(condition.latencyMs, 1000);
  await clock.advance(10_000);
  condition.firstToken(10);
  assert.ok(Math.abs(condition.latencyMs! - (10 + 990 / Math.E)) < 1e-9);
  condition.begin();
  assert.equal(condition.load, condition.latencyMs! * 2);
});

test('what a backend that nobody asks was slow at is forgotten, but not while calls wait for it', async () => {
  const clock = createManualClock();
  const condition = createConditions({ now: clock.monotonic }).of('a');
  condition.begin();
  condition.firstToken(1000);
  await clock.advance(50_000);
  assert.equal(condition.load, 2000);
  condition.end('success');
  assert.equal(condition.load, 1000);
  await clock.advance(10_000);
  assert.ok(Math.abs(condition.expectedMs! - 1000 / Math.E) < 1e-9);
  assert.equal(condition.load, condition.expectedMs);
  assert.equal(condition.latencyMs, 1000, 'what was seen is still told');
});

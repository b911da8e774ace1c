import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createManualClock, KithError } from '../base/index.ts';
import type { EngineStatus } from '../engine/index.ts';
import { createProbe, probeMs } from './probe.ts';

const running: EngineStatus = {
  state: 'running',
  pid: 1,
  uptimeMs: 1,
  restarts: 0,
  recentDeaths: 0,
  lastCause: null,
  rssBytes: null,
  models: [],
};

const closed = { state: 'closed', failures: 0 } as const;

/** An engine process that answers when the test says so. */
function scripted() {
  const clock = createManualClock();
  const asked: PromiseWithResolvers<EngineStatus>[] = [];
  const engine = {
    now: running as EngineStatus,
    state: () => engine.now,
    status: () => {
      const question = Promise.withResolvers<EngineStatus>();
      asked.push(question);
      return question.promise;
    },
  };
  let loading = false;
  const probe = createProbe({ engine, clock, loading: () => loading });
  return {
    clock,
    engine,
    asked,
    probe,
    load(now: boolean) {
      loading = now;
    },
  };
}

describe('The probe of the engine process', () => {
  it('measures the answer, and those who ask meanwhile share it', async () => {
    const { clock, asked, probe } = scripted();
    const answers = [probe(), probe(), probe()];
    await clock.advance(12.34);
    asked[0]!.resolve(running);
    for (const answer of await Promise.all(answers)) {
      assert.deepEqual(answer, {
        status: 'ok',
        latencyMs: 12.3,
        message: null,
        answers: true,
        breaker: closed,
        engine: running,
      });
    }
    assert.equal(asked.length, 1);
    assert.equal(clock.sleeping, 0);
  });

  it('is bounded, and leaves one question with a process that hangs, however often it is asked', async () => {
    const { clock, asked, probe } = scripted();
    const first = probe();
    await clock.advance(probeMs);
    assert.deepEqual(await first, {
      status: 'degraded',
      latencyMs: null,
      message: 'The engine process has not answered for 2000 ms.',
      answers: false,
      breaker: closed,
      engine: null,
    });
    for (let i = 0; i < 5; i++) {
      const later = probe();
      await clock.advance(0);
      assert.equal((await later).status, 'degraded');
    }
    assert.equal(asked.length, 1);
    // The late answer ends the question; the next one is asked anew.
    asked[0]!.resolve(running);
    await new Promise((resolve) => setImmediate(resolve));
    const next = probe();
    asked[1]!.resolve(running);
    assert.equal((await next).status, 'ok');
  });

  it('takes silence while a model is loaded for what it is', async () => {
    const { clock, probe, load } = scripted();
    load(true);
    const answer = probe();
    await clock.advance(probeMs);
    const { status, answers, message } = await answer;
    assert.deepEqual([status, answers, message], ['starting', true, 'The engine is loading a model.']);
  });

  it('tells a process that dies while it is asked by what became of it', async () => {
    const { engine, asked, probe } = scripted();
    const answer = probe();
    engine.now = { ...running, state: 'waiting', recentDeaths: 1, lastCause: 'signal SIGKILL' };
    asked[0]!.reject(new KithError('engine_lost', 'The engine process ended.'));
    const { status, message, answers } = await answer;
    assert.equal(status, 'degraded');
    assert.match(message ?? '', /about to start again: signal SIGKILL/);
    assert.equal(answers, true);
  });

  it('asks nothing of a process that does not run, and says what follows for requests', async () => {
    const { engine, asked, probe } = scripted();
    const seen: unknown[] = [];
    for (const [state, recentDeaths] of [
      ['idle', 0],
      ['starting', 0],
      ['starting', 1],
      ['waiting', 2],
      ['broken', 5],
      ['idle', 5],
      ['closed', 0],
    ] as const) {
      engine.now = { ...running, state, recentDeaths };
      const { status, answers, latencyMs, breaker } = await probe();
      seen.push([state, status, answers, latencyMs, breaker.state]);
    }
    assert.deepEqual(seen, [
      ['idle', 'ok', true, null, 'closed'],
      ['starting', 'starting', true, null, 'closed'],
      ['starting', 'degraded', true, null, 'closed'],
      ['waiting', 'degraded', true, null, 'closed'],
      ['broken', 'degraded', false, null, 'open'],
      ['idle', 'degraded', true, null, 'half_open'],
      ['closed', 'degraded', false, null, 'closed'],
    ]);
    assert.equal(asked.length, 0);
  });
});

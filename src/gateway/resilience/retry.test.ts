import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createSeededRandom, KithError, LimitError } from '../../base/index.ts';
import { failureOf } from './failure.ts';
import { limitsFor } from './limits.ts';
import { backoffMs, createRetryBudget } from './retry.ts';

test('waits are spread over the whole of 1, 2, 4, 4 s', () => {
  const random = createSeededRandom(7);
  for (const [retry, bound] of [1000, 2000, 4000, 4000, 4000].entries()) {
    const waits = Array.from({ length: 2000 }, () => backoffMs(retry, random));
    assert.ok(Math.min(...waits) < bound * 0.01 && Math.max(...waits) > bound * 0.99);
    assert.ok(Math.max(...waits) < bound);
    const mean = waits.reduce((sum, ms) => sum + ms, 0) / waits.length;
    assert.ok(Math.abs(mean - bound / 2) < bound * 0.03);
  }
});

test('the budget is a tenth of the calls, and a few however few they are', () => {
  let now = 0;
  const budget = createRetryBudget({ now: () => now });
  assert.deepEqual([budget.take(), budget.take(), budget.take(), budget.take()], [true, true, true, false]);
  for (let call = 0; call < 100; call++) budget.deposit();
  assert.equal(budget.left, 7);
  now = 60_000;
  assert.equal(budget.left, 3);
});

test('no extra call is granted over what the calls of the last window allow', () => {
  const windowMs = 1000;
  const step = fc.record({ ms: fc.nat(300), calls: fc.nat(40), tries: fc.nat(12) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), fc.integer({ min: 0, max: 5 }), (steps, minimum) => {
      let now = 0;
      const budget = createRetryBudget({ now: () => now, windowMs, minimum });
      const calls: number[] = [];
      const extras: number[] = [];
      for (const { ms, calls: count, tries } of steps) {
        now += ms;
        for (let call = 0; call < count; call++) {
          budget.deposit();
          calls.push(now);
        }
        const within = (times: number[]) => times.filter((time) => time > now - windowMs).length;
        for (let attempt = 0; attempt < tries; attempt++) {
          if (!budget.take()) continue;
          extras.push(now);
          assert.ok(within(extras) <= Math.max(minimum, 0.1 * within(calls)));
        }
      }
    }),
  );
});

test('errors are what their code, class or status says', () => {
  const of = (code: string, status: number, details = {}) =>
    failureOf(new KithError(code, 'x', { status, details })).kind;
  assert.equal(of('x', 500), 'server');
  assert.equal(of('x', 503), 'overloaded');
  assert.equal(of('x', 529), 'overloaded');
  assert.equal(of('x', 504), 'timeout');
  assert.equal(of('x', 408), 'timeout');
  assert.equal(of('x', 429), 'rate_limited');
  assert.equal(of('insufficient_quota', 429), 'access');
  assert.equal(of('x', 401), 'access');
  assert.equal(of('x', 403), 'refused');
  assert.equal(of('context_length_exceeded', 400), 'context');
  assert.equal(of('content_filter', 400), 'filtered');
  assert.equal(of('model_loading', 503), 'busy');
  assert.equal(
    of('upstream_server_error', 502, { failure: 'server_error', upstreamStatus: 503 }),
    'overloaded',
  );
  assert.equal(of('upstream_cut', 502, { failure: 'cut' }), 'reset');
  assert.equal(of('upstream_x', 502, { failure: 'connect_failed', reused: true }), 'stale');
  assert.equal(of('upstream_auth', 502, { failure: 'auth', upstreamStatus: 403 }), 'access');
  assert.equal(of('upstream_bad_request', 400, { failure: 'bad_request' }), 'refused');
  assert.equal(of('model_not_found', 404, { failure: 'bad_request' }), 'access');
  assert.equal(failureOf(new LimitError('queue', 3, 'full', { retryAfter: 2 })).kind, 'busy');
  assert.equal(failureOf(new LimitError('queue', 3, 'full', { retryAfter: 2 })).retryAfterMs, 2000);
  assert.equal(failureOf(Object.assign(new Error('x'), { code: 'ECONNREFUSED' })).kind, 'unreachable');
  assert.equal(failureOf(Object.assign(new Error('x'), { code: 'ECONNRESET' })).kind, 'reset');
  assert.equal(failureOf(new TypeError('x')).kind, 'unexpected');
  assert.equal(failureOf('text').error.code, 'backend_failed');
  assert.equal(failureOf(null).kind, 'unexpected');
});

test('only failures of the backend count: no 4xx but 408 and 429, and nothing of the caller', () => {
  for (let status = 400; status < 500; status++) {
    const { counts } = failureOf(new KithError('x', 'x', { status }));
    assert.equal(counts, status === 408 || status === 429 || status === 499, String(status));
  }
  assert.equal(failureOf(new KithError('aborted', 'x', { status: 499 })).counts, false);
  assert.equal(failureOf(new KithError('request_timeout', 'x', { status: 504 })).counts, false);
});

test('a larger model is given more time, and so is a long prompt on a machine of the owner', () => {
  const small = limitsFor({ parameters: 1e9 });
  const large = limitsFor({ parameters: 70e9 });
  assert.ok(small.firstTokenMs < large.firstTokenMs && small.totalMs < large.totalMs);
  assert.deepEqual(limitsFor({ parameters: 1e9, promptTokens: 5000 }), small);
  const own = limitsFor({ parameters: 1e9, promptTokens: 5000, ownMachine: true });
  assert.equal(own.firstTokenMs, small.firstTokenMs + 100_000);
  assert.ok(limitsFor({ parameters: null }).firstTokenMs >= small.firstTokenMs);
});

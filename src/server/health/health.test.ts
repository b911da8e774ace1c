import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import type { NodeStatus } from '../types.ts';
import { healthOf, httpStatus } from './health.ts';

type Backend = NodeStatus['backends'][number];
type BreakerState = Backend['breaker']['state'];

function backend(state: BreakerState, failures: number, answers = true): Backend {
  return {
    backend: 'one',
    status: 'ok',
    latencyMs: null,
    modelsAvailable: 1,
    modelsLoaded: 0,
    breaker: { state, failures },
    message: null,
    answers,
    where: 'this_machine',
    link: null,
  };
}

const statusOf = (backends: readonly Backend[]) =>
  ({ state: 'ready', message: null, backends, requests: {} }) as unknown as NodeStatus;
const breakerOf = (...backends: Backend[]) => {
  const { circuit_breaker_state, circuit_breaker_failures } = healthOf(statusOf(backends)).llm;
  return [circuit_breaker_state, circuit_breaker_failures];
};

test('the breaker of one backend is told as it is', () => {
  for (const state of ['closed', 'half_open', 'open'] as const)
    assert.deepEqual(breakerOf(backend(state, 3, state !== 'open')), [state, 3]);
});

test('with several backends it is open only where none would answer', () => {
  assert.deepEqual(breakerOf(backend('open', 5, false), backend('closed', 1)), ['closed', 6]);
  assert.deepEqual(breakerOf(backend('open', 5), backend('half_open', 5)), ['half_open', 10]);
  assert.deepEqual(breakerOf(backend('open', 5), backend('open', 6)), ['open', 11]);
  // A server that is away has no open breaker before somebody has asked it often enough.
  assert.deepEqual(breakerOf(backend('open', 5), backend('closed', 0, false)), ['open', 5]);
  assert.deepEqual(breakerOf(backend('closed', 0, false)), ['closed', 0]);
  assert.deepEqual(breakerOf(), ['closed', 0]);
});

test('an open breaker before all requests is a 503, and nothing else makes it open', () => {
  const one = fc
    .record({ state: fc.constantFrom('closed', 'half_open', 'open'), answers: fc.boolean() })
    .map(({ state, answers }) => backend(state as BreakerState, 1, answers));
  fc.assert(
    fc.property(fc.array(one, { minLength: 1, maxLength: 5 }), (backends) => {
      const [state] = breakerOf(...backends);
      const http = httpStatus(statusOf(backends));
      const some = backends.some(({ answers, breaker }) => answers === true && breaker.state !== 'open');
      assert.equal(http, some ? 200 : 503);
      if (state === 'open') assert.equal(some, false);
      if (state === 'half_open') assert.equal(some, true);
    }),
  );
});

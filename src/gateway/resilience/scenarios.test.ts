/**
 * The faults that providers are known for, each against the orchestrator: a matrix of 12 faults, streamed and whole, and
 * 16 scenarios after the catalogue of FailoverBench (September 2026) with its baseline of two retries, 30 s and one
 * fallback. Each row is printed.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  answer,
  createBench,
  deaf,
  fail,
  finish,
  type Outcome,
  route,
  type Script,
  type Step,
  say,
  scripted,
  start,
  wait,
} from './testing/scripted.ts';

const tokens = Array.from({ length: 60 }, (_, index) => `t${index} `);
const whole = tokens.join('');
const good = answer(...tokens);
const limits = { firstTokenMs: 10_000, interTokenMs: 10_000, totalMs: 30_000 };

const row = (...cells: readonly string[]) => console.log(`| ${cells.join(' | ')} |`);

/** What a backend sees of each fault; `body`: of a whole JSON answer, where it differs from a stream. */
const faults: readonly { name: string; stream: readonly Step[]; body?: readonly Step[] }[] = [
  {
    name: 'connection refused',
    stream: [{ do: 'fail', error: Object.assign(new Error('x'), { code: 'ECONNREFUSED' }) }],
  },
  { name: '500', stream: [fail('upstream_server_error', 500)] },
  { name: '429', stream: [fail('upstream_rate_limited', 429)] },
  { name: '502 with HTML', stream: [fail('upstream_server_error', 502)] },
  {
    name: 'TCP reset',
    stream: [{ do: 'fail', error: Object.assign(new Error('x'), { code: 'ECONNRESET' }) }],
  },
  { name: 'accepts, never answers', stream: [deaf] },
  { name: 'headers, then nothing', stream: [start, deaf] },
  {
    name: '200 with truncated JSON',
    stream: [start, fail('answer_malformed', 502)],
    body: [fail('answer_malformed', 502)],
  },
  { name: '200 with an error inside', stream: [start, fail('upstream_server_error', 502)] },
  { name: '200 with empty body', stream: [], body: [fail('answer_malformed', 502)] },
  { name: 'cut after 5 tokens', stream: good.slice(0, 6), body: [fail('upstream_cut', 502)] },
  { name: 'stalls after 1 token', stream: [...good.slice(0, 2), deaf], body: [start, deaf] },
];

for (const { name, stream, body } of faults) {
  for (const form of ['JSON', 'stream'] as const) {
    test(`matrix: ${name}, ${form}: the caller gets the whole answer`, async () => {
      const bench = createBench(1, { retries: 2 });
      const primary = scripted('primary', bench.clock, form === 'JSON' ? (body ?? stream) : stream);
      const fallback = scripted('fallback', bench.clock, (_, { prefill }) =>
        answer(...tokens.slice(prefill === undefined ? 0 : prefill.split(' ').length - 1)),
      );
      const { text, error, ms } = await bench.ask(
        [route(primary, { limits }), route(fallback, { limits, continues: true })],
        { whole: form === 'JSON' },
      );
      row('matrix', name, form, error === null ? 'rescued' : error.code, `${ms} ms`);
      assert.equal(error, null);
      assert.equal(text, whole);
      assert.ok(ms <= 10_100);
      assert.equal(primary.open + fallback.open, 0);
      assert.equal(bench.clock.sleeping, 0);
    });
  }
}

test('matrix: without a backend that continues, a stream that breaks off ends in an error', async () => {
  for (const { name, stream } of faults.slice(-2)) {
    const bench = createBench();
    const { error, events } = await bench.ask([route(scripted('primary', bench.clock, stream), { limits })]);
    row('matrix, no fallback', name, 'stream', error!.code);
    assert.match(error!.code, /^stream_(cut|stalled)$/);
    assert.ok(events.every(({ type }) => type === 'start' || type === 'text'));
  }
});

interface Scenario {
  readonly name: string;
  readonly primary: Script | readonly Step[];
  readonly fallback?: Script | readonly Step[];
  readonly check?: (outcome: Outcome, asked: { primary: number; fallback: number }) => void;
}

/** The whole answer came; unless the scenario says otherwise. */
function rescued({ text, error }: Outcome): void {
  assert.equal(error, null);
  assert.equal(text, whole);
}

const goesOn: Script = (_, { prefill }) =>
  answer(...tokens.slice(prefill === undefined ? 0 : prefill.split(' ').length - 1));

const scenarios: readonly Scenario[] = [
  {
    name: 'S01 429 with Retry-After',
    primary: (ask) => (ask === 0 ? [fail('upstream_rate_limited', 429, 5)] : good),
    check: (outcome) => {
      rescued(outcome);
      assert.equal(outcome.ms, 0, 'no wait while another backend is there');
    },
  },
  { name: 'S02 persistent 429', primary: [fail('upstream_rate_limited', 429)] },
  { name: 'S03 one 500', primary: (ask) => (ask === 0 ? [fail('upstream_server_error', 500)] : good) },
  { name: 'S04 persistent 503', primary: [fail('upstream_server_error', 503)] },
  {
    name: 'S05 reset before headers',
    primary: [{ do: 'fail', error: Object.assign(new Error('x'), { code: 'ECONNRESET' }) }],
  },
  {
    name: 'S06 no response for 120 s',
    primary: [wait(120_000), ...good],
    check: (outcome, asked) => {
      rescued(outcome);
      assert.equal(asked.primary, 1, 'a silent route is asked once');
    },
  },
  { name: 'S07 first token after 20 s', primary: [start, wait(20_000), ...good.slice(1)] },
  { name: 'S08 cut after 40 of 60 tokens', primary: good.slice(0, 41) },
  { name: 'S09 stall of 30 s', primary: [...good.slice(0, 41), wait(30_000), ...good.slice(41)] },
  { name: 'S10 malformed chunk', primary: [...good.slice(0, 41), fail('answer_malformed', 502)] },
  {
    name: 'S11 missing [DONE]',
    primary: [start, ...tokens.map(say), finish],
    check: (outcome, asked) => {
      rescued(outcome);
      assert.equal(asked.fallback, 0);
    },
  },
  { name: 'S12 context length 400', primary: [fail('context_length_exceeded', 400)] },
  {
    name: 'S13 content filter 400',
    primary: [fail('content_filter', 400)],
    check: ({ error }, asked) => {
      assert.equal(error?.code, 'content_filter');
      assert.equal(asked.fallback, 0, 'never routed around');
    },
  },
  {
    name: 'S14 fallback rejects prefill',
    primary: good.slice(0, 41),
    fallback: (_, { prefill }) => (prefill === undefined ? good : [fail('prefill_refused', 400)]),
  },
  {
    name: 'S16 accounting names the fallback',
    primary: [fail('upstream_server_error', 500)],
    check: (outcome) => {
      rescued(outcome);
      const last = outcome.events.at(-1)!;
      assert.ok(last.type === 'usage' && last.completionTokens === 60);
      assert.equal(last.receipt.backend, 'fallback');
      assert.equal(last.receipt.model, 'fallback-model');
      assert.equal(outcome.attempts.length, 2);
    },
  },
];

for (const { name, primary, fallback, check } of scenarios) {
  test(`scenario ${name}`, async () => {
    const bench = createBench(1, { retries: 2 });
    const first = scripted('primary', bench.clock, primary);
    const second = scripted('fallback', bench.clock, fallback ?? goesOn);
    const outcome = await bench.ask(
      [route(first, { limits, context: 4096 }), route(second, { limits, context: 32_768, continues: true })],
      {},
      { sampler: { temperature: 0 } },
    );
    const how =
      outcome.error === null ? (outcome.text === whole ? 'whole' : 'truncated') : outcome.error.code;
    row(
      'scenario',
      name,
      how,
      `${outcome.ms} ms`,
      outcome.attempts.map((one) => `${one.backend} ${one.outcome}`).join(', '),
    );
    (check ?? rescued)(outcome, { primary: first.asked.length, fallback: second.asked.length });
    assert.equal(first.open + second.open, 0);
    assert.equal(bench.clock.sleeping, 0);
  });
}

test('scenario S15 primary flapping for 60 s', async () => {
  const bench = createBench(1, { retries: 2 });
  const up = () => Math.floor(bench.clock.monotonic() / 3000) % 2 === 1;
  const primary = scripted('primary', bench.clock, () =>
    up() ? good : [fail('upstream_server_error', 503)],
  );
  const fallback = scripted('fallback', bench.clock, goesOn);
  const routes = [route(primary, { limits }), route(fallback, { limits, continues: true })];
  let asks = 0;
  for (; bench.clock.monotonic() < 60_000; asks++) {
    rescued(await bench.ask(routes));
    await bench.clock.advance(250);
  }
  row(
    'scenario',
    'S15 flapping primary for 60 s',
    `${asks} of ${asks} whole`,
    `fallback answered ${fallback.asked.length}`,
  );
  assert.ok(primary.asked.length < asks / 4, 'the breaker keeps most asks away from it');
  assert.equal(bench.conditions.of('primary').inFlight, 0);
});

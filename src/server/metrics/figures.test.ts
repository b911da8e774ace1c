import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import {
  AbortedError,
  createManualClock,
  Histogram,
  InputError,
  KithError,
  LimitError,
} from '../../base/index.ts';
import type { ChatEvent } from '../../gateway/index.ts';
import type { Exchange } from '../http/exchange.ts';
import type { RequestFacts } from '../types.ts';
import { lineOf } from './access-log.ts';
import { type AnswerFacts, outcomeOf, watchAnswer } from './answer-facts.ts';
import { AnswerFigures, groupsOf, merged } from './answers.ts';
import { Exposition, formatFor } from './exposition.ts';
import { boundedValues } from './labels.ts';
import { RequestFigures } from './requests.ts';
import { createStatusReader } from './status-reader.ts';
import { recentAnswers, totalAnswers } from './view.ts';

const windowMs = 300_000;
const start: ChatEvent = { type: 'start', backend: 'local', model: 'tiny' };
const text = (choice = 0): ChatEvent => ({ type: 'text', choice, text: 'x', logprobs: null });
const finish = (choice = 0): ChatEvent => ({
  type: 'finish',
  choice,
  reason: 'stop',
  stop: null,
  slidTokens: 0,
});
const usage = (completionTokens: number, decodeMs: number): ChatEvent => ({
  type: 'usage',
  promptTokens: 10,
  cachedTokens: 4,
  completionTokens,
  receipt: { backend: 'local', model: 'tiny', queueMs: 3, prefillMs: 50, decodeMs, notes: [] },
});

function exchangeOf(agent: string | null = null, route = '/v1/chat/completions'): Exchange {
  const caller = { key: 'key-1', name: 'n', agent };
  return { id: '01', route, caller } as unknown as Exchange;
}

const requestFacts = (extra: Partial<RequestFacts> = {}): RequestFacts => ({
  id: 'req-1',
  method: 'POST',
  route: '/v1/x',
  status: 200,
  code: null,
  limit: null,
  ms: 5,
  bytesIn: 1,
  bytesOut: 2,
  caller: null,
  counted: true,
  of: {},
  ...extra,
});

test('times and rates of an answer are those of the clock', async () => {
  const clock = createManualClock();
  const figures = new AnswerFigures(windowMs);
  const { facts, watch } = watchAnswer(exchangeOf('a'), 'chat', 'tiny', clock, [figures]);
  await clock.advance(100);
  watch.event!(start);
  await clock.advance(150);
  watch.event!(text(0));
  await clock.advance(10);
  // Another choice: its first piece follows nothing.
  watch.event!(text(1));
  await clock.advance(30);
  watch.event!(text(0));
  watch.event!(finish(0));
  watch.event!(finish(1));
  watch.event!(usage(6, 80));
  await clock.advance(10);
  watch.end(null);
  watch.end(new Error('only the first end counts'));

  const [set] = [...figures.sets];
  assert.deepEqual(set!.labels, {
    model: 'tiny',
    backend: 'local',
    agent: 'a',
    route: '/v1/chat/completions',
  });
  assert.equal(set!.firstToken.total.sum, 250);
  assert.deepEqual([set!.interToken.total.count, set!.interToken.total.sum], [1, 40]);
  assert.equal(set!.duration.total.sum, 300);
  // Six tokens, of which two came with the prompts, in 80 ms.
  assert.equal(set!.tokenRate.total.sum, 50);
  assert.deepEqual([set!.promptTokens, set!.cachedTokens, set!.completionTokens], [10, 4, 6]);
  assert.deepEqual(set!.outcomes, { ok: 1, cancelled: 0, refused: 0, invalid: 0, failed: 0 });
  assert.deepEqual(facts.reasons, ['stop', 'stop']);

  assert.deepEqual(JSON.parse(`{${lineOf(requestFacts({ caller: exchangeOf('a').caller }), [facts])}}`), {
    ...{ request: 'req-1', method: 'POST', route: '/v1/x', status: 200, ms: 5, bytesIn: 1, bytesOut: 2 },
    ...{ key: 'key-1', agent: 'a', model: 'tiny', backend: 'local', promptTokens: 10, cachedTokens: 4 },
    ...{ completionTokens: 6, ttftMs: 250, queueMs: 3, tokensPerSecond: 50, finish: ['stop', 'stop'] },
  });
});

test('every error has its outcome', () => {
  const outcome = (error: unknown) => outcomeOf(error).outcome;
  assert.equal(outcome(null), 'ok');
  assert.equal(outcome(new AbortedError()), 'cancelled');
  assert.equal(outcome(AbortSignal.abort().reason), 'cancelled');
  assert.equal(outcome(new LimitError('engine.maxQueue', 1, 'x')), 'refused');
  assert.equal(outcome(new KithError('stopping', 'x', { status: 503 })), 'refused');
  assert.equal(outcome(new InputError('x', 'x')), 'invalid');
  assert.equal(outcome(new KithError('x', 'x')), 'failed');
  assert.deepEqual(outcomeOf(new TypeError('words of a user')), {
    outcome: 'failed',
    code: 'internal_error',
  });
});

test('labels are bounded, whatever strangers send, and nothing is lost', () => {
  const clock = createManualClock();
  const figures = new AnswerFigures(windowMs);
  const requests = new RequestFigures(windowMs);
  for (let n = 0; n < 3000; n++) {
    const agent = exchangeOf(`agent-${n}`, `/r${n % 9}`);
    const { watch } = watchAnswer(agent, 'chat', null, clock, [figures]);
    watch.end(new InputError('x', 'x'));
    requests.observe(
      requestFacts({ route: `/${n}`, method: `M${n}`, code: `code_${n}`, status: 400 + (n % 100) }),
      0,
    );
  }
  const sets = [...figures.sets];
  assert.ok(sets.length <= 101, String(sets.length));
  assert.equal(
    sets.reduce((sum, { outcomes }) => sum + outcomes.invalid, 0),
    3000,
  );
  assert.ok(sets.every(({ labels }) => labels.model === 'unknown' || labels.model === 'other'));
  const counted = [...requests.sets];
  assert.ok(counted.length <= 501 && [...requests.routes].length <= 101);
  assert.equal(
    counted.reduce((sum, { count }) => sum + count, 0),
    3000,
  );
  const value = boundedValues(2);
  assert.deepEqual(['a', 'b', 'c', 'a', 'd'].map(value), ['a', 'b', 'other', 'a', 'other']);
});

test('an error code that is no word does not become a label', () => {
  const requests = new RequestFigures(windowMs);
  requests.observe(requestFacts({ status: 400, code: 'what the user wrote' }), 0);
  assert.equal([...requests.sets][0]!.code, 'other');
});

test('groups merge the answers of their label, and the window forgets', async () => {
  const clock = createManualClock();
  const figures = new AnswerFigures(windowMs);
  const answer = async (agent: string, ms: number) => {
    const { watch } = watchAnswer(exchangeOf(agent), 'chat', 'tiny', clock, [figures]);
    watch.event!(start);
    await clock.advance(ms);
    watch.event!(text());
    watch.end(null);
  };
  for (let n = 1; n <= 10; n++) await answer(n % 2 ? 'odd' : 'even', n * 10);
  const [all] = groupsOf(figures.sets, 'all');
  const now = clock.monotonic();
  assert.equal(merged(all!, 'duration', now).count, 10);
  assert.deepEqual(
    recentAnswers(figures.sets, now).agents.map(({ name, answers }) => `${name} ${answers}`),
    ['even 5', 'odd 5'],
  );
  await clock.advance(windowMs);
  assert.equal(recentAnswers(figures.sets, clock.monotonic()).all.durationMs, null);
  assert.deepEqual(recentAnswers(figures.sets, clock.monotonic()).agents, []);
  assert.equal(totalAnswers(figures.sets).all.outcomes.ok, 10);
});

test('failures and refusals are counted within the window only', () => {
  const requests = new RequestFigures(windowMs);
  for (const status of [200, 500, 502, 503, 429, 404]) requests.observe(requestFacts({ status }), 1000);
  requests.observe(requestFacts({ status: 500, counted: false }), 1000);
  assert.deepEqual(requests.recent(1000), { all: 6, failed: 2, refused: 2 });
  // Streams that broke off after their 200.
  requests.observe(requestFacts({ code: 'engine_lost' }), 1000);
  requests.observe(requestFacts({ code: 'rate_limit_exceeded', limit: 'engine.maxWaitMs' }), 1000);
  assert.deepEqual(requests.recent(1000), { all: 8, failed: 3, refused: 3 });
  assert.deepEqual(requests.recent(1000 + windowMs), { all: 0, failed: 0, refused: 0 });
  requests.observe(requestFacts({ status: 500 }), 10 * windowMs);
  assert.deepEqual(requests.recent(10 * windowMs), { all: 1, failed: 1, refused: 0 });
});

const family = { name: 'x_seconds', type: 'histogram', help: 'h\\ \n', labels: [] } as const;

test('label values are escaped so that they read back as they were', () => {
  const printable = fc.string({ unit: fc.constantFrom('a', '"', '\\', '\n', '{', '}', ',', '=', 'ü', 'n') });
  fc.assert(
    fc.property(printable, (value) => {
      const line = new Exposition('prometheus')
        .family({ ...family, name: 'x', type: 'gauge' })
        .sample(1, { label: value })
        .text()
        .split('\n')[2]!;
      const [, written] = /^x\{label="((?:[^"\\\n]|\\[\\"n])*)"\} 1$/.exec(line)!;
      const read = written!.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
      assert.equal(read, value);
    }),
  );
});

test('a histogram is written cumulatively, in the unit of the metric', () => {
  const histogram = new Histogram();
  for (const ms of [0.5, 1, 3, 1000, 5000]) histogram.observe(ms);
  const out = new Exposition('openMetrics')
    .family(family)
    .histogram(histogram, [1, 2, 1024], 0.001, { a: 'b' });
  assert.equal(
    out.text(),
    [
      '# HELP x_seconds h\\\\ \\n',
      '# TYPE x_seconds histogram',
      'x_seconds_bucket{a="b",le="0.001"} 2',
      'x_seconds_bucket{a="b",le="0.002"} 2',
      'x_seconds_bucket{a="b",le="1.024"} 4',
      'x_seconds_bucket{a="b",le="+Inf"} 5',
      'x_seconds_sum{a="b"} 6.0045',
      'x_seconds_count{a="b"} 5',
      '# EOF\n',
    ].join('\n'),
  );
});

test('OpenMetrics is for those who ask for it', () => {
  assert.equal(formatFor(undefined), 'prometheus');
  assert.equal(formatFor('text/plain;version=0.0.4,*/*'), 'prometheus');
  assert.equal(formatFor('application/openmetrics-text; version=1.0.0,text/plain;q=0.5'), 'openMetrics');
  assert.equal(formatFor('text/plain, application/openmetrics-text;q=0'), 'prometheus');
});

test('a status that hangs or fails gives the last one, and many readers ask once', async () => {
  const clock = createManualClock();
  let asked = 0;
  let answer: () => Promise<never> = () => Promise.resolve({ state: 'ready' } as never);
  const reader = createStatusReader(() => {
    asked++;
    return answer();
  }, clock);
  const both = await Promise.all([reader.read(1000), reader.read(1000)]);
  assert.deepEqual(
    both.map(({ fresh }) => fresh),
    [true, true],
  );
  assert.equal(asked, 1);
  await clock.advance(1000);
  answer = () => Promise.reject(new Error('gone'));
  assert.deepEqual(await reader.read(1000), { status: { state: 'ready' }, fresh: false });
  answer = () => new Promise(() => {});
  const late = reader.read(1000);
  await clock.advance(1000);
  assert.equal((await late).fresh, false);
  assert.equal(asked, 3);
});

test('the facts of an answer hold no content', () => {
  const clock = createManualClock();
  const seen: AnswerFacts[] = [];
  const { watch } = watchAnswer(exchangeOf(), 'chat', 'tiny', clock, [
    { ended: (facts) => seen.push(facts) },
  ]);
  watch.event!(start);
  watch.event!({ type: 'text', choice: 0, text: 'PLANTED', logprobs: null });
  watch.event!({ type: 'tool_call', choice: 0, index: 0, id: 'call_1', name: 'PLANTED' });
  watch.event!({ type: 'tool_arguments', choice: 0, index: 0, text: 'PLANTED' });
  watch.event!({ type: 'finish', choice: 0, reason: 'stop', stop: 'PLANTED', slidTokens: 0 });
  watch.end(new KithError('x', 'PLANTED'));
  assert.ok(!JSON.stringify(seen).includes('PLANTED'));
});

/**
 * How answers end whose bytes are passed on: large last events, what follows the end, answers too large to be held, and
 * what is charged for one that did not come to its end. Server, gateway and the server behind are on real sockets.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { GatewayOptions } from '../../src/gateway/index.ts';
import { ANSWER_TEXT } from '../upstreams/answers.ts';
import { createMockUpstream, type MockUpstream } from '../upstreams/index.ts';
import { chunk, conclude, speak } from './plays.ts';
import { ask, isWhole, openGateway, until } from './support.ts';

let upstream: MockUpstream;
before(async () => {
  upstream = await createMockUpstream();
});
after(async () => {
  await upstream[Symbol.asyncDispose]();
});

const plain = { kith: undefined, max_tokens: 50 } as const;

type Usage = Parameters<NonNullable<GatewayOptions['ledger']>['record']>[0];
function noting() {
  const rows: Usage[] = [];
  const ledger = {
    record: (usage: Usage) => void rows.push(usage),
    allowance: () => null,
    left: () => null,
    budgets: () => [],
    [Symbol.asyncDispose]: async () => {},
  } as unknown as NonNullable<GatewayOptions['ledger']>;
  return { rows, ledger };
}

const citations = Array.from({ length: 400 }, (_, i) => `https://example.com/${i}/${'x'.repeat(40)}`);

test('a stream whose last events are large is complete, and its counts are kept', async () => {
  const { rows, ledger } = noting();
  await using bench = await openGateway([{ name: 'one', base: upstream.base('custom') }], { ledger });
  upstream.custom((stage) => {
    speak(stage, ['a ', 'b']);
    const choices = [{ index: 0, delta: {}, finish_reason: 'stop' }];
    stage.response.write(chunk(stage, { choices, citations }));
    const usage = { prompt_tokens: 7, completion_tokens: 2 };
    stage.response.end(`${chunk(stage, { choices: [], usage, citations })}data: [DONE]\n\n`);
  });
  for (let i = 0; i < 6; i++) {
    const answer = await ask(bench.url, { form: 'stream', body: plain });
    isWhole(answer, 'a b');
    assert.equal(answer.finish, 'stop');
    assert.equal(answer.headers['x-kith-model'], 'm');
  }
  assert.equal(bench.of('one').breaker.state, 'closed');
  assert.deepEqual(
    rows.map(({ promptTokens, completionTokens, outcome }) => [promptTokens, completionTokens, outcome]),
    Array.from({ length: 6 }, () => [7, 2, 'answered']),
  );
});

test('what follows the end of a stream is not passed on, and counts that nobody can have counted are unknown', async () => {
  const { rows, ledger } = noting();
  await using bench = await openGateway([{ name: 'one', base: upstream.base('custom') }], { ledger });
  upstream.custom((stage) => {
    speak(stage, ['a']);
    const choices = [{ index: 0, delta: {}, finish_reason: 'stop' }];
    const usage = { prompt_tokens: -7, completion_tokens: 1e15 };
    const late = chunk(stage, { choices: [{ index: 0, delta: { content: 'late' }, finish_reason: null }] });
    stage.response.end(`${chunk(stage, { choices, usage })}data: [DONE]\n\n${late}`);
  });
  const answer = await ask(bench.url, { form: 'stream', body: plain });
  isWhole(answer, 'a');
  assert.deepEqual([rows[0]!.promptTokens, rows[0]!.completionTokens], [null, null]);
});

test('a connection that breaks after the finish breaks nothing', async () => {
  await using bench = await openGateway([{ name: 'one', base: upstream.base('custom') }]);
  upstream.custom((stage) => {
    speak(stage, ['a']);
    stage.response.write(chunk(stage, { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }), () =>
      stage.response.destroy(),
    );
  });
  isWhole(await ask(bench.url, { form: 'stream', body: plain }), 'a');
  assert.equal(bench.of('one').errorRate, 0);
});

test('a whole answer that is too large to be held is asked for as a stream', async () => {
  await using bench = await openGateway([{ name: 'one', base: upstream.base('custom') }]);
  for (const announced of [true, false]) {
    let gone: Promise<unknown> | null = null;
    upstream.custom((stage) => {
      if (stage.entry.body?.stream === true) return stage.ok();
      gone = stage.entry.gone;
      const length = announced ? { 'content-length': 64 * 2 ** 20 } : {};
      stage.response.writeHead(200, { 'content-type': 'application/json', ...length });
      stage.response.write(`{"choices":[{"message":{"content":"${'x'.repeat(announced ? 10 : 2 ** 20)}`);
    });
    isWhole(await ask(bench.url, { body: plain }), ANSWER_TEXT);
    await gone;
  }
});

test('an answer that is left, or breaks off, costs what came of it', async () => {
  const { rows, ledger } = noting();
  const price = { prompt: 1_000_000, completion: 1_000_000 };
  await using bench = await openGateway(
    [{ name: 'one', base: upstream.base('custom'), outside: true, price }],
    { ledger, retries: 0 },
  );
  const words = ['some ', 'more ', 'words ', 'last'];
  upstream.custom((stage) => speak(stage, words));
  await ask(bench.url, {
    form: 'stream',
    body: plain,
    headers: { 'x-kith-privacy': 'minimum' },
    onText: (text, request) => void (text.includes('last') && request.destroy()),
  });
  await until(() => rows.length === 1);
  upstream.custom((stage) => {
    speak(stage, words);
    stage.response.write('', () => stage.response.destroy());
  });
  await ask(bench.url, { form: 'stream', body: plain, headers: { 'x-kith-privacy': 'minimum' } });
  upstream.custom((stage) => {
    speak(stage, words);
    conclude(stage);
  });
  await ask(bench.url, { form: 'stream', body: plain, headers: { 'x-kith-privacy': 'minimum' } });
  assert.deepEqual(
    rows.map(({ outcome }) => outcome),
    ['left', 'failed', 'answered'],
  );
  // About the question and four words; the last was counted: 7 and 4.
  for (const { cost } of rows.slice(0, 2)) assert.ok(cost !== null && cost >= 8 && cost <= 30, String(cost));
  assert.equal(rows[2]!.cost, 11);
});

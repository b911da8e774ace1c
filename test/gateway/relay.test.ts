/**
 * Requests whose bytes are passed on as they are: what goes in and comes out, every fault of the servers behind, clients
 * that leave, and the account that is kept. Server, gateway, backends and faults are on real sockets.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { KithError } from '../../src/base/index.ts';
import type { GatewayOptions, Terms } from '../../src/gateway/index.ts';
import { ANSWER_TEXT, USAGE, WORDS, word } from '../upstreams/answers.ts';
import { FAULTS } from '../upstreams/faults.ts';
import { createMockUpstream, type FaultName, type MockUpstream } from '../upstreams/index.ts';
import { goesOn, speak } from './plays.ts';
import { ask, FORMS, type Form, isWhole, openGateway, type Place, refusing, until } from './support.ts';

const WORD_LIST = Array.from({ length: WORDS }, (_, index) => word(index));
let failing: MockUpstream;
let good: MockUpstream;

before(async () => {
  failing = await createMockUpstream();
  good = await createMockUpstream();
});
after(async () => {
  await failing[Symbol.asyncDispose]();
  await good[Symbol.asyncDispose]();
});

/** A body that is passed on: no receipt in it, few tokens, and of a stream its counts. */
const plain = { kith: undefined, max_tokens: 50 } as const;
const fallback = (): Place => ({ name: 'fallback', base: good.base('ok') });
/** The body as the server got it. Those of the ordinary way are always streams with options of ours. */
const last = (upstream: MockUpstream) => upstream.seen.at(-1)!.body!;

type Usage = Parameters<NonNullable<GatewayOptions['ledger']>['record']>[0];

/** Notes what is recorded. */
function noting(spent = false) {
  const rows: Usage[] = [];
  const ledger = {
    record: (usage: Usage) => void rows.push(usage),
    allowance() {
      if (spent) throw new KithError('budget_exceeded', 'The budget is spent.', { status: 429 });
      return null;
    },
    left: () => null,
    budgets: () => [],
    [Symbol.asyncDispose]: async () => {},
  } as unknown as NonNullable<GatewayOptions['ledger']>;
  return { rows, ledger };
}

for (const form of FORMS) {
  test(`a plain request goes out as it came, but for its model, and its answer comes back as it is (${form})`, async () => {
    const { rows, ledger } = noting();
    await using bench = await openGateway([{ name: 'one', base: good.base('ok') }], { ledger });
    const odd = 'é\u2028 "\\" \ud83d\ude00';
    const answer = await ask(bench.url, {
      form,
      prompt: odd,
      body: { ...plain, temperature: 0.25, top_p: 1.0 },
    });
    isWhole(answer, ANSWER_TEXT);
    const sent = last(good);
    assert.deepEqual(sent, {
      model: 'one-model',
      messages: [{ role: 'user', content: odd }],
      ...(form === 'stream' ? { stream: true, stream_options: { include_usage: true } } : {}),
      temperature: 0.25,
      top_p: 1,
      max_tokens: 50,
    });
    // The model is the server's own word: the ordinary way would have written its own.
    assert.equal(answer.model, 'one-model');
    assert.equal(answer.headers['x-kith-backend'], 'one');
    assert.equal(answer.headers['x-kith-model'], 'm');
    assert.equal(answer.headers['x-kith-attempts'], '1');
    assert.match(String(answer.headers['x-request-id']), /^req-/);
    assert.deepEqual(rows, [
      {
        tenant: 'local',
        agent: null,
        backend: 'one',
        model: 'm',
        promptTokens: USAGE.prompt,
        cachedTokens: USAGE.cached,
        completionTokens: USAGE.completion,
        cost: null,
        outcome: 'answered',
      },
    ]);
    assert.equal(bench.inFlight, 0);
    assert.equal(bench.of('one').errorRate, 0);
  });
}

test('what needs more than passing on is asked in the ordinary way', async () => {
  await using bench = await openGateway([{ name: 'one', base: good.base('ok') }]);
  const ordinary = async (form: Form, body: object, headers: Record<string, string> = {}) => {
    const answer = await ask(bench.url, { form, body: { ...plain, ...body }, headers });
    isWhole(answer, ANSWER_TEXT);
    const { stream, stream_options } = last(good);
    assert.deepEqual([stream, stream_options], [true, { include_usage: true }], JSON.stringify(body));
    assert.equal(answer.headers['x-kith-model'], 'one-model');
  };
  await ordinary('JSON', { max_tokens: undefined });
  await ordinary('JSON', { max_tokens: 10_000 });
  await ordinary('JSON', { model: 'default' });
  await ordinary('JSON', { kith: { timeout_ms: 10_000 } });
  await ordinary('JSON', { user: 'somebody' });
  await ordinary('JSON', { unheard_of: 1 });
  await ordinary('JSON', {}, { 'x-kith-redundancy': '2' });
  await ordinary('stream', { user: 'somebody' });
});

test('a request whose personal data has to be replaced is never passed on as it is', async () => {
  const provider = { kind: 'provider', link: 'encrypted' } as const;
  const { createGateway, createOpenAiBackend } = await import('../../src/gateway/index.ts');
  const { createSeededRandom, silentLogger, systemClock } = await import('../../src/base/index.ts');
  const backend = createOpenAiBackend({
    name: 'far',
    baseUrl: good.base('ok'),
    models: [{ id: 'm' }],
    clock: systemClock,
    random: createSeededRandom(1),
  });
  await using gateway = createGateway({
    providers: [{ backend, destination: provider, step: 'remote' }],
    clock: systemClock,
    random: createSeededRandom(1),
    log: silentLogger,
    probeMs: 0,
  });
  const { OWN_TERMS, scanChat } = await import('../../src/gateway/index.ts');
  const body = Buffer.from(
    JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'anna@example.com' }], max_tokens: 9 }),
  );
  const shape = scanChat(body, 32)!;
  const relay = (privacy: Terms['privacy']) =>
    gateway.relay({ body, shape, terms: { ...OWN_TERMS, privacy } });
  assert.notEqual(relay(null), null);
  assert.notEqual(relay('minimum'), null);
  assert.equal(relay('medium'), null);
  assert.equal(relay('maximum'), null);
  await backend[Symbol.asyncDispose]();
});

/** Those that are another thing the second time, and one whose lines end in a form that the document's do not have. */
const other = new Set(['slow-first-token', 'fails-once', 'flaps', 'stale-connection', 'crlf-bom-pings']);
const names = (Object.keys(FAULTS) as FaultName[]).filter((name) => !other.has(name));

/** Nothing comes, or nothing that counts: only a short limit ends these soon. */
const silent = /^never-answers$|nothing|stall|pings/;
const short = { firstTokenMs: 150, interTokenMs: 150, totalMs: 2_000 };

for (const form of FORMS) {
  test(`no fault of a server is taken for an answer, and none hangs (${form})`, async () => {
    const both = async (name: FaultName) => {
      const limits = silent.test(name) ? short : name.startsWith('endless') ? { totalMs: 2_000 } : {};
      await using bench = await openGateway([{ name: 'primary', base: failing.base(name), limits }], {
        retries: 0,
      });
      // The ordinary way reads the same answer with all that it knows.
      const [passed, ordinary] = await Promise.all([
        ask(bench.url, { form, body: { ...plain, max_tokens: 1 } }),
        ask(bench.url, { form, body: { max_tokens: 1 } }),
      ]);
      const isAnswer = ({ ended, error }: typeof passed) => ended && error === null;
      const ends = `${name}: passed ${passed.status} ${passed.error?.code}, ordinary ${ordinary.status} ${ordinary.error?.code}`;
      assert.equal(isAnswer(passed), isAnswer(ordinary), ends);
      if (isAnswer(passed)) assert.equal(passed.text, ordinary.text, ends);
      else assert.ok(passed.error !== null && (passed.status === 200 || passed.status >= 400), ends);
      assert.equal(bench.inFlight, 0, ends);
    };
    const left = [...names];
    const worker = async () => {
      for (let name = left.pop(); name !== undefined; name = left.pop()) await both(name);
    };
    await Promise.all(Array.from({ length: 8 }, worker));
  });

  test(`a fault before the first piece costs the client nothing where another server has the model (${form})`, async () => {
    for (const name of [
      ...([
        'error-500',
        'error-429',
        'html-502',
        'reset',
        'empty-body',
        'error-first-frame',
        'never-answers',
      ] as const),
      'refused' as const,
    ]) {
      const base = name === 'refused' ? await refusing() : failing.base(name);
      const limits = silent.test(name) ? { firstTokenMs: 150 } : {};
      await using bench = await openGateway([{ name: 'primary', base, limits }, fallback()], { retries: 0 });
      const answer = await ask(bench.url, { form, body: { ...plain, max_tokens: 1, temperature: 1 } });
      isWhole(answer, ANSWER_TEXT);
      assert.equal(answer.headers['x-kith-backend'], 'fallback', name);
      assert.equal(bench.inFlight, 0);
    }
  });
}

test('a stream that breaks off ends with an error and without its usual end, and is held against the server', async () => {
  const { rows, ledger } = noting();
  await using bench = await openGateway([{ name: 'primary', base: failing.base('cut-after-tokens') }], {
    ledger,
    retries: 0,
  });
  const answer = await ask(bench.url, { form: 'stream', body: plain });
  assert.equal(answer.error?.code, 'upstream_cut');
  assert.ok(!answer.ended && answer.text.startsWith('word0 '));
  assert.ok(bench.of('primary').errorRate > 0);
  assert.deepEqual(
    rows.map(({ outcome, promptTokens }) => [outcome, promptTokens]),
    [['failed', null]],
  );
});

test('a stream that could be gone on with, or said again, elsewhere is not passed on as it is', async () => {
  failing.custom((stage) => speak(stage, WORD_LIST.slice(0, 3)));
  good.custom(goesOn(WORD_LIST));
  const limits = { interTokenMs: 150 };
  const primary: Place = { name: 'primary', base: failing.base('cut-after-tokens'), limits };
  const continues: Place = { name: 'fallback', base: good.base('custom'), continues: true };
  for (const [second, temperature] of [
    [continues, 1],
    [fallback(), 0],
  ] as const) {
    await using bench = await openGateway([primary, second], { retries: 0 });
    isWhole(await ask(bench.url, { form: 'stream', body: { ...plain, temperature } }), ANSWER_TEXT);
  }
});

for (const form of FORMS) {
  test(`a client that leaves takes its request along, and no breaker minds (${form})`, async () => {
    const { rows, ledger } = noting();
    failing.custom(form === 'JSON' ? () => {} : (stage) => speak(stage, WORD_LIST.slice(0, 2)));
    await using bench = await openGateway([{ name: 'primary', base: failing.base('custom') }], { ledger });
    for (let i = 1; i <= 7; i++) {
      const count = failing.count('custom');
      await ask(bench.url, {
        form,
        body: plain,
        ...(form === 'JSON'
          ? {
              onSent: (request) =>
                void until(() => failing.count('custom') > count).then(() => request.destroy()),
            }
          : { onText: (text, request) => void (text.includes('word1') && request.destroy()) }),
      });
      await failing.seen.at(-1)!.gone;
      await until(() => bench.inFlight === 0 && rows.length === i);
    }
    assert.ok(rows.every(({ outcome }) => outcome === 'left'));
    assert.equal(bench.of('primary').breaker.state, 'closed');
    assert.equal(bench.of('primary').errorRate, 0);
  });
}

test('an open breaker and a spent budget keep a request from being passed on', async () => {
  await using bench = await openGateway([{ name: 'primary', base: failing.base('error-500') }], {
    retries: 0,
    breaker: { failures: 2 },
  });
  for (let i = 0; i < 3; i++) await ask(bench.url, { body: plain });
  assert.equal(bench.of('primary').breaker.state, 'open');
  const before = failing.count('error-500');
  const answer = await ask(bench.url, { body: plain });
  assert.equal(answer.error?.code, 'backends_unavailable');
  assert.equal(failing.count('error-500'), before);

  const { ledger } = noting(true);
  await using poor = await openGateway([{ name: 'one', base: good.base('ok') }], { ledger });
  const refused = await ask(poor.url, { body: plain });
  assert.equal(refused.error?.code, 'budget_exceeded');
});

test('a model name that needs quoting is quoted, and text that looks like one is left alone', async () => {
  const model = 'a "quoted" \\ name';
  await using bench = await openGateway([{ name: 'one', base: good.base('ok'), model }]);
  const answer = await ask(bench.url, { prompt: '"model":"m"', body: plain });
  isWhole(answer, ANSWER_TEXT);
  assert.equal(last(good).model, model);
  assert.deepEqual(last(good).messages, [{ role: 'user', content: '"model":"m"' }]);
});

test('a client that reads slowly makes the server wait, and gets every byte', async () => {
  const count = 3000;
  const filler = 'x'.repeat(2000);
  good.custom((stage) => {
    speak(
      stage,
      Array.from({ length: count }, (_, i) => `${i}${filler} `),
    );
    stage.response.end(
      `data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })}\n\ndata: [DONE]\n\n`,
    );
  });
  await using bench = await openGateway([{ name: 'one', base: good.base('custom') }]);
  const answer = await ask(bench.url, { form: 'stream', body: plain });
  assert.equal(answer.error, null);
  assert.ok(answer.ended);
  assert.equal(answer.text.length, Array.from({ length: count }, (_, i) => `${i}${filler} `).join('').length);
});

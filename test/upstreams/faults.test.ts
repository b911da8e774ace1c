/**
 * Every way in which a server can fail, against every backend: a typed error or the whole answer, nothing in between.
 *
 * @module test/upstreams/faults.test
 */
import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import type { Backend } from '../../src/gateway/types.ts';
import { type FailureClass, UpstreamError, type UpstreamLimits } from '../../src/gateway/upstream/index.ts';
import { ANSWER_TEXT, USAGE, word } from './answers.ts';
import { BEFORE, SLOW_MS } from './faults.ts';
import { createMockUpstream, FAULTS, type FaultName, type MockUpstream } from './index.ts';
import {
  API_KEY,
  anthropic,
  chatRequest,
  completionRequest,
  embeddingRequest,
  LIMITS,
  limitsFor,
  openAi,
  outcomeOf,
} from './support.ts';

let mock: MockUpstream;
before(async () => {
  mock = await createMockUpstream();
});
after(() => mock[Symbol.asyncDispose]());

/** What each fault has to become: a class of failure, or `answer`. */
const STREAMED: Readonly<Record<FaultName, FailureClass | 'answer'>> = {
  'never-answers': 'timeout_headers',
  'headers-then-nothing': 'timeout_first_token',
  'json-headers-then-nothing': 'timeout_inter_token',
  'error-500': 'server_error',
  'error-503': 'server_error',
  'error-529': 'server_error',
  'error-429': 'rate_limited',
  'error-429-in-body': 'rate_limited',
  'error-401': 'auth',
  'context-length': 'context_length',
  'content-filter': 'content_filter',
  'html-502': 'server_error',
  'html-200': 'bad_response',
  'wrong-content-type': 'bad_response',
  'sse-as-json': 'bad_response',
  'json-as-sse': 'cut',
  'truncated-json': 'bad_response',
  'short-body': 'cut',
  'error-in-200': 'server_error',
  'error-first-frame': 'server_error',
  'error-after-tokens': 'server_error',
  'empty-body': 'bad_response',
  'empty-json': 'bad_response',
  'cut-after-tokens': 'cut',
  'reset-after-tokens': 'cut',
  'ends-after-tokens': 'cut',
  'ends-inside-line': 'cut',
  'stall-after-tokens': 'timeout_inter_token',
  'pings-after-tokens': 'timeout_inter_token',
  'pings-without-tokens': 'timeout_first_token',
  'malformed-frame': 'bad_response',
  'malformed-http': 'cut',
  'not-http': 'bad_response',
  'garbage-stream': 'bad_response',
  'invalid-utf8': 'bad_response',
  reset: 'connect_failed',
  'closes-without-answer': 'connect_failed',
  redirect: 'bad_response',
  'no-content': 'bad_response',
  'gzip-bomb': 'bad_response',
  'endless-tokens': 'bad_response',
  'endless-line': 'bad_response',
  'endless-json': 'bad_response',
  'no-done': 'answer',
  'no-usage': 'answer',
  'crlf-bom-pings': 'answer',
  'never-ends': 'answer',
  'whole-json': 'answer',
  'stale-connection': 'answer',
  'fails-once': 'server_error',
  flaps: 'server_error',
  'refuses-prefill': 'answer',
  'slow-first-token': 'answer',
};

/** Faults of streams mean something else where one JSON value is asked for. */
const JSON_INSTEAD: Partial<Record<FaultName, FailureClass>> = {
  'never-ends': 'timeout_headers',
};

const BACKENDS = {
  'OpenAI chat': (base: string, limits: Partial<UpstreamLimits> = {}) =>
    streamed(openAi(base, {}, limits), (backend) => backend.chat(chatRequest())),
  'OpenAI completions': (base: string, limits: Partial<UpstreamLimits> = {}) =>
    streamed(openAi(base, {}, limits), (backend) => backend.complete(completionRequest())),
  'Anthropic messages': (base: string, limits: Partial<UpstreamLimits> = {}) =>
    streamed(anthropic(base, limits), (backend) => backend.chat(chatRequest())),
};

async function streamed(
  backend: Backend & AsyncDisposable,
  ask: (backend: Backend) => ReturnType<Backend['chat']>,
) {
  await using own = backend;
  // Awaited here: the backend is closed when this ends.
  return await outcomeOf(ask(own));
}

function checkError(error: unknown, failure: FailureClass): asserts error is UpstreamError {
  assert.ok(error instanceof UpstreamError, `${error instanceof Error ? error.stack : error}`);
  assert.equal(error.failure, failure, error.message);
  assert.ok(error.status >= 400 && error.code !== '' && error.message.includes(mock.url), error.message);
  assert.ok(!`${error.message}${JSON.stringify(error.details)}${error.stack}`.includes(API_KEY));
}

for (const [name, ask] of Object.entries(BACKENDS)) {
  test(`${name}: each fault is a typed error after whole tokens, or the answer`, async () => {
    const faults = Object.keys(FAULTS) as FaultName[];
    const run = async (fault: FaultName) => {
      const { events, text, usage, error } = await ask(mock.base(fault), limitsFor(STREAMED[fault]));
      const expected = STREAMED[fault];
      if (expected === 'answer') {
        assert.equal(error, null, `${fault}: ${error instanceof Error ? error.stack : error}`);
        assert.equal(text, ANSWER_TEXT, fault);
        assert.equal(events.at(-1)!.type, 'usage', fault);
        const counts = [usage!.promptTokens, usage!.cachedTokens, usage!.completionTokens];
        const known = fault !== 'no-usage' || name === 'Anthropic messages';
        assert.deepEqual(
          counts,
          known ? [USAGE.prompt, USAGE.cached, USAGE.completion] : [null, null, null],
          fault,
        );
        return;
      }
      checkError(error, expected);
      assert.equal(usage, null, fault);
      assert.ok(!events.some((event) => event.type === 'finish'), `${fault} has a finish`);
      if (/-after-tokens$|inside-line|malformed/.test(fault))
        assert.equal(text, Array.from({ length: BEFORE }, (_, index) => word(index)).join(''), fault);
    };
    // Side by side, as most of them wait; those that flood come one by one.
    const floods = faults.filter((fault) => fault.startsWith('endless'));
    await Promise.all(faults.filter((fault) => !floods.includes(fault)).map(run));
    for (const fault of floods) await run(fault);
  });
}

test('embeddings, model lists and probes end within their limits too', async () => {
  const faults = (Object.keys(FAULTS) as FaultName[]).filter((fault) => STREAMED[fault] !== 'answer');
  await Promise.all(
    faults.map(async (fault) => {
      const waits = ['never-answers', 'json-headers-then-nothing'].includes(fault);
      await using backend = openAi(mock.base(fault), {}, waits ? { headersMs: 150, interTokenMs: 150 } : {});
      const failure = await backend.embed(embeddingRequest()).then(
        () => null,
        (error: unknown) => error,
      );
      assert.ok(failure instanceof UpstreamError, `${fault}: ${failure}`);
      const health = await backend.health();
      const alive = health.status === 'ok';
      assert.equal(health.answers, alive, fault);
      assert.ok(alive || (health.message?.includes(mock.url) && health.latencyMs === null), fault);
      assert.ok(!alive, `${fault} passes for healthy`);
      // These two answer the next request.
      if (fault === 'fails-once' || fault === 'flaps') return;
      assert.deepEqual(await backend.models(), [], fault);
      assert.equal(await backend.has('mock-model'), false, fault);
    }),
  );
  for (const [fault, failure] of Object.entries(JSON_INSTEAD) as [FaultName, FailureClass][]) {
    await using backend = openAi(mock.base(fault), {}, limitsFor(failure));
    await assert.rejects(backend.embed(embeddingRequest()), (error) => {
      checkError(error, failure);
      return true;
    });
  }
});

test('a server that is not there is a failed connection', async () => {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  for (const make of [openAi, anthropic]) {
    await using backend = make(`http://127.0.0.1:${port}/v1`);
    const { error } = await outcomeOf(backend.chat(chatRequest()));
    assert.ok(error instanceof UpstreamError);
    assert.deepEqual([error.failure, error.code], ['connect_failed', 'upstream_connect_failed']);
  }
  await using named = openAi('http://no-such-host.invalid/v1');
  const { error } = await outcomeOf(named.chat(chatRequest()));
  assert.ok(error instanceof UpstreamError && error.failure === 'connect_failed');
});

test('when to come back is told with the error', async () => {
  const retryAfter = async (fault: FaultName) => {
    const { error } = await BACKENDS['OpenAI chat'](mock.base(fault));
    return error instanceof UpstreamError ? error.retryAfterMs : error;
  };
  assert.equal(await retryAfter('error-429'), 7000);
  assert.equal(await retryAfter('error-429-in-body'), 34_500);
  assert.equal(await retryAfter('error-503'), 250);
  assert.equal(await retryAfter('error-500'), null);
});

test('a first token that comes too late is told from one that comes late', async () => {
  const base = mock.base('slow-first-token');
  const late = await BACKENDS['OpenAI chat'](base, { firstTokenMs: SLOW_MS / 4 });
  checkError(late.error, 'timeout_first_token');
  const { error, text } = await BACKENDS['OpenAI chat'](base);
  assert.deepEqual([error, text], [null, ANSWER_TEXT]);
});

test('a server that refuses the beginning of an answer is a bad request, not a broken server', async () => {
  await using backend = anthropic(mock.base('refuses-prefill'));
  const { error } = await outcomeOf(backend.chat(chatRequest({ prefill: 'Once' })));
  checkError(error, 'bad_request');
});

test('a redirect is not followed and only its host is named', async () => {
  const { error } = await BACKENDS['OpenAI chat'](mock.base('redirect'));
  checkError(error, 'bad_response');
  assert.equal(error.code, 'upstream_redirect');
  assert.equal(error.details.host, '169.254.169.254');
  assert.doesNotMatch(error.message, /meta-data|token=/);
});

test('the limit of a whole answer holds while tokens keep coming', async () => {
  mock.custom(async ({ response, answer }) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const timer = setInterval(() => response.write(answer.token(0)), 5);
    response.on('close', () => clearInterval(timer));
  });
  await using backend = openAi(`${mock.url}/custom/v1`);
  const { error, text } = await outcomeOf(backend.chat(chatRequest({ timeoutMs: 150 })));
  checkError(error, 'timeout_total');
  assert.match(text, /^(word0 )+$/);
});

test('a reader that takes its time does not make a server late', async () => {
  await using backend = openAi(mock.base('ok'), {}, { interTokenMs: 40 });
  let text = '';
  for await (const event of backend.chat(chatRequest())) {
    if (event.type !== 'text') continue;
    if (text === '') await new Promise((resolve) => setTimeout(resolve, 200));
    text += event.text;
  }
  assert.equal(text, ANSWER_TEXT);
});

test('endless answers are given up early and cost little memory', async () => {
  for (const fault of ['endless-tokens', 'endless-line', 'endless-json'] as const) {
    const bytesBefore = mock.seen.filter((each) => each.fault === fault).length;
    await using backend = openAi(mock.base(fault));
    const { error } = await outcomeOf(backend.chat(chatRequest()));
    checkError(error, 'bad_response');
    const seen = mock.seen.filter((each) => each.fault === fault)[bytesBefore]!;
    await seen.gone;
    // What the limit allows, and what sockets and their buffers hold on the way.
    assert.ok(
      seen.bytes < LIMITS.maxResponseBytes + 32 * 2 ** 20,
      `${fault}: ${seen.bytes} bytes were written`,
    );
  }
});

test('a reader that stops makes the server wait instead of filling memory', async () => {
  await using backend = openAi(
    mock.base('endless-tokens'),
    {},
    {
      maxResponseBytes: 2 ** 30,
      maxEvents: 1e8,
      interTokenMs: null,
    },
  );
  const nth = mock.seen.length;
  const answer = backend.chat(chatRequest())[Symbol.asyncIterator]();
  for (let events = 0; events < 3; events++) await answer.next();
  const seen = mock.seen[nth]!;
  // Written bytes stand still once every buffer on the way is full.
  for (let last = -1; seen.bytes !== last; ) {
    last = seen.bytes;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.ok(seen.bytes < 64 * 2 ** 20, `${seen.bytes} bytes were written`);
  await answer.return?.();
  await seen.gone;
});

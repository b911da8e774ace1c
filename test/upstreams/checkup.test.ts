/**
 * The check-up of a backend against servers on real sockets: each planted fault is found, named, and has a remedy.
 *
 * @module test/upstreams/checkup.test
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createSeededRandom, systemClock } from '../../src/base/index.ts';
import {
  CHECKS,
  type CheckName,
  type CheckResult,
  type CheckupOptions,
  checkBackend,
} from '../../src/gateway/checkup/index.ts';
import type { Backend } from '../../src/gateway/types.ts';
import { jsonAnswer, USAGE, WORDS } from './answers.ts';
import { FAULTS, type FaultName, type Play } from './faults.ts';
import { createMockUpstream, type MockUpstream } from './index.ts';
import { API_KEY, openAi } from './support.ts';

let mock: MockUpstream;
before(async () => {
  mock = await createMockUpstream();
});
after(() => mock[Symbol.asyncDispose]());

type Results = Readonly<Partial<Record<CheckName, CheckResult>>>;

const hang: Play = FAULTS['never-answers'];

/** Time enough for a check on any machine; the faults that hang get less. */
const general = { clock: systemClock, random: createSeededRandom(1), checkMs: 20_000 };

async function resultsOf(backend: Backend, options: Partial<CheckupOptions> = {}): Promise<Results> {
  const results: Partial<Record<CheckName, CheckResult>> = {};
  for await (const result of checkBackend(backend, { ...general, ...options })) {
    assert.equal(results[result.name], undefined, `${result.name} twice`);
    assert.doesNotMatch(JSON.stringify(result), new RegExp(API_KEY));
    if (result.state === 'fail' || (result.state === 'warn' && result.name !== 'models'))
      assert.ok((result.remedy ?? '').length > 10, `${result.name} has no remedy: ${result.message}`);
    results[result.name] = result;
  }
  return results;
}

async function checkAt(baseUrl: string, options: Partial<CheckupOptions> = {}): Promise<Results> {
  await using backend = openAi(baseUrl);
  return await resultsOf(backend, {
    address: { baseUrl, headers: { authorization: `Bearer ${API_KEY}` } },
    credentials: true,
    model: 'mock-model',
    models: ['mock-model', 'mock-embed'],
    embeddingModel: 'mock-embed',
    ...options,
  });
}

/** A server that lists its models, and answers the rest with `play`. */
function customAt(play: Play, options: Partial<CheckupOptions> = {}): Promise<Results> {
  mock.custom((stage) => (stage.entry.path.endsWith('/models') ? stage.ok() : play(stage)));
  return checkAt(`${mock.url}/custom/v1`, options);
}

/** A server that does what is asked of it: schemas, tools, refusals, one token at a time. */
const able: Play = async (stage) => {
  const { entry, response, answer } = stage;
  const { body } = entry;
  if (typeof body?.model === 'string' && !body.model.startsWith('mock-'))
    return jsonAnswer(
      response,
      {
        error: {
          message: `The model '${body.model}' does not exist.`,
          type: 'invalid_request_error',
          code: 'model_not_found',
        },
      },
      404,
    );
  if (entry.path.endsWith('/embeddings')) {
    const vectors = [
      [1, 0, 0],
      [0.9, 0.1, 0],
      [0, 1, 0],
    ];
    const data = (body!.input as unknown[]).map((_, index) => ({ index, embedding: vectors[index] }));
    return jsonAnswer(response, { data, usage: { prompt_tokens: 9, total_tokens: 9 } });
  }
  const said = body?.response_format === undefined ? null : JSON.stringify({ colour: 'red', warm: true });
  const call = body?.tools === undefined ? null : { name: 'weather', arguments: '{"city":"Oslo"}' };
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const chunk = (delta: object, finish_reason: string | null = null) =>
    response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason }] })}\n\n`);
  if (call !== null) chunk({ tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: call }] });
  else if (said !== null) chunk({ content: said });
  else {
    for (let index = 0; index < WORDS && !response.destroyed; index++) {
      response.write(answer.token(index));
      // Each token by itself, as a model writes.
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
  chunk({}, call === null ? 'stop' : 'tool_calls');
  response.write(
    `data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: USAGE.prompt, completion_tokens: USAGE.completion } })}\n\n`,
  );
  response.end('data: [DONE]\n\n');
};

test('a server that does as it should passes every check, at a stated cost', async () => {
  const results = await customAt(able);
  for (const name of CHECKS) {
    const { state, message } = results[name]!;
    // A busy machine may take more than 50 ms to leave.
    assert.ok(state === 'ok' || (name === 'abort' && state === 'warn'), `${name}: ${message}`);
  }
  const each = USAGE.prompt + USAGE.completion;
  assert.deepEqual(
    CHECKS.map((name) => results[name]!.tokens),
    // An answer that was left did not say what it cost.
    [0, each, 0, 0, 3 * each, each, each, each, 9, null, null, null],
  );
  assert.deepEqual(
    CHECKS.map((name) => results[name]!.requests),
    [1, 1, 0, 0, 3, 1, 1, 1, 1, 1, 1, 1],
  );
  const { connection, models, latency, streaming, embeddings, short_timeout, abort } = results;
  assert.equal(connection!.measured.status, 200);
  assert.deepEqual(models!.measured, { listed: 2, configured: 2 });
  assert.equal(latency!.measured.answered, 3);
  assert.ok((latency!.measured.firstTokenMs as number) <= (latency!.measured.wholeMs as number));
  assert.ok((streaming!.measured.pieces as number) === WORDS && streaming!.measured.ending === 'marked');
  assert.deepEqual([embeddings!.measured.dimension, embeddings!.measured.norm], [3, 1]);
  assert.equal(short_timeout!.code, 'first_token_timeout');
  assert.equal(short_timeout!.measured.busyAfter, 0);
  assert.equal(abort!.measured.ended, 'left');
});

test('what a server was left with is closed there too', async () => {
  const from = mock.seen.length;
  await customAt(able, { checks: ['credentials', 'short_timeout', 'abort'] });
  const asked = mock.seen.slice(from).filter(({ path }) => path.endsWith('/chat/completions'));
  // The first was answered; the others see their client go. The one with 1 ms may never have been sent.
  assert.ok(asked.length >= 2);
  await Promise.all(asked.slice(1).map(({ gone }) => gone));
});

test('no connection: refused, unknown name, silence, another protocol', async () => {
  const { port } = await closedPort();
  const refused = await checkAt(`http://127.0.0.1:${port}/v1`);
  assert.deepEqual([refused.connection!.state, refused.connection!.code], ['fail', 'ECONNREFUSED']);
  assert.match(refused.connection!.message, /Nothing listens at 127\.0\.0\.1:/);
  for (const name of CHECKS.slice(1)) {
    assert.equal(refused[name]!.state, 'skipped', name);
    assert.equal(refused[name]!.requests, 0);
  }
  const unknown = await checkAt('http://no-such-host.invalid/v1');
  assert.equal(unknown.connection!.state, 'fail');
  assert.match(unknown.connection!.message, /no-such-host\.invalid cannot be resolved/);
  const silent = await checkAt(mock.base('never-answers'), { checkMs: 300 });
  assert.deepEqual([silent.connection!.state, silent.connection!.code], ['fail', 'TIMEOUT']);
  assert.match(silent.connection!.message, /accepts connections but did not answer/);
  const other = await checkAt(mock.base('not-http'));
  assert.equal(other.connection!.state, 'fail');
  assert.match(other.connection!.message, /does not speak HTTP/);
  const closed = await checkAt(mock.base('closes-without-answer'));
  assert.match(closed.connection!.message, /closes connections without an answer/);
});

const certificates = join(import.meta.dirname, '..', 'security', 'certificates');
const pem = (name: string) => readFileSync(join(certificates, name), 'utf8');

test('TLS: an unknown authority, another name, plain HTTP, and a good one', async () => {
  await using secure = await createMockUpstream({ cert: pem('first.pem'), key: pem('first-key.pem') });
  const baseUrl = secure.base('ok');
  const untrusted = await checkAt(baseUrl);
  assert.equal(untrusted.connection!.state, 'fail');
  assert.match(untrusted.connection!.message, /signed by nobody whom this machine trusts/);
  const named = await checkAt(baseUrl, {
    address: { baseUrl, tls: { ca: pem('first.pem'), servername: 'elsewhere.example' } },
  });
  assert.match(named.connection!.message, /is for another name/);
  const plain = `${mock.url.replace('http:', 'https:')}/ok/v1`;
  const wrong = await checkAt(plain);
  assert.match(wrong.connection!.message, /does not speak TLS/);
  assert.match(wrong.connection!.remedy!, /http:\/\//);
  const inClear = await checkAt(baseUrl.replace('https:', 'http:'));
  assert.equal(inClear.connection!.state, 'fail');
  assert.match(inClear.connection!.remedy!, /https:\/\//);
  await using backend = openAi(baseUrl, { tls: { ca: pem('first.pem') } });
  const good = await resultsOf(backend, {
    address: { baseUrl, tls: { ca: pem('first.pem') } },
    model: 'mock-model',
    checks: ['completion'],
  });
  assert.equal(good.connection!.state, 'ok');
  assert.equal(good.connection!.measured.tls, 'TLSv1.3');
  assert.ok((good.connection!.measured.certificateDays as number) > 1000);
  assert.equal(good.completion!.state, 'ok');
});

test('what answers is no API: a web page, a redirect, a proxy before a dead server', async () => {
  const page = await checkAt(mock.base('html-200'));
  assert.match(page.connection!.message, /A web page answers/);
  const moved = await checkAt(mock.base('redirect'));
  assert.match(moved.connection!.message, /sends requests on to 169\.254\.169\.254/);
  const dead = await checkAt(mock.base('html-502'));
  assert.match(dead.connection!.message, /status 502 and a web page/);
  for (const results of [page, moved, dead]) {
    assert.equal(results.completion!.state, 'fail');
    assert.equal(results.latency!.state, 'skipped');
  }
});

test('a key that is not accepted is told from one that is missing', async () => {
  const wrong = await checkAt(mock.base('error-401'));
  assert.equal(wrong.connection!.state, 'ok');
  assert.equal(wrong.credentials!.state, 'fail');
  assert.match(wrong.credentials!.message, /does not accept the configured API key \(status 401\)/);
  assert.equal(wrong.models!.state, 'skipped');
  const missing = await checkAt(mock.base('error-401'), { credentials: false });
  assert.match(missing.credentials!.message, /asks for an API key, and none is configured/);
  // A list that anybody may see says nothing of the key.
  const later = await customAt(FAULTS['error-401']);
  assert.deepEqual([later.models!.state, later.credentials!.state], ['ok', 'fail']);
});

test('models: none, other ones, no list', async () => {
  const listOf =
    (body: unknown, status = 200): Play =>
    (stage) =>
      stage.entry.path.endsWith('/models') ? jsonAnswer(stage.response, body, status) : stage.ok();
  const look = async (play: Play, options: Partial<CheckupOptions> = {}) => {
    mock.custom(play);
    return (await checkAt(`${mock.url}/custom/v1`, { checks: ['models'], ...options })).models!;
  };
  const none = await look(listOf({ object: 'list', data: [] }));
  assert.deepEqual([none.state, none.message], ['fail', 'It lists no models.']);
  const others = await look(listOf({ data: [{ id: 'mock-modell' }, { id: 'mock-embed' }] }));
  assert.equal(others.state, 'fail');
  assert.match(others.message, /does not list 'mock-model' of the configuration\. It has 'mock-modell'/);
  const noList = await look(listOf({ detail: 'Not Found' }, 404));
  assert.equal(noList.state, 'warn');
  const unnamed = await look(listOf({ detail: 'Not Found' }, 404), { models: [] });
  assert.match(unnamed.remedy!, /Name the models/);
  mock.custom(listOf({ object: 'list', data: [] }));
  const nobody = await checkAt(`${mock.url}/custom/v1`, { model: null, models: [] });
  assert.match(nobody.completion!.message, /There is no chat model to ask/);
});

/** Faults of answers: what the completion says of each, where the list of models is fine. */
const ANSWERS: Partial<Record<FaultName, RegExp>> = {
  'error-500': /The server had an error/,
  'error-429': /limits how often/,
  'content-filter': /content management policy/,
  'wrong-content-type': /text\/plain where text\/event-stream/,
  'truncated-json': /not JSON/,
  'error-in-200': /The engine died/,
  'error-first-frame': /The engine died/,
  'empty-body': /holds no event/,
  'cut-after-tokens': /broke off|ended its answer before/,
  'ends-after-tokens': /ended its answer before/,
  'malformed-frame': /not JSON/,
  'gzip-bomb': /encoded as gzip/,
  'endless-tokens': /went on far beyond/,
};

test('an answer that fails is named by its cause, and what needs answers is skipped', async () => {
  for (const [fault, said] of Object.entries(ANSWERS) as [FaultName, RegExp][]) {
    const { completion, latency, abort } = await customAt(FAULTS[fault]);
    assert.equal(completion!.state, 'fail', fault);
    assert.match(completion!.message, said, fault);
    assert.deepEqual([latency!.state, abort!.state], ['skipped', 'skipped'], fault);
  }
});

test('an answer that hangs ends with the time of its check', async () => {
  const checks = ['completion', 'latency'] as const;
  const silent = await customAt(FAULTS['headers-then-nothing'], { checks, checkMs: 300 });
  assert.match(silent.completion!.message, /did not begin to answer within 0\.3 s/);
  const stalled = await customAt(FAULTS['stall-after-tokens'], { checks, checkMs: 300 });
  assert.match(stalled.completion!.message, /stopped in the middle: after 5 pieces/);
  const pinged = await customAt(FAULTS['pings-without-tokens'], { checks, checkMs: 300 });
  assert.match(pinged.completion!.message, /did not begin to answer/);
});

test('a stream that is none is told: one piece, and pieces held back', async () => {
  const whole = await customAt(FAULTS['whole-json'], { checks: ['completion', 'streaming'] });
  assert.equal(whole.completion!.state, 'ok');
  assert.equal(whole.streaming!.state, 'warn');
  assert.match(whole.streaming!.message, /20 tokens came in one piece: it does not stream/);
  const held = await customAt(FAULTS['slow-first-token'], { checks: ['completion', 'streaming'] });
  assert.equal(held.streaming!.state, 'warn');
  assert.match(held.streaming!.message, /something holds the stream back/);
  const unmarked = await customAt(FAULTS['no-done'], { checks: ['completion', 'streaming'] });
  assert.equal(unmarked.streaming!.measured.ending, 'closed');
});

test('a server that counts nothing is told', async () => {
  const { completion } = await customAt(FAULTS['no-usage'], { checks: ['completion'] });
  assert.deepEqual([completion!.state, completion!.tokens], ['warn', null]);
  assert.match(completion!.message, /did not say how many tokens/);
});

test('ignored schemas, tools and model names are told, and refused ones are not mistaken for them', async () => {
  const checks = ['completion', 'json', 'tools', 'bad_model'] as const;
  const ignoring = await customAt((stage) => stage.ok(), { checks });
  assert.equal(ignoring.json!.state, 'fail');
  assert.match(ignoring.json!.message, /ignores `response_format`/);
  assert.equal(ignoring.tools!.state, 'fail');
  assert.match(ignoring.tools!.message, /ignores tools/);
  assert.match(ignoring.bad_model!.message, /takes any name .* others are refused here/);
  const open = await customAt((stage) => stage.ok(), { checks: ['bad_model'], models: [] });
  assert.equal(open.bad_model!.state, 'warn');
  assert.match(open.bad_model!.message, /takes any name/);
  const refusing = await customAt(
    (stage) => {
      const { body } = stage.entry;
      if (body?.response_format === undefined && body?.tools === undefined) return stage.ok();
      jsonAnswer(
        stage.response,
        { error: { message: 'Unknown field.', type: 'invalid_request_error' } },
        400,
      );
    },
    { checks },
  );
  assert.deepEqual([refusing.json!.state, refusing.tools!.state], ['warn', 'warn']);
  assert.match(refusing.json!.message, /It refuses JSON by a schema/);
  const unable = await customAt((stage) => stage.ok(), { checks, abilities: { json: false, tools: false } });
  assert.deepEqual([unable.json!.state, unable.tools!.state], ['skipped', 'skipped']);
  assert.deepEqual([unable.json!.requests, unable.tools!.requests], [0, 0]);
  const otherJson = await customAt(
    (stage) => {
      if (stage.entry.body?.response_format === undefined) return stage.ok();
      const choices = [
        { index: 0, message: { role: 'assistant', content: '{"color":"red"}' }, finish_reason: 'stop' },
      ];
      jsonAnswer(stage.response, { choices });
    },
    { checks: ['json'] },
  );
  assert.match(otherJson.json!.message, /ignores the schema/);
});

test('a model that does not exist: a fault of its own, and silence', async () => {
  const unknown =
    (play: Play): Play =>
    (stage) =>
      String(stage.entry.body?.model).startsWith('mock-') ? stage.ok() : play(stage);
  const checks = ['completion', 'bad_model'] as const;
  const broken = await customAt(unknown(FAULTS['error-500']), { checks });
  assert.equal(broken.bad_model!.state, 'warn');
  assert.match(broken.bad_model!.message, /status 500 .* looks like a fault/);
  const hanging = await customAt(unknown(FAULTS['never-answers']), { checks, checkMs: 1000 });
  assert.equal(hanging.bad_model!.state, 'fail');
  assert.match(hanging.bad_model!.message, /neither refused .* nor answered/);
});

test('vectors: refused, of no use, not configured', async () => {
  const checks = ['embeddings'] as const;
  const refused = await customAt(FAULTS['error-500'], { checks });
  assert.equal(refused.embeddings!.state, 'fail');
  const useless = await customAt(
    ({ response, entry }) => {
      const data = (entry.body!.input as unknown[]).map((_, index) => ({ index, embedding: [1, 0] }));
      jsonAnswer(response, { data });
    },
    { checks },
  );
  assert.equal(useless.embeddings!.state, 'warn');
  assert.match(useless.embeddings!.message, /no closer/);
  const none = await customAt(able, { checks, embeddingModel: null });
  assert.equal(none.embeddings!.state, 'skipped');
});

test('a backend that ignores its signal holds nobody up', async () => {
  const never = new Promise<never>(() => {});
  const stubborn: Backend = {
    name: 'stubborn',
    has: async () => true,
    defaultModel: () => 'mock-model',
    models: async () => [],
    async *chat({ model }) {
      yield { type: 'start', backend: 'stubborn', model: model ?? '' };
      yield { type: 'text', choice: 0, text: 'one', logprobs: null };
      await never;
    },
    // biome-ignore lint/correctness/useYield: it hangs
    async *complete() {
      await never;
    },
    countTokens: () => never,
    embed: () => never,
    health: async () => ({
      status: 'ok',
      latencyMs: 1,
      modelsAvailable: 1,
      modelsLoaded: 1,
      breaker: { state: 'closed', failures: 0 },
      message: null,
    }),
  };
  const results = await resultsOf(stubborn, {
    checkMs: 100,
    checks: ['completion', 'embeddings'],
    embeddingModel: 'mock-embed',
  });
  assert.match(results.completion!.message, /stopped in the middle/);
  assert.match(results.embeddings!.message, /gave no vectors within/);
  const abort = await resultsOf(stubborn, { checks: ['abort'] });
  assert.equal(abort.abort!.state, 'fail');
  assert.match(abort.abort!.message, /still at work 1000 ms after its caller had left/);
});

test('the time for all checks is a limit, and the caller may leave', async () => {
  mock.custom((stage) => (stage.entry.path.endsWith('/models') ? stage.ok() : hang(stage)));
  const results = await checkAt(`${mock.url}/custom/v1`, { totalMs: 400 });
  assert.equal(results.abort!.state, 'skipped');
  assert.match(results.abort!.message, /time for all checks/);
  const leaving = new AbortController();
  await assert.rejects(
    async () => {
      await using backend = openAi(`${mock.url}/custom/v1`);
      const options = {
        ...general,
        model: 'mock-model',
        signal: leaving.signal,
        checks: ['completion'] as const,
      };
      for await (const { name } of checkBackend(backend, options)) if (name === 'connection') leaving.abort();
    },
    { code: 'aborted' },
  );
});

async function closedPort(): Promise<{ port: number }> {
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return { port };
}

/**
 * What becomes of connections: aborts reach the server, whole answers leave the connection for the next request, and
 * a kept one that the other side has closed is no failure.
 *
 * @module test/upstreams/connections.test
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { AbortedError } from '../../src/base/index.ts';
import { failureOf, UpstreamError } from '../../src/gateway/upstream/index.ts';
import { ANSWER_TEXT } from './answers.ts';
import { createMockUpstream, type MockUpstream } from './index.ts';
import { API_KEY, anthropic, chatRequest, embeddingRequest, openAi, outcomeOf } from './support.ts';

let mock: MockUpstream;
before(async () => {
  mock = await createMockUpstream();
});
after(() => mock[Symbol.asyncDispose]());

/** The next request that the mock sees for a fault. */
async function nextSeen(fault: string, nth: number) {
  for (;;) {
    const seen = mock.seen.filter((each) => each.fault === fault)[nth];
    if (seen !== undefined) return seen;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

for (const [name, make] of Object.entries({ OpenAI: openAi, Anthropic: anthropic })) {
  test(`${name}: an abort before the answer, within it, or while one JSON value comes destroys the connection`, async (t) => {
    const faults = [
      'never-answers',
      'headers-then-nothing',
      'json-headers-then-nothing',
      'stall-after-tokens',
    ] as const;
    for (const fault of faults) {
      await using backend = make(mock.base(fault));
      const stop = new AbortController();
      const nth = mock.count(fault);
      const running = outcomeOf(backend.chat(chatRequest({ signal: stop.signal })));
      const seen = await nextSeen(fault, nth);
      if (fault !== 'never-answers') await new Promise((resolve) => setTimeout(resolve, 50));
      const from = performance.now();
      stop.abort(new Error('the client left'));
      const { error } = await running;
      assert.ok(error instanceof AbortedError, `${fault}: ${error}`);
      assert.equal(failureOf(error), 'aborted');
      t.diagnostic(
        `${fault}: the server saw the client leave after ${((await seen.gone) - from).toFixed(1)} ms`,
      );
    }
  });

  test(`${name}: leaving the iteration destroys the connection`, async () => {
    await using backend = make(mock.base('endless-tokens'));
    const nth = mock.count('endless-tokens');
    for await (const event of backend.chat(chatRequest())) if (event.type === 'text') break;
    await (await nextSeen('endless-tokens', nth)).gone;
  });
}

test('a request whose caller is gone already is never sent', async () => {
  await using backend = openAi(mock.base('ok'));
  const before = mock.seen.length;
  const { error } = await outcomeOf(backend.chat(chatRequest({ signal: AbortSignal.abort() })));
  assert.ok(error instanceof AbortedError);
  await assert.rejects(backend.embed(embeddingRequest({ signal: AbortSignal.abort() })), AbortedError);
  assert.equal(mock.seen.length, before);
});

test('an abort while the connection is being made ends the request at once', async () => {
  // A documentation address (RFC 5737): nothing answers there, or the network refuses at once.
  await using backend = openAi('http://192.0.2.1:9/v1');
  const stop = new AbortController();
  const running = outcomeOf(backend.chat(chatRequest({ signal: stop.signal })));
  await new Promise((resolve) => setTimeout(resolve, 20));
  stop.abort();
  const failure = failureOf((await running).error);
  assert.ok(failure === 'aborted' || failure === 'connect_failed', String(failure));
});

test('whole answers leave one connection for all requests, refusals too', async () => {
  await using backend = openAi(mock.base('ok'));
  const before = mock.connections;
  for (let round = 0; round < 5; round++) {
    const { text, error } = await outcomeOf(backend.chat(chatRequest()));
    assert.deepEqual([text, error], [ANSWER_TEXT, null]);
    await backend.embed(embeddingRequest());
  }
  assert.ok(mock.connections - before <= 2, `${mock.connections - before} connections`);
});

test('a kept connection that turns out closed is no failure: the request goes again', async () => {
  await using backend = openAi(mock.base('stale-connection'));
  for (let round = 0; round < 4; round++) {
    const { error, text } = await outcomeOf(backend.chat(chatRequest()));
    assert.equal(error, null, String(error));
    assert.equal(text, ANSWER_TEXT);
  }
  // Each but the first found its connection closed and was sent again.
  assert.equal(mock.count('stale-connection'), 7);
});

test('a connection that breaks before an answer on its first use is a failure, and the request is not sent again', async () => {
  await using backend = openAi(mock.base('reset'));
  const before = mock.count('reset');
  const { error } = await outcomeOf(backend.chat(chatRequest()));
  assert.ok(error instanceof UpstreamError && error.code === 'upstream_reset');
  assert.equal(mock.count('reset'), before + 1);
});

test('many answers at once come out whole and apart', async () => {
  await using backend = openAi(mock.base('ok'));
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      outcomeOf(backend.chat(chatRequest({ model: `model-${index}` }))),
    ),
  );
  for (const [index, { text, error, usage }] of answers.entries()) {
    assert.deepEqual([text, error], [ANSWER_TEXT, null]);
    assert.equal(usage!.receipt.model, `model-${index}`);
  }
});

test('a server that keeps its stream open after the end holds nobody up', async () => {
  await using backend = openAi(mock.base('never-ends'));
  const nth = mock.count('never-ends');
  const { text, error, usage } = await outcomeOf(backend.chat(chatRequest()));
  assert.deepEqual([text, error, usage!.completionTokens], [ANSWER_TEXT, null, 20]);
  await (await nextSeen('never-ends', nth)).gone;
});

test('each API gets its credentials, and no compression is asked for', async () => {
  await using one = openAi(mock.base('ok'));
  await using other = anthropic(mock.base('ok'));
  for (const backend of [one, other]) await outcomeOf(backend.chat(chatRequest()));
  const [first, second] = mock.seen.slice(-2);
  assert.equal(first!.headers.authorization, `Bearer ${API_KEY}`);
  assert.equal(second!.headers['x-api-key'], API_KEY);
  assert.equal(second!.headers['anthropic-version'], '2023-06-01');
  for (const seen of [first!, second!]) {
    assert.equal(seen.headers['accept-encoding'], undefined);
    assert.equal(seen.headers.accept, 'text/event-stream');
    assert.equal(seen.headers['content-type'], 'application/json');
  }
});

test('a credential that a server repeats is not shown', async () => {
  mock.custom(({ response }) => {
    response.writeHead(401, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: { message: `Bad key ${API_KEY} (Bearer ${API_KEY})` } }));
  });
  await using backend = openAi(`${mock.url}/custom/v1`, { apiKey: API_KEY });
  const { error } = await outcomeOf(backend.chat(chatRequest()));
  assert.ok(error instanceof UpstreamError && error.failure === 'auth');
  assert.match(error.message, /Bad key \[redacted\]/);
  assert.ok(!JSON.stringify([error.message, error.stack, error.details]).includes(API_KEY));
});

test('an address that is none, or that carries credentials, is refused without repeating them', () => {
  for (const address of [
    '',
    'localhost:1',
    'ftp://host/v1',
    'http://me:hunter2@host/v1',
    'http://host/v1?key=hunter2',
  ]) {
    assert.throws(
      () => openAi(address),
      (error) => {
        assert.equal((error as { code?: string }).code, 'upstream_address_invalid');
        assert.doesNotMatch((error as Error).message, /hunter2/);
        return true;
      },
    );
  }
});

test('the list of models is asked for once in a while, by one request at a time', async () => {
  let now = 0;
  const clock = { now: () => 0, monotonic: () => now };
  await using backend = openAi(mock.base('ok'), { clock, modelsTtlMs: 1000 });
  const before = mock.count('ok');
  await Promise.all([backend.models(), backend.has('mock-model'), backend.has('nothing')]);
  const list = await backend.models();
  assert.deepEqual(
    list.map(({ id, task }) => [id, task]),
    [
      ['mock-model', 'chat'],
      ['mock-embed', 'embedding'],
    ],
  );
  assert.equal(await backend.has('mock-embed'), true);
  assert.equal(await backend.has('nothing'), false);
  assert.equal(mock.count('ok'), before + 1);
  now = 1001;
  await backend.models();
  assert.equal(mock.count('ok'), before + 2);
  assert.equal((await backend.health()).status, 'ok');
});

test('configured models need no list, and go by their names there', async () => {
  await using backend = openAi(mock.base('ok'), {
    models: [{ id: 'fast', upstreamId: 'vendor/small', context: 8192 }],
    defaults: { chat: 'fast' },
  });
  const before = mock.count('ok');
  assert.equal(await backend.has('fast'), true);
  assert.equal(await backend.has('vendor/small'), false);
  assert.equal((await backend.models())[0]!.context, 8192);
  assert.equal(mock.count('ok'), before);
  await outcomeOf(backend.chat(chatRequest({ model: null })));
  assert.equal(mock.seen.at(-1)!.body!.model, 'vendor/small');
});

test('over TLS only a certificate that is trusted is spoken to', async () => {
  const pem = (name: string) =>
    readFileSync(join(import.meta.dirname, '../security/certificates', name), 'utf8');
  await using secure = await createMockUpstream({ cert: pem('first.pem'), key: pem('first-key.pem') });
  const ask = async (options: Parameters<typeof openAi>[1]) => {
    await using backend = openAi(secure.base('ok'), options);
    return await outcomeOf(backend.chat(chatRequest()));
  };
  const trusted = await ask({ tls: { ca: pem('first.pem') } });
  assert.deepEqual([trusted.error, trusted.text], [null, ANSWER_TEXT]);
  for (const tls of [{}, { ca: pem('second.pem') }, { ca: pem('first.pem'), servername: 'other.test' }]) {
    const { error } = await ask({ tls });
    assert.ok(error instanceof UpstreamError && error.code === 'upstream_connect_failed', String(error));
  }
  assert.equal(secure.seen.length, 1);
});

/**
 * Requests that are passed on and get no answer: what they came to stands in the account of the answer that the ordinary
 * way finds, and no answer is passed on that the ordinary way would refuse. Server, gateway and the servers behind are on
 * real sockets.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { AttemptRecord } from '../../src/gateway/index.ts';
import { ANSWER_TEXT } from '../upstreams/answers.ts';
import { createMockUpstream, type MockUpstream } from '../upstreams/index.ts';
import { ask, FORMS, isWhole, openGateway, refusing } from './support.ts';

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

const plain = { kith: undefined, max_tokens: 50, temperature: 1 } as const;

/** What the metrics are told, in order. */
function noting() {
  const seen: AttemptRecord[] = [];
  return { seen, onAttempts: (attempts: readonly AttemptRecord[]) => void seen.push(...attempts) };
}
const told = (attempts: readonly AttemptRecord[]) =>
  attempts.map(({ backend, reason, outcome, code }) => [backend, reason, outcome, code]);

for (const form of FORMS) {
  test(`an attempt that fails before its first piece stands in the account of the answer that follows (${form})`, async () => {
    const { seen, onAttempts } = noting();
    const places = [
      { name: 'primary', base: await refusing() },
      { name: 'fallback', base: good.base('ok') },
    ];
    await using bench = await openGateway(places, { onAttempts, retries: 0 });
    const answer = await ask(bench.url, { form, body: plain });
    isWhole(answer, ANSWER_TEXT);
    assert.deepEqual(told(seen), [
      ['primary', 'first choice', 'failed', 'upstream_connect_failed'],
      ['primary', 'retry', 'failed', 'upstream_connect_failed'],
      ['fallback', 'failover', 'answered', null],
    ]);
    assert.ok(seen.every(({ kind, outcome }) => (kind === null) === (outcome === 'answered')));
    assert.equal(answer.headers['x-kith-attempts'], '3');
  });

  test(`a server that cannot be asked at all costs the client nothing where another has the model (${form})`, async () => {
    const tls = { cert: 'no certificate', key: 'no key' };
    const places = [
      { name: 'primary', base: 'https://127.0.0.1:1/v1', tls },
      { name: 'fallback', base: good.base('ok') },
    ];
    await using bench = await openGateway(places, { retries: 0 });
    for (let i = 0; i < 2; i++) isWhole(await ask(bench.url, { form, body: plain }), ANSWER_TEXT);
    assert.equal(bench.inFlight, 0);
    assert.equal(bench.busy, 0);
  });
}

test('a whole answer that is not UTF-8 is refused, as in the ordinary way', async () => {
  await using bench = await openGateway([{ name: 'one', base: failing.base('custom') }], { retries: 0 });
  failing.custom(({ response }) => {
    const choices = [{ index: 0, message: { role: 'assistant', content: 'a?b' }, finish_reason: 'stop' }];
    const body = Buffer.from(JSON.stringify({ object: 'chat.completion', model: 'x', choices }));
    body[body.indexOf('?')] = 0xff;
    response.writeHead(200, { 'content-type': 'application/json' }).end(body);
  });
  const answer = await ask(bench.url, { body: plain });
  assert.equal(answer.error?.code, 'upstream_invalid_utf8');
});

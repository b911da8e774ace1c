/** Nodes behind nodes: what one tells the next, and that backends that name each other answer with an error. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { GatewayProvider } from '../../src/gateway/index.ts';
import { openCapture } from '../gateway-privacy/capture.ts';
import { MODEL, openKith, post } from '../gateway-privacy/kith.ts';

const messages = [{ role: 'user', content: 'Hello.' }];
const owned: GatewayProvider['destination'] = { kind: 'owned', link: 'owned_network' };
const outside: GatewayProvider['destination'] = { kind: 'provider', link: 'encrypted' };
/** Models that are called the same everywhere. */
const backend = { models: [{ id: MODEL }, { id: 'e', task: 'embedding' as const }] };

/** Passes everything on to `target`, and keeps the headers of requests for answers. */
async function openTap(target: string) {
  const seen: IncomingHttpHeaders[] = [];
  const to = new URL(target);
  let url = to;
  const server = createServer((request, response) => {
    if (request.method === 'POST') seen.push(request.headers);
    const { method, headers } = request;
    const onward = httpRequest(
      { host: url.hostname, port: url.port, path: request.url, method, headers },
      (answer) => {
        response.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    base: `http://127.0.0.1:${port}/v1`,
    seen,
    lead(next: string) {
      url = new URL(next);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const xKith = (headers: IncomingHttpHeaders) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('x-kith-')));

/** Each way to ask; the first is one whose bytes are passed on as they are. */
const ways = [
  ['/v1/chat/completions', { model: MODEL, messages, max_tokens: 9 }],
  ['/v1/chat/completions', { model: MODEL, messages }],
  ['/v1/completions', { model: MODEL, prompt: 'Hello.', max_tokens: 9 }],
  ['/v1/embeddings', { model: 'e', input: ['Hello.'] }],
] as const;

test('a level holds at the next node too: at maximum its provider gets nothing, whatever is asked', async () => {
  await using provider = await openCapture();
  await using second = await openKith([{ name: 'theirs', base: provider.base, destination: outside }]);
  await using tap = await openTap(second.url);
  await using first = await openKith([{ name: 'mine', base: tap.base, destination: owned, backend }], {
    policy: { privacy: 'maximum' },
  });
  for (const [path, body] of ways) {
    const { status, text } = await post(`${first.url}${path}`, body);
    assert.ok(status >= 400, `${path}: ${status}`);
    assert.match(text, /privacy maximum never goes to a provider/, path);
  }
  assert.equal(provider.bodies.length, 0);
  assert.ok(tap.seen.length >= ways.length);
  for (const headers of tap.seen)
    assert.deepEqual(xKith(headers), { 'x-kith-privacy': 'maximum', 'x-kith-hops': '1' });
});

test('at medium the next node replaces what it sends on, and regions and route go along', async () => {
  await using provider = await openCapture();
  await using second = await openKith([
    { name: 'theirs', base: provider.base, destination: outside, more: { region: 'eu' } },
  ]);
  await using tap = await openTap(second.url);
  await using first = await openKith([
    { name: 'mine', base: tap.base, destination: owned, backend, more: { region: 'eu' } },
  ]);
  for (const max of [{ max_tokens: 9 }, {}]) {
    const told = { 'x-kith-privacy': 'medium', 'x-kith-regions': 'eu' };
    const body = { model: MODEL, messages: [{ role: 'user', content: 'Write to anna@example.org' }], ...max };
    const { status } = await post(`${first.url}/v1/chat/completions`, body, told);
    assert.equal(status, 200);
    assert.deepEqual(xKith(tap.seen.at(-1)!), { ...told, 'x-kith-hops': '1' });
  }
  assert.ok(provider.bodies.length === 2);
  assert.ok(!provider.bytes().includes('anna@example.org'));
});

test('a level that the owner wrote into the headers of a backend is never weakened', async () => {
  await using provider = await openCapture();
  await using tap = await openTap(provider.base);
  await using kith = await openKith([
    {
      name: 'mine',
      base: tap.base,
      destination: owned,
      backend: { headers: { 'X-Kith-Privacy': 'maximum' } },
    },
  ]);
  for (const max of [{ max_tokens: 9 }, {}]) {
    const body = { model: MODEL, messages, ...max };
    await post(`${kith.url}/v1/chat/completions`, body, { 'x-kith-privacy': 'medium' });
    assert.equal(tap.seen.at(-1)!['x-kith-privacy'], 'maximum');
  }
});

test('providers are told nothing of a request, but those that may be nodes how many it has passed', async () => {
  await using provider = await openCapture();
  await using tap = await openTap(provider.base);
  for (const counts of [false, true]) {
    await using kith = await openKith([
      { name: 'theirs', base: tap.base, destination: outside, more: { counts } },
    ]);
    for (const [path, body] of ways) {
      const asked = { 'x-kith-privacy': 'medium', 'x-kith-conversation': 'c', 'x-kith-hops': '2' };
      assert.equal((await post(`${kith.url}${path}`, body, asked)).status, 200, path);
      assert.deepEqual(xKith(tap.seen.at(-1)!), counts ? { 'x-kith-hops': '3' } : {}, path);
    }
  }
});

test("nodes that are each other's backends answer with an error after few requests", async () => {
  for (const destination of [owned, outside]) {
    await using toFirst = await openTap('http://127.0.0.1:1');
    await using toSecond = await openTap('http://127.0.0.1:1');
    const more = { counts: true };
    await using first = await openKith([{ name: 'second', base: toSecond.base, destination, backend, more }]);
    await using second = await openKith([{ name: 'first', base: toFirst.base, destination, backend, more }]);
    toFirst.lead(first.url);
    toSecond.lead(second.url);
    for (const [path, body] of ways) {
      const before = toFirst.seen.length + toSecond.seen.length;
      const { status, headers, parts } = await post(`${first.url}${path}`, body);
      assert.deepEqual([status, parts[0].error.code], [508, 'loop_detected'], path);
      assert.equal(headers.get('x-should-retry'), 'false');
      const requests = toFirst.seen.length + toSecond.seen.length - before;
      // The first two pass the bytes on and ask again in the ordinary way when that fails: 2 + 4 and then 4 a hop.
      assert.ok(requests >= 5 && requests <= 18, `${path}: ${requests} requests`);
    }
    for (const { gateway } of [first, second])
      assert.deepEqual(
        gateway.backends().map(({ breaker }) => breaker),
        [{ state: 'closed', failures: 0, waitMs: 0 }],
      );
  }
});

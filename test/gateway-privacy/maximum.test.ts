import assert from 'node:assert/strict';
import dns from 'node:dns';
import { type TestContext, test } from 'node:test';
import { createSeededRandom, silentLogger, systemClock } from '../../src/base/index.ts';
import { createRouter, type GatewayOptions } from '../../src/gateway/index.ts';
import { createLadder } from '../../src/gateway/ladder/index.ts';
import { APIS } from './apis.ts';
import { openCapture } from './capture.ts';
import { MODEL, openKith, post } from './kith.ts';
import { Haystack } from './leaks.ts';

const secret = 'max.anna@example.org';
const PRIVACY = { 'x-kith-privacy': 'maximum' };

/** Names that were looked up, and where nothing else is told of them. */
function watchLookups(t: TestContext): string[] {
  const names: string[] = [];
  const lookup = dns.lookup;
  t.mock.method(dns, 'lookup', ((name: string, ...rest: unknown[]) => {
    names.push(name);
    return (lookup as (...args: unknown[]) => void)('127.0.0.1', ...rest);
  }) as unknown as typeof dns.lookup);
  return names;
}

for (const by of ['request', 'owner'] as const)
  test(`at maximum of the ${by} no packet leaves, through any API, and the refusal says what would do`, async (t) => {
    await using capture = await openCapture();
    const looked = watchLookups(t);
    const policy: GatewayOptions['policy'] = by === 'owner' ? { privacy: 'maximum' } : {};
    // Two ways to be away: an address that listens, and a name that has to be looked up.
    await using kith = await openKith(
      [
        { name: 'cloud', base: capture.base },
        { name: 'named', base: `http://upstream.test:${capture.port}/v1` },
        {
          name: 'stranger',
          base: capture.base,
          destination: { kind: 'peer', link: 'encrypted', tier: 'verified', pledge: true },
        },
        {
          name: 'unpledged',
          base: capture.base,
          destination: { kind: 'peer', link: 'encrypted', tier: 'trusted', pledge: false },
        },
        { name: 'bare', base: capture.base, destination: { kind: 'owned', link: 'open' } },
      ],
      // Backends that listed nothing, and are looked at each second, if they are looked at.
      { policy, probeMs: by === 'owner' ? 1_000 : 0 },
    );
    const headers = by === 'request' ? PRIVACY : {};
    for (const api of APIS)
      for (const stream of api.streams ? [false, true] : [false]) {
        const reply = await api.ask(kith.url, `I am ${secret}`, stream, headers);
        assert.equal(reply.status, 403, `${api.name}: ${reply.text}`);
        assert.match(reply.text, /privacy maximum never goes to a provider/, api.name);
      }
    const chat = await APIS[0]!.ask(kith.url, secret, false, headers);
    const { error } = chat.parts[0];
    assert.equal(error.code, 'privacy_unmet');
    for (const reason of [
      /'cloud': privacy maximum never goes to a provider/,
      /'stranger': privacy maximum needs a peer of tier trusted; this one is verified/,
      /'unpledged': privacy maximum needs a peer that gave the pledge/,
      /'bare': privacy maximum needs TLS or a network of the owner/,
    ])
      assert.match(error.message, reason);
    // Things that are no answer, and that ask others on other days.
    const messages = [{ role: 'user', content: secret }];
    await post(`${kith.url}/v1/messages/count_tokens`, { model: MODEL, messages }, headers);
    const unknown = await post(`${kith.url}/v1/chat/completions`, { model: secret, messages }, headers);
    assert.equal(`${unknown.status} ${unknown.parts[0].error.code}`, '403 privacy_unmet');
    await post(`${kith.url}/api/show`, { model: MODEL }, headers);
    await fetch(`${kith.url}/v1/models`, { headers });
    await fetch(`${kith.url}/health/detailed`, { headers });
    assert.equal(capture.connections, 0);
    assert.deepEqual(
      looked.filter((name) => name.endsWith('.test')),
      [],
    );
  });

test('what would have gone to a name is looked up at lower levels: the watch above sees it', async (t) => {
  await using capture = await openCapture();
  const looked = watchLookups(t);
  await using kith = await openKith([{ name: 'named', base: `http://upstream.test:${capture.port}/v1` }]);
  const reply = await APIS[0]!.ask(kith.url, 'Hi', false);
  assert.equal(reply.status, 200, reply.text);
  assert.ok(looked.includes('upstream.test'));
  assert.ok(capture.connections > 0);
});

test('at maximum machines of the owner and pledged peers of the tier answer, with the text itself', async () => {
  for (const destination of [
    { kind: 'this_machine' },
    { kind: 'owned', link: 'owned_network' },
    { kind: 'peer', link: 'encrypted', tier: 'trusted', pledge: true },
  ] as const) {
    await using capture = await openCapture();
    await using kith = await openKith([{ name: 'own', base: capture.base, destination }]);
    const reply = await APIS[0]!.ask(kith.url, `I am ${secret}`, true, PRIVACY);
    assert.equal(APIS[0]!.said(reply.parts), `I am ${secret}`);
    assert.ok(new Haystack(capture.bytes()).has(secret));
    assert.equal(reply.headers.get('x-kith-privacy'), 'maximum');
  }
});

test('at maximum neither a search nor the router is told anything', async () => {
  await using capture = await openCapture();
  let searched = 0;
  const ladder = createLadder({
    adapters: [
      {
        name: 'web',
        destination: { kind: 'provider', link: 'encrypted' },
        search: async () => {
          searched++;
          return null;
        },
      },
    ],
    clock: systemClock,
    log: silentLogger,
  } as never);
  using router = createRouter({ path: ':memory:', clock: systemClock, random: createSeededRandom(1) });
  const own = { base: capture.base, destination: { kind: 'owned', link: 'encrypted' } } as const;
  await using kith = await openKith(
    [
      { ...own, name: 'small', destination: { kind: 'this_machine' } },
      { ...own, name: 'large', more: { aliases: { quality: MODEL } } },
    ],
    { ladder, router },
  );
  capture.play((_, response) => response.writeHead(500).end('{"error":{"message":"down"}}'));
  const ask = (headers: Readonly<Record<string, string>>) =>
    post(
      `${kith.url}/v1/chat/completions`,
      { messages: [{ role: 'user', content: 'What is the capital of France?' }] },
      { ...headers, 'x-kith-degrade': 'search' },
    );
  await ask(PRIVACY);
  assert.deepEqual([searched, router.status().pending], [0, 0]);
  // Both are told at other levels, or the line above would say nothing.
  await ask({});
  assert.deepEqual([searched, router.status().pending], [1, 1]);
});

test('no level sends anything in the clear to what is not the owner’s', async () => {
  for (const kind of ['provider', 'owned'] as const)
    for (const privacy of ['minimum', 'medium', 'maximum'] as const) {
      await using capture = await openCapture();
      await using kith = await openKith(
        [{ name: 'bare', base: capture.base, destination: { kind, link: 'open' } }],
        { policy: { privacy }, probeMs: 1_000 },
      );
      const reply = await APIS[0]!.ask(kith.url, 'Hi', false);
      assert.equal(`${reply.status} ${reply.parts[0].error.code}`, '403 privacy_unmet');
      assert.match(reply.parts[0].error.message, /TLS or a network of the owner/);
      assert.equal(capture.connections, 0);
    }
});

/** The swarm of three nodes on loopback, by their routes and by the command line. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type {
  FindView,
  InboxView,
  OutboxView,
  PeersView,
  PeerTrustView,
  SentView,
  SwarmView,
} from '../src/server/index.ts';
import { kith, stopAll } from './cli-support.ts';
import { type SwarmNode, startSwarmNode, swarmHome, until } from './swarm-support.ts';

let a: SwarmNode;
let b: SwarmNode;
let c: SwarmNode;
let ofA: SwarmView;
let ofB: SwarmView;
let ofC: SwarmView;

before(async () => {
  [a, b, c] = await Promise.all(
    [{ 'swarm.regions': 'eu' }, {}, { 'swarm.regions': 'us,us-east', 'swarm.messages': 'nobody' }].map(
      async (settings) => startSwarmNode(await swarmHome(settings)),
    ) as [Promise<SwarmNode>, Promise<SwarmNode>, Promise<SwarmNode>],
  );
  [ofA, ofB, ofC] = await Promise.all([a.view(), b.view(), c.view()]);
});
after(async () => {
  stopAll();
  await Promise.all([a, b, c].map((node) => node?.[Symbol.asyncDispose]()));
});

const at = (node: SwarmNode) => ['--home', node.home];

async function json<T>(node: SwarmNode, ...args: string[]): Promise<T> {
  const { code, out, err } = await kith([...args, '--json', ...at(node)]);
  assert.equal(code, 0, `${args.join(' ')}: ${err}`);
  return JSON.parse(out) as T;
}

test('a node says who it is and where it can be dialled', async () => {
  assert.equal(ofA.state, 'running');
  assert.equal(ofA.reach, 'local');
  assert.match(ofA.addresses[0]!, new RegExp(`^/ip4/127.0.0.1/tcp/\\d+/p2p/${ofA.peer}$`));
  assert.deepEqual(ofA.network, { kind: 'lan', key: null });
  const { out, code } = await kith(['p2p', 'info', ...at(a)]);
  assert.equal(code, 0);
  assert.match(out, /^swarm running\n/);
  assert.match(out, new RegExp(`peer +${ofA.peer}\\n`));
  assert.match(out, new RegExp(`did +${ofA.did}\\n`));
});

test('a one-time link opens the page once', async () => {
  const { url } = await json<{ url: string }>(a, 'open');
  assert.match(url, /\/network#enter=[\w-]{43}$/);
  const enter = () =>
    fetch(`${a.node.url}/kith/v1/entry`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ code: url.split('=').at(-1) }),
    });
  const first = await enter();
  assert.equal(first.headers.get('cache-control'), 'no-store');
  const { token } = (await first.json()) as { token: string };
  const headers = { authorization: `Bearer ${token}` };
  assert.equal((await fetch(`${a.node.url}/kith/v1/swarm/bans`, { headers })).status, 200);
  const again = await enter();
  const { error } = (await again.json()) as { error: { code: string } };
  assert.deepEqual([again.status, error.code], [401, 'entry_code_invalid']);
});

test('what a peer is trusted with is told term by term, and a stranger is not endorsed', async () => {
  const trust = await a.call<PeerTrustView>('GET', `/peers/${ofC.peer}/trust`);
  assert.deepEqual([trust.tier, trust.endorsed, trust.terms.length], ['unknown', false, 8]);
  assert.ok(trust.terms.every(({ detail }) => detail !== ''));
  await assert.rejects(a.call('POST', `/peers/${ofC.peer}/endorsement`), { code: 'endorsement_unfounded' });
  await assert.rejects(a.call('DELETE', `/peers/${ofC.peer}/endorsement`), { code: 'endorsement_not_found' });
});

test('two nodes that are connected to a third learn of each other', async () => {
  const { out, code } = await kith(['p2p', 'connect', ofB.addresses[0]!, ...at(a)]);
  assert.equal(code, 0);
  assert.match(out, new RegExp(`^Connected to ${ofB.peer} directly`));
  await c.call('POST', '/connect', { target: ofB.addresses[0]! });
  const { peers } = await until(
    () => a.call<PeersView>('GET', '/peers'),
    ({ peers }) =>
      [ofB.peer, ofC.peer].every((peer) => peers.some((one) => one.peer === peer && one.state === 'online')),
  );
  const seen = peers.find(({ peer }) => peer === ofC.peer)!;
  assert.deepEqual(seen.regions, ['us', 'us-east']);
  assert.equal(seen.tier, 'unknown');
  const listed = await kith(['p2p', 'peers', 'list', ...at(a)]);
  assert.match(listed.out, /^PEER +TIER +PATH +RTT +STATE +REGIONS +SERVES\n/);
  assert.match(listed.out, new RegExp(`^${ofB.peer} +unknown +lan `, 'm'));
  assert.match(listed.out, new RegExp(`^${ofC.peer} .* online +us,us-east `, 'm'));
});

test('a probe measures the round trip, and who does not answer cannot be connected to', async () => {
  const told = await json<{ answered: number; rttMs: { min: number; median: number; max: number } }>(
    a,
    ...['p2p', 'probe', ofB.peer, '--count', '3'],
  );
  assert.equal(told.answered, 3);
  assert.ok(told.rttMs.min > 0 && told.rttMs.min <= told.rttMs.median && told.rttMs.median <= told.rttMs.max);
  const nobody = '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN';
  const target = `/ip4/127.0.0.1/tcp/9/p2p/${nobody}`;
  await assert.rejects(a.call('POST', '/connect', { target }), { code: 'swarm_unreachable' });
  const another = ofB.addresses[0]!.replace(ofB.peer, nobody);
  await assert.rejects(
    a.call('POST', '/connect', { target: another }),
    /another peer answers at that address/,
  );
});

test('a search says why each peer is left out', async () => {
  const model = 'tinyllama-1.1b-chat';
  const told = await a.call<FindView>('GET', `/find?model=${model}&minTier=verified`);
  assert.match(told.model!, /^[0-9a-f]{64}$/);
  assert.deepEqual(told.found, []);
  assert.deepEqual(new Set(told.leftOut.map(({ peer }) => peer)), new Set([ofB.peer, ofC.peer]));
  assert.deepEqual(new Set(told.leftOut.map(({ reason }) => reason)), new Set(['other_model']));
  assert.equal((await kith(['p2p', 'find', ...at(a)])).code, 2);
  const { out, code } = await kith(['p2p', 'find', '--serves', 'storage', ...at(a)]);
  assert.equal(code, 1);
  assert.match(out, /Nobody serves it/);
  assert.match(out, new RegExp(`^${ofB.peer} +not_served +`, 'm'));
  await assert.rejects(a.call('GET', '/find?model=no-such-model'), { code: 'model_not_found' });
});

test('a message is delivered, told of, read and removed', async () => {
  const events = await fetch(`${b.node.url}/kith/v1/events`);
  const news = firstEvent(events, 'swarm_message');
  const text = 'Grüße,\nand a second line \u001b[31m';
  const sent = await kith(['p2p', 'send', ofB.peer, text, ...at(a)]);
  assert.equal(sent.code, 0, sent.err);
  const { messages } = await a.call<OutboxView>('GET', '/outbox');
  const { id } = messages[0]!;
  assert.match(sent.out, new RegExp(`^Delivered to ${ofB.peer} as ${id}\\.`));
  const told = (await news) as { id: string; from: string; received_at: string };
  assert.deepEqual({ id: told.id, from: told.from }, { id, from: ofA.peer });
  const box = await b.call<InboxView>('GET', '/messages?unread=true');
  assert.deepEqual([box.total, box.unread, box.messages[0]?.from], [1, 1, ofA.peer]);
  const read = await kith(['p2p', 'inbox', id, ...at(b)]);
  assert.match(read.out, new RegExp(`^from +${ofA.peer}\n`));
  // What a stranger writes does not reach the terminal as it is.
  assert.ok(read.out.endsWith('\nGrüße,\nand a second line \\x1b[31m\n'), read.out);
  const after = await b.call<InboxView>('GET', '/messages');
  assert.deepEqual([after.total, after.unread, after.messages[0]?.text], [1, 0, text]);
  await b.call('DELETE', `/messages/${id}`);
  assert.equal((await b.call<InboxView>('GET', '/messages')).total, 0);
  await assert.rejects(b.call('POST', `/messages/${id}/read`), { code: 'message_not_found' });
});

test('a node that takes no messages refuses them, and the sender learns it', async () => {
  await b.call('POST', '/connect', { target: ofC.addresses[0]! });
  const sent = await b.call<SentView>('POST', '/messages', { to: ofC.peer, text: 'hello' });
  assert.deepEqual([sent.state, sent.code], ['refused', 'tier']);
  assert.equal((await c.call<InboxView>('GET', '/messages')).total, 0);
});

test('a banned peer is cut, cannot come again, and can when it is unbanned', async () => {
  const done = await kith(['ban', ofC.peer, '--for', '7d', ...at(b)]);
  assert.match(done.out, /is cut and banned until 20/);
  const isLinked = async () =>
    (await b.call<SwarmView>('GET', '')).links.some(({ peer }) => peer === ofC.peer);
  await until(isLinked, (linked) => !linked);
  await assert.rejects(c.call('POST', `/peers/${ofB.peer}/ping`, { deadlineMs: 2000 }));
  await assert.rejects(b.call('POST', '/connect', { target: ofC.addresses[0]! }), /it is banned here/);
  const isRefused = { code: 'swarm_unreachable', message: /refuses this node/ };
  await assert.rejects(c.call('POST', '/connect', { target: ofB.addresses[0]! }), isRefused);
  const { bans } = await b.call<{ bans: { peer: string }[] }>('GET', '/bans');
  assert.deepEqual(
    bans.map(({ peer }) => peer),
    [ofC.peer],
  );
  const { peers } = await b.call<PeersView>('GET', '/peers');
  assert.equal(peers.find(({ peer }) => peer === ofC.peer)?.banned, true);
  assert.deepEqual(await b.call('DELETE', `/bans/${ofC.peer}`), { peer: ofC.peer, unbanned: true });
  await until(
    () =>
      c.call('POST', '/connect', { target: ofB.addresses[0]! }).then(
        () => true,
        () => false,
      ),
    (connected) => connected,
  );
  await assert.rejects(b.call('POST', '/bans', { peer: ofB.peer }), { code: 'swarm_self' });
});

test('metrics and status tell of connections, calls and records', async () => {
  const text = await (await fetch(`${b.node.url}/metrics`)).text();
  const value = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
  assert.equal(value('kith_swarm_up'), 1);
  assert.ok(value('kith_swarm_connections') >= 1);
  assert.ok(value('kith_swarm_records') >= 2);
  assert.ok(value('kith_swarm_calls_total\\{direction="in"\\}') >= 1);
  assert.ok(value('kith_swarm_bytes_total\\{direction="out"\\}') > 0);
  const { out } = await kith(['status', ...at(b)]);
  assert.match(out, /swarm +\d+ connections?, \d+ peers? known, 0 unread messages/);
});

/** Data of the first event of that name. */
async function firstEvent(response: Response, name: string): Promise<unknown> {
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const found = new RegExp(`event: ${name}\\ndata: (.*)\\n\\n`).exec(text);
    if (found !== null) return JSON.parse(found[1]!);
  }
  throw new Error(`The stream ended without ${name}.`);
}

/**
 * A request with a minimum tier never reaches a peer below it: seen from that peer's socket. Three real hosts: one asks,
 * `near` is of tier known and stands behind a port that counts, `far` is of tier verified.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createSeededRandom, isKithError, silentLogger, systemClock } from '../../src/base/index.ts';
import { type PeerBackend, type PeerStanding, peerProvider } from '../../src/gateway/backends/peer/index.ts';
import { type ChatRequest, createGateway, type Gateway, OWN_TERMS } from '../../src/gateway/index.ts';
import type { PeerRequirements, Tier } from '../../src/trust/index.ts';
import { type CountedPort, countedPort } from './counted-port.ts';
import {
  askingBackend,
  chatModel,
  chatRequest,
  collect,
  embeddingModel,
  type Host,
  openPolicy,
  type ScriptedEngine,
  scriptedEngine,
  serve,
  startHost,
  textOf,
} from './support.ts';

const parts = new AsyncDisposableStack();
/** What the asking node's trust room says, for its swarm and its gateway alike unless a test parts the two. */
const tiers = new Map<string, Tier>();
const standings = new Map<string, PeerStanding>();
let asker: Host;
let near: Host;
let far: Host;
let port: CountedPort;
let engines: { readonly near: ScriptedEngine; readonly far: ScriptedEngine };
let backends: { readonly near: PeerBackend; readonly far: PeerBackend };
let gateway: Gateway;
/** A gateway that has no peer but the one of tier known. */
let onlyNear: Gateway;

before(async () => {
  port = parts.use(await countedPort());
  // All that `near` tells of itself is the port that counts: there is no other way to it.
  const announce = [`/ip4/127.0.0.1/tcp/${port.port}`];
  [asker, near, far] = await Promise.all([
    startHost('mt-asker', { tierOf: (peer) => tiers.get(peer) ?? 'unknown' }),
    startHost('mt-near', { announce, listen: `/ip4/127.0.0.1/tcp/${port.onward}` }),
    startHost('mt-far'),
  ]);
  for (const host of [asker, near, far]) parts.use(host);
  await asker.swarm.learn(near.swarm.peer, [`${announce[0]}/p2p/${near.swarm.peer}`]);
  await asker.swarm.learn(far.swarm.peer, far.swarm.addresses);
  tiers.set(near.swarm.peer, 'known');
  tiers.set(far.swarm.peer, 'verified');
  standings.set('near', { tier: 'known', pledge: false, region: 'eu', latencyMs: 5 });
  standings.set('far', { tier: 'verified', pledge: true, region: 'us', latencyMs: 50 });
  engines = { near: scriptedEngine(), far: scriptedEngine() };
  const policy = { ...openPolicy, maxConcurrent: 8, maxPerPeer: 8 };
  parts.use(serve(near, engines.near, policy));
  parts.use(serve(far, engines.far, policy));
  backends = {
    near: parts.use(askingBackend(asker, near, 'near')),
    far: parts.use(askingBackend(asker, far, 'far')),
  };
  gateway = parts.use(gatewayOf(['near', 'far']));
  onlyNear = parts.use(gatewayOf(['near']));
  // What they have is asked for once, as a node does at its start; nothing else is asked without a request.
  await gateway.models();
  await onlyNear.models();
  await Promise.all([backends.near.models(), backends.far.models()]);
});
after(() => parts.disposeAsync());

function gatewayOf(names: readonly ('near' | 'far')[]): Gateway {
  return createGateway({
    providers: names.map((name) =>
      peerProvider({
        backend: backends[name],
        standing: () => standings.get(name)!,
        aliases: { fast: chatModel },
      }),
    ),
    ...{ clock: systemClock, random: createSeededRandom(1), log: silentLogger, probeMs: 0 },
  });
}

/** Everything that the peer of tier known could notice. */
const seen = () => {
  const { framesIn, bytesIn, callsIn, sessionsIn } = near.swarm.counters();
  const { chats, embeddings } = engines.near;
  const frames = { framesIn, bytesIn, callsIn, sessionsIn };
  return { ...port.counts(), ...frames, chats: chats.length, embeddings: embeddings.length };
};

/** The asking node lets go of the peer, so that not even the link's own signs of life are on the wire. */
async function silence(): Promise<ReturnType<typeof seen>> {
  await asker.swarm.disconnect(near.swarm.peer);
  await port.quiet();
  return seen();
}

const verified = { terms: { ...OWN_TERMS, minTier: 'verified' } } as const;

test('without a requirement the request goes to the peer of tier known, over its socket', async () => {
  const before = await silence();
  const events = await collect(gateway.chat(chatRequest('near by order')));
  assert.equal(textOf(events), 'near by order');
  assert.equal(engines.near.chats.at(-1)!.messages[0]!.content, 'near by order');
  const now = seen();
  assert.ok(now.bytes > before.bytes && now.connections === before.connections + 1);
  assert.ok(now.sessionsIn === before.sessionsIn + 1);
});

const asks: Readonly<Record<string, Partial<ChatRequest>>> = {
  'by header': verified,
  'by body': { peers: { minTier: 'verified' } },
  'by the stricter of both': { terms: { ...OWN_TERMS, minTier: 'known' }, peers: { minTier: 'verified' } },
  'by pledge': { peers: { pledge: true } },
  'by region': { terms: { ...OWN_TERMS, regions: ['us'] } },
  'with three asked side by side': { terms: { ...OWN_TERMS, minTier: 'verified', redundancy: 3 } },
  'as a conversation that was at the other before': {
    terms: { ...OWN_TERMS, minTier: 'verified', conversation: 'c' },
  },
};
for (const [how, more] of Object.entries(asks))
  test(`a request that asks for more, ${how}, opens no connection and sends no byte to a peer that has less`, async () => {
    if (more.terms?.conversation != null) {
      const terms = { ...OWN_TERMS, conversation: 'c' };
      await collect(gateway.chat(chatRequest('it is at the near one', { terms })));
      assert.equal(engines.near.chats.at(-1)!.messages[0]!.content, 'it is at the near one');
    }
    const before = await silence();
    const events = await collect(gateway.chat(chatRequest(`kept ${how}`, more)));
    assert.equal(textOf(events), `kept ${how}`);
    assert.equal(engines.far.chats.at(-1)!.messages[0]!.content, `kept ${how}`);
    assert.deepEqual(seen(), before);
    const usage = events.at(-1)!;
    assert.ok(usage.type === 'usage');
    const { receipt } = usage;
    const [first, second] = receipt.route!.attempts;
    assert.deepEqual([first!.backend, first!.outcome, first!.code], ['near', 'skipped', 'peer_unmet']);
    assert.deepEqual([second!.backend, second!.outcome], ['far', 'answered']);
    assert.match(
      receipt.notes.join('\n'),
      /The peer 'near' was not asked: its (tier|region)|FiduciaryPledge/,
    );
    assert.equal(receipt.route!.privacy.where, 'peer');
  });

test('a latency bound keeps it from the slower peer and lets it go to the faster', async () => {
  const before = far.swarm.counters().sessionsIn;
  const events = await collect(gateway.chat(chatRequest('quick', { peers: { maxLatencyMs: 20 } })));
  assert.equal(textOf(events), 'quick');
  assert.equal(far.swarm.counters().sessionsIn, before);
});

const refused = (error: unknown): boolean =>
  isKithError(error) && error.code === 'peer_unmet' && error.status === 403 && /known/.test(error.message);

test('when only a peer below is left, the request fails with the reason and the peer hears nothing', async () => {
  const before = await silence();
  const { signal } = new AbortController();
  await assert.rejects(collect(onlyNear.chat(chatRequest('nobody', verified))), refused);
  await assert.rejects(
    onlyNear.embed({ model: embeddingModel, inputs: ['secret'], truncate: false, signal, ...verified }),
    refused,
  );
  await assert.rejects(
    collect(onlyNear.complete({ ...chatRequest('x', verified), prompts: ['secret'], echo: false })),
    refused,
  );
  assert.deepEqual(seen(), before);
});

test('nor is a peer below asked whether it has a model that nobody listed', async () => {
  const before = await silence();
  await assert.rejects(
    collect(gateway.chat(chatRequest('secret', { ...verified, model: 'named-after-a-secret' }))),
    (error) => isKithError(error) && error.status === 404,
  );
  assert.deepEqual(seen(), before);
});

test('an explanation says why each peer lost, and asks none', async () => {
  const before = await silence();
  const { chosen, candidates, wishes } = await gateway.explain(chatRequest('why', verified));
  assert.deepEqual(chosen, { backend: 'far', model: chatModel });
  assert.deepEqual(wishes.peers, { minTier: 'verified' });
  const lost = candidates.find(({ backend }) => backend === 'near')!;
  assert.deepEqual(lost.excluded, {
    filter: 'peer',
    reason: 'its tier is known, and verified is asked',
  });
  assert.deepEqual(seen(), before);
});

test('a peer that lost its tier since the choice gets no byte: the network looks once more', async () => {
  standings.set('near', { tier: 'verified', pledge: true, region: 'eu', latencyMs: 5 });
  try {
    const before = await silence();
    const events = await collect(gateway.chat(chatRequest('fallen', verified)));
    assert.equal(textOf(events), 'fallen');
    assert.deepEqual(seen(), before);
    const usage = events.at(-1)!;
    assert.ok(usage.type === 'usage');
    assert.deepEqual(
      usage.receipt.route!.attempts.map(({ backend, outcome, code }) => [backend, outcome, code]),
      [
        ['near', 'failed', 'peer_denied'],
        ['far', 'answered', null],
      ],
    );
    const { signal } = new AbortController();
    const peers: PeerRequirements = { minTier: 'verified' };
    await assert.rejects(
      backends.near.embed({ model: embeddingModel, inputs: ['secret'], truncate: false, signal, peers }),
      (error) => isKithError(error) && error.code === 'peer_denied',
    );
    assert.deepEqual(seen(), before);
  } finally {
    standings.set('near', { tier: 'known', pledge: false, region: 'eu', latencyMs: 5 });
  }
});

test("at privacy maximum the owner's tier and the pledge hold without a word of the request", async () => {
  const before = await silence();
  await assert.rejects(
    collect(gateway.chat(chatRequest('secret', { terms: { ...OWN_TERMS, privacy: 'maximum' } }))),
    (error) => isKithError(error) && error.code === 'privacy_unmet',
  );
  assert.deepEqual(seen(), before);
});

/** Entries of kind `peer`: what they become, and what is said of those that cannot be meant. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom, isKithError, silentLogger, systemClock } from '../base/index.ts';
import type { Backend, GatewayProvider } from '../gateway/index.ts';
import { didOfPeerId } from '../identity/index.ts';
import { openBackends } from './backends.ts';
import { createPeerNetwork, noPeerNetwork } from './swarm-asking.ts';
import { configOf } from './testing/config.ts';

async function peerOf(yaml: string, peers = noPeerNetwork()): Promise<GatewayProvider> {
  await using opened = await openBackends({
    config: configOf(yaml),
    env: {},
    // Nothing of the engine is asked here but its name and its models' names.
    local: { name: 'local', defaultModel: () => 'tiny' } as unknown as Backend,
    peers,
    clock: systemClock,
    random: createSeededRandom(1),
    log: silentLogger,
  });
  return opened.providers.find(({ backend }) => backend.name === 'anna')!;
}

async function refusal(yaml: string, peers = noPeerNetwork()): Promise<string> {
  try {
    await peerOf(yaml, peers);
  } catch (error) {
    assert.ok(isKithError(error) && error.code === 'config_invalid', String(error));
    return error.message;
  }
  return assert.fail('it was accepted');
}

const peerId = '12D3KooWFsuHBh89LE3AMmTyt1guF3KfCv7TUfe9AtygG31m4D1z';
const swarmOn = 'swarm: { enabled: true }\n';
const peerEntry = (fields: string, swarm = swarmOn) =>
  `${swarm}backends:\n  - { name: anna, kind: peer, ${fields} }\n`;

test('a peer is a backend of its own step, of which nothing is known before the swarm runs', async () => {
  for (const name of [peerId, didOfPeerId(peerId)]) {
    const provider = await peerOf(peerEntry(`peer: "${name}", models: [tiny], aliases: { fast: tiny }`));
    assert.equal(provider.step, 'peer');
    assert.equal(provider.peer?.id, peerId);
    assert.deepEqual(provider.aliases, { fast: 'tiny' });
    assert.deepEqual(provider.destination, {
      kind: 'peer',
      link: 'encrypted',
      tier: 'unknown',
      pledge: false,
    });
    assert.equal(provider.peer?.meets({ minTier: 'known' }).ok, false);
    // The owner's word stands where the peer cannot give its own.
    assert.deepEqual(
      (await provider.backend.models()).map(({ id, state }) => [id, state]),
      [['tiny', 'available']],
    );
    await assert.rejects(async () => provider.backend.health(), { code: 'peer_unreachable' });
  }
});

test('an entry of a peer that cannot be meant is refused with what to write', async () => {
  assert.match(
    await refusal(peerEntry(`peer: ${peerId}`, '')),
    /backends\[0\].*kith config set swarm\.enabled true/,
  );
  const wrong = {
    'models: [a]': /backends\[0\]\.peer is missing: .*kith identity show/,
    [`peer: ${peerId}, url: "http://127.0.0.1:1/v1"`]:
      /backends\[0\]\.url is not for the kind peer: remove it/,
    [`peer: ${peerId}, key: secret`]: /backends\[0\]\.key is not for the kind peer/,
    [`peer: ${peerId}, models: [{ id: a, upstreamId: b }]`]: /backends\[0\]\.models of a peer are plain ids/,
    'peer: anna.example.org':
      /"anna\.example\.org" is not allowed for backends\[0\]\.peer; allowed: a PeerId/,
    [`peer: did:key:z6Mk${'1'.repeat(44)}`]: /backends\[0\]\.peer names no node/,
  };
  for (const [fields, message] of Object.entries(wrong))
    assert.match(await refusal(peerEntry(fields)), message, fields);
  assert.match(
    await refusal(`backends:\n  - { name: a, url: "http://127.0.0.1:1/v1", peer: ${peerId} }\n`),
    /backends\[0\]\.peer is for the kind peer only/,
  );
});

test('a node is no peer of its own', async () => {
  using peers = createPeerNetwork(peerId, null);
  assert.match(await refusal(peerEntry(`peer: ${peerId}`), peers), /backends\[0\]\.peer is this node itself/);
});

test('an ask that waits for the swarm ends with the node', async () => {
  const peers = createPeerNetwork('12D3KooWBu3fmjZgSmLkQ2p1kSkBZ9FYGwYQ2dTDP4qHsZpNqHXt', null);
  const { backend } = await peerOf(peerEntry(`peer: ${peerId}`), peers);
  const asked = assert.rejects(async () => backend.models(), { code: 'peer_unreachable' });
  // Its swarm is still starting.
  peers.bind({ asking: () => new Promise(() => {}), askingNow: null });
  peers[Symbol.dispose]();
  await asked;
});

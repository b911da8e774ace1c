import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveConfig } from '../base/index.ts';
import { modelOffers, servingPolicy } from './swarm-serving.ts';

const friend = '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN';
const configOf = (flags: Readonly<Record<string, unknown>>) =>
  resolveConfig({ home: '/nowhere', env: {}, flags }).config;

test('nobody is served unless the owner names both who and what', () => {
  assert.equal(servingPolicy(configOf({})), null);
  assert.equal(servingPolicy(configOf({ 'swarm.friends': friend })), null);
  assert.equal(servingPolicy(configOf({ 'swarm.serveTier': 'trusted' })), null);
  assert.equal(servingPolicy(configOf({ 'swarm.serveModels': 'tiny' })), null);
});

test('the settings become the policy that peers are held to', () => {
  const flags = {
    'swarm.friends': friend,
    'swarm.serveTier': 'verified',
    'swarm.serveModels': 'tiny,tiny-embed',
    'swarm.serveLeases': 1,
    'swarm.serveLeasesPerPeer': 5,
    'swarm.serveHours': '22:00-07:30',
  };
  assert.deepEqual(servingPolicy(configOf(flags)), {
    peers: [friend],
    minTier: 'verified',
    models: ['tiny', 'tiny-embed'],
    maxConcurrent: 1,
    maxPerPeer: 1,
    tokensPerMinute: 6000,
    maxTokens: 2048,
    leaseMs: 600_000,
    hours: { from: 22 * 60, to: 7 * 60 + 30 },
  });
  const friends = servingPolicy(configOf({ 'swarm.friends': friend, 'swarm.serveModels': 'tiny' }));
  assert.deepEqual([friends?.minTier, friends?.hours], [null, null]);
});

test('only models that are on the disk and were named are announced', async () => {
  const policy = servingPolicy(
    configOf({ 'swarm.friends': friend, 'swarm.serveModels': 'chat,vectors,far,text' }),
  );
  const row = (
    id: string,
    task: 'chat' | 'embedding' | 'completion',
    state: 'loaded' | 'ready' | 'available',
  ) => ({
    ...{ id, task, state, ownedBy: 'kith', context: 512, since: null },
  });
  const rows = [
    row('chat', 'chat', 'loaded'),
    row('vectors', 'embedding', 'ready'),
    row('far', 'chat', 'available'),
    row('text', 'completion', 'ready'),
    row('private', 'chat', 'ready'),
  ];
  const entries = rows.map(({ id }) => ({ manifest: { id, sha256: id, quantisation: 'Q8_0' } }));
  const facts = { addresses: [], relayed: false, protocols: ['/kith/chat/1'], regions: ['eu'] };
  const offers = await modelOffers(
    policy,
    { models: async () => rows },
    { list: async () => entries as never },
    facts,
  );
  assert.deepEqual(
    offers.map(({ model, serves, regions, maxBatch, state }) => ({
      model,
      serves,
      regions,
      maxBatch,
      state,
    })),
    [
      {
        model: { hash: 'chat', quant: 'Q8_0' },
        serves: ['chat'],
        regions: ['eu'],
        maxBatch: 2,
        state: 'online',
      },
      {
        model: { hash: 'vectors', quant: 'Q8_0' },
        serves: ['embeddings'],
        regions: ['eu'],
        maxBatch: 2,
        state: 'online',
      },
    ],
  );
  assert.deepEqual(
    await modelOffers(null, { models: async () => rows }, { list: async () => [] }, facts),
    [],
  );
});

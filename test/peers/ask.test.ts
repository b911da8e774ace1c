import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { PeerReceipt } from '../../src/gateway/backends/peer/index.ts';
import { decodeReceipts, PEER_METHODS, readReceipt } from '../../src/gateway/peers/index.ts';
import {
  chatModel,
  chatRequest,
  collect,
  embeddingModel,
  type Friends,
  startFriends,
  textOf,
} from './support.ts';

let friends: Friends;
before(async () => {
  friends = await startFriends();
});
after(() => friends[Symbol.asyncDispose]());

test('a peer says what it serves to this node, and nothing of what it would have to fetch', async () => {
  const models = await friends.backend.models();
  assert.deepEqual(
    models.map(({ id, task, state }) => [id, task, state]),
    [
      [chatModel, 'chat', 'loaded'],
      [embeddingModel, 'embedding', 'ready'],
    ],
  );
  const health = await friends.backend.health();
  assert.equal(health.answers, true);
  assert.ok(friends.backend.latencyMs()! > 0);
});

test('a chat of a peer comes as it was written, with a receipt that the peer signed', async () => {
  const events = await collect(friends.backend.chat(chatRequest('the quick brown fox — 世界 🦊 ')));
  assert.equal(textOf(events), 'the quick brown fox — 世界 🦊 ');
  assert.deepEqual([events[0]!.type, events.at(-2)!.type, events.at(-1)!.type], ['start', 'finish', 'usage']);
  const usage = events.at(-1)!;
  assert.ok(usage.type === 'usage');
  assert.deepEqual([usage.promptTokens, usage.completionTokens], [7, 7]);
  const receipt = usage.receipt as PeerReceipt;
  assert.equal(receipt.backend, 'friend');
  assert.equal(receipt.peer.id, friends.server.swarm.peer);
  const facts = readReceipt(receipt.peer.signed!.receipt);
  assert.deepEqual(
    [facts.server, facts.client, facts.model, facts.outcome],
    [friends.server.swarm.peer, friends.asker.swarm.peer, chatModel, 'answered'],
  );
  assert.deepEqual(friends.receipts.list({ limit: 1 }).receipts[0]!.facts, facts);
  assert.deepEqual(friends.misconduct, []);
});

test('requests one after the other use one lease', async () => {
  await collect(friends.backend.chat(chatRequest('a')));
  const [held] = friends.service.leases();
  await collect(friends.backend.chat(chatRequest('b')));
  assert.deepEqual(
    friends.service.leases().map(({ peer, model, running }) => [peer, model, running]),
    [[friends.asker.swarm.peer, chatModel, false]],
  );
  assert.ok(held!.ms > 0);
});

test('embeddings of a peer are unit rows, and more inputs than one call takes come in order', async () => {
  const inputs = Array.from({ length: 300 }, (_, index) => 'x'.repeat(index + 1));
  const signal = new AbortController().signal;
  const answer = await friends.backend.embed({ model: embeddingModel, inputs, truncate: false, signal });
  assert.equal(answer.vectors.length, 300 * 4);
  for (const [index, input] of inputs.entries()) {
    const norm = Math.hypot(input.length, 3);
    assert.ok(Math.abs(answer.vectors[index * 4]! - input.length / norm) < 1e-6);
  }
  assert.deepEqual(
    answer.tokens,
    inputs.map(({ length }) => length),
  );
  assert.equal(friends.engine.embeddings.length, 2);
  assert.deepEqual(friends.misconduct, []);
});

test('a peer reads its own receipts and nobody else does', async () => {
  const { asker, server } = friends;
  const own = decodeReceipts(await asker.swarm.call(server.swarm.peer, PEER_METHODS.receipts));
  assert.ok(own.length > 0);
  assert.ok(own.every(({ receipt }) => readReceipt(receipt).client === asker.swarm.peer));
});

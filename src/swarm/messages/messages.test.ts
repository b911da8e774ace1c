import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isKithError } from '../../base/index.ts';
import { settle } from '../discovery/testing/nodes.ts';
import { identityOf, NOW } from '../records/testing/samples.ts';
import { alice, bob, mallory, ownerOn, senderOn, world } from './testing/owners.ts';

test('a message to a peer that is there is delivered, shown unread, and told of', async () => {
  const all = world();
  const sender = ownerOn(all, alice);
  const receiver = ownerOn(all, bob);
  const sent = await sender.messages.send(bob.peerId, 'Hello Bob\n\u{1f642}');
  assert.deepEqual([sent.state, sent.code, sent.to], ['delivered', null, bob.peerId]);
  const message = {
    id: sent.id,
    from: alice.peerId,
    sentAt: NOW,
    receivedAt: NOW,
    read: false,
    text: 'Hello Bob\n\u{1f642}',
  };
  assert.deepEqual(receiver.news, [message]);
  assert.deepEqual(receiver.messages.inbox({ unread: true, limit: 10 }), {
    messages: [message],
    total: 1,
    unread: 1,
  });
  assert.deepEqual(receiver.messages.read(sent.id), { ...message, read: true });
  assert.deepEqual(receiver.messages.inbox({ unread: true, limit: 10 }), {
    messages: [],
    total: 1,
    unread: 0,
  });
  assert.equal(receiver.messages.remove(sent.id), true);
  assert.equal(receiver.messages.remove(sent.id), false);
  assert.equal(receiver.messages.read(sent.id), null);
  assert.deepEqual(receiver.messages.counts(), { total: 0, unread: 0, queued: 0 });
  await sender.messages.close();
  await receiver.messages.close();
});

test('a message to a peer that is not there waits, and goes when the peer comes or its time does', async () => {
  const all = world();
  const { messages } = ownerOn(all, alice);
  const sent = await messages.send(bob.peerId, 'When you are back');
  assert.deepEqual([sent.state, sent.code, sent.attempts], ['queued', 'swarm_unreachable', 1]);
  assert.equal(messages.counts().queued, 1);
  const receiver = ownerOn(all, bob);
  all.bus.connect(bob.peerId);
  await settle();
  assert.deepEqual(
    receiver.news.map(({ text }) => text),
    ['When you are back'],
  );
  assert.equal(messages.outbox(10)[0]!.state, 'delivered');
  all.bus.kill(bob.peerId);
  await receiver.messages.close();

  await messages.send(bob.peerId, 'And again');
  const again = ownerOn(all, bob);
  await all.clock.advance(60_000);
  await settle();
  assert.deepEqual(
    again.news.map(({ text }) => text),
    ['And again'],
  );
  await messages.close();
  await again.messages.close();
});

test('a message that cannot be delivered expires', async () => {
  const all = world();
  const { messages } = ownerOn(all, alice);
  const { id } = await messages.send(bob.peerId, 'Too late', { lifeMs: 120_000 });
  await all.clock.advance(200_000);
  await settle();
  const late = messages.outbox(1)[0]!;
  assert.equal(late.id, id);
  assert.equal(late.state, 'expired');
  assert.ok(late.attempts >= 2 && late.attempts <= 4, `${late.attempts} attempts`);
  const receiver = ownerOn(all, bob);
  all.bus.connect(bob.peerId);
  await settle();
  assert.deepEqual(receiver.news, []);
  await messages.close();
  await receiver.messages.close();
});

test('who stops waiting leaves the message in the queue', async () => {
  const all = world();
  const network = { ...all.bus.join(alice.peerId), call: () => new Promise<never>(() => undefined) };
  const { messages } = ownerOn(all, alice, { network });
  const sent = await messages.send(bob.peerId, 'No hurry', { signal: AbortSignal.abort() });
  assert.equal(sent.state, 'queued');
  assert.equal(messages.remove(sent.id), true);
  assert.equal(messages.counts().queued, 0);
});

test('a text that cannot be sent is refused before it is queued', async () => {
  const all = world();
  const { messages } = ownerOn(all, alice);
  for (const [to, text, code] of [
    [bob.peerId, '', 'message_text_invalid'],
    [alice.peerId, 'me', 'message_to_self'],
    ['nobody', 'text', 'record_malformed'],
  ] as const)
    await assert.rejects(messages.send(to, text), (error) => isKithError(error) && error.code === code);
  assert.equal(messages.outbox(10).length, 0);
  await messages.close();
});

test('a refusal for good ends the attempts, one for now does not', async () => {
  const all = world();
  const sender = ownerOn(all, alice);
  const receiver = ownerOn(all, bob, { minTier: 'known' });
  const refused = await sender.messages.send(bob.peerId, 'Hello');
  assert.deepEqual([refused.state, refused.code], ['refused', 'tier']);
  all.tiers.set(alice.peerId, 'known');
  for (let i = 0; i < 20; i++) await sender.messages.send(bob.peerId, `Hello ${i}`);
  const later = await sender.messages.send(bob.peerId, 'One too many');
  assert.deepEqual([later.state, later.code], ['queued', 'rate']);
  await all.clock.advance(700_000);
  await settle();
  assert.equal(receiver.news.length, 21);
  await sender.messages.close();
  await receiver.messages.close();
});

test('the queue is bounded, for one receiver and for all', async () => {
  const all = world();
  const { messages } = ownerOn(all, alice, { outbox: { perPeer: 2, queued: 3, done: 2 } });
  const limitReached = (error: unknown) => isKithError(error) && error.code === 'limit_reached';
  for (let i = 0; i < 2; i++) await messages.send(bob.peerId, 'text');
  await assert.rejects(messages.send(bob.peerId, 'text'), limitReached);
  await messages.send(mallory.peerId, 'text');
  await assert.rejects(messages.send(identityOf(4).peerId, 'text'), limitReached);
  const receiver = ownerOn(all, bob);
  all.bus.connect(bob.peerId);
  await settle();
  for (let i = 0; i < 3; i++) await messages.send(bob.peerId, 'text');
  const states = messages
    .outbox(10)
    .map(({ state }) => state)
    .sort();
  assert.deepEqual(states, ['delivered', 'delivered', 'queued']);
  await messages.close();
  await receiver.messages.close();
});

test('queue, inbox and what was seen outlive the process', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kith-messages-'));
  const all = world();
  const nonce = new Uint8Array(16).fill(1);
  const mine = { path: join(folder, 'alice.sqlite') };
  const his = { path: join(folder, 'bob.sqlite') };
  const first = ownerOn(all, alice, mine);
  await first.messages.send(bob.peerId, 'Queued');
  await first.messages.close();
  const before = ownerOn(all, bob, his);
  const send = senderOn(all, mallory);
  await send({ nonce, text: 'Old' });
  await before.messages.close();

  const receiver = ownerOn(all, bob, his);
  assert.equal(receiver.messages.inbox({ unread: true, limit: 10 }).messages[0]?.text, 'Old');
  assert.equal(await send({ nonce, text: 'Old' }), 'duplicate');
  const sender = ownerOn(all, alice, mine);
  assert.equal(sender.messages.counts().queued, 1);
  await all.clock.advance(60_000);
  await settle();
  assert.deepEqual(
    receiver.news.map(({ text }) => text),
    ['Queued'],
  );
  await sender.messages.close();
  await receiver.messages.close();
  rmSync(folder, { recursive: true });
});

test('addresses are told before a peer is called', async () => {
  const all = world();
  const introduced: string[] = [];
  const introduce = async (peer: string) => void introduced.push(peer);
  const { messages } = ownerOn(all, alice, { introduce });
  await messages.send(bob.peerId, 'Hello');
  assert.deepEqual(introduced, [bob.peerId]);
  await messages.close();
});

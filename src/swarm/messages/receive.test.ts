import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeEnvelope } from '../records/envelope.ts';
import { identityOf, NOW } from '../records/testing/samples.ts';
import { encodeMessage, type Message, signMessage } from './message.ts';
import { alice, bob, mallory, ownerOn, senderOn, signedBy, world } from './testing/owners.ts';

test('forged, replayed, misdirected, expired and oversized messages are refused', async () => {
  const all = world();
  const receiver = ownerOn(all, bob);
  all.tiers.set(alice.peerId, 'trusted');
  all.tiers.set(mallory.peerId, 'trusted');
  const fromAlice = senderOn(all, alice);
  const fromMallory = senderOn(all, mallory);
  assert.equal(await fromAlice(), 'stored');
  const message: Message = {
    from: alice.peerId,
    to: bob.peerId,
    nonce: new Uint8Array(16),
    sent: NOW,
    exp: NOW + 1000,
    text: 'Pay Mallory',
  };
  assert.equal(await fromMallory(message), 'wrong_peer', 'in the name of another');
  assert.equal(await fromMallory({}, signMessage(message, alice).bytes), 'wrong_peer', 'replayed by another');
  assert.equal(await fromAlice({}, signedBy(mallory, message)), 'bad_signature');
  const body = encodeMessage(message);
  const otherPurpose = encodeEnvelope({ body, signature: alice.sign('announcement', body) }, 24_576);
  assert.equal(await fromAlice({}, otherPurpose), 'bad_signature');
  assert.equal(await fromAlice({ to: mallory.peerId }), 'wrong_recipient');
  assert.equal(await fromAlice({ sent: NOW - 2000, exp: NOW }), 'expired');
  assert.equal(await fromAlice({ sent: NOW + 600_000, exp: NOW + 700_000 }), 'too_far_ahead');
  assert.equal(await fromAlice({}, new Uint8Array(24_577)), 'oversized');
  assert.equal(await fromAlice({}, new Uint8Array(7)), 'malformed');
  assert.equal(receiver.news.length, 1);
  await receiver.messages.close();
});

test('the same message is kept once, also after it was removed', async () => {
  const all = world();
  const { messages, news } = ownerOn(all, bob);
  const send = senderOn(all, alice);
  const nonce = new Uint8Array(16).fill(1);
  assert.equal(await send({ nonce, text: 'Once' }), 'stored');
  assert.equal(await send({ nonce, text: 'Once' }), 'duplicate');
  messages.remove(news[0]!.id);
  assert.equal(await send({ nonce, text: 'Once' }), 'duplicate');
  assert.equal(news.length, 1);
  assert.equal(await send({ text: 'Once' }), 'stored', 'an equal text with another nonce is another message');
  await messages.close();
});

test('the same message on two streams at once is kept once', async () => {
  const all = world();
  const { messages, news } = ownerOn(all, bob, { tierOf: async () => 'known' as const });
  const send = senderOn(all, alice);
  const nonce = new Uint8Array(16).fill(1);
  const outcomes = await Promise.all([send({ nonce, text: 'Once' }), send({ nonce, text: 'Once' })]);
  assert.deepEqual(outcomes.sort(), ['duplicate', 'stored']);
  assert.equal(news.length, 1);
  await messages.close();
});

test('the higher a tier, the more may come; strangers share one allowance; lower tiers can be shut out', async () => {
  const all = world();
  const { messages } = ownerOn(all, bob);
  const until = async (send: () => Promise<string>) => {
    for (let count = 0; ; count++) {
      const outcome = await send();
      if (outcome !== 'stored') {
        assert.equal(outcome, 'rate');
        return count;
      }
    }
  };
  all.tiers.set(alice.peerId, 'known');
  assert.equal(await until(senderOn(all, alice)), 20);
  all.tiers.set(mallory.peerId, 'verified');
  assert.equal(await until(senderOn(all, mallory)), 60);
  let strangers = 0;
  for (let i = 10; i < 20; i++) strangers += await until(senderOn(all, identityOf(i)));
  assert.equal(strangers, 20);
  await all.clock.advance(60_000);
  assert.equal(await until(senderOn(all, alice)), 1);
  await messages.close();
  const picky = ownerOn(all, bob, { minTier: 'known' });
  assert.equal(await senderOn(all, identityOf(30))(), 'tier');
  await picky.messages.close();
});

test('a full inbox gives up what was read, never what was not, and tells the sender to come back', async () => {
  const all = world();
  const { messages, news } = ownerOn(all, bob, { inbox: { messages: 6, perPeer: 4, strangers: 3 } });
  all.tiers.set(alice.peerId, 'trusted');
  const fromAlice = senderOn(all, alice);
  for (let i = 0; i < 4; i++) assert.equal(await fromAlice(), 'stored');
  assert.equal(await fromAlice(), 'inbox_full');
  messages.read(news[1]!.id);
  assert.equal(await fromAlice(), 'stored');
  assert.equal(messages.read(news[1]!.id), null);
  const stranger = senderOn(all, mallory);
  for (let i = 0; i < 2; i++) assert.equal(await stranger(), 'stored');
  assert.equal(await stranger(), 'inbox_full', 'six are there');
  messages.remove(news[0]!.id);
  assert.equal(await stranger(), 'stored');
  messages.remove(news[2]!.id);
  assert.equal(await stranger(), 'inbox_full', 'three of strangers are there');
  assert.deepEqual(messages.inbox({ unread: false, limit: 100 }).total, 5);
  await messages.close();
});

test('the bytes of an inbox are bounded', async () => {
  const all = world();
  const { messages } = ownerOn(all, bob, { inbox: { bytes: 100 } });
  const send = senderOn(all, alice);
  assert.equal(await send({ text: 'a'.repeat(60) }), 'stored');
  assert.equal(await send({ text: 'a'.repeat(60) }), 'inbox_full');
  assert.equal(await send({ text: 'a'.repeat(40) }), 'stored');
  await messages.close();
});

test('a listener that fails stops neither the message nor the others', async () => {
  const all = world();
  const { messages } = ownerOn(all, bob);
  messages.onMessage(() => {
    throw new Error('full of news');
  });
  const heard: string[] = [];
  messages.onMessage(({ text }) => heard.push(text));
  assert.equal(await senderOn(all, alice)({ text: 'News' }), 'stored');
  assert.deepEqual(heard, ['News']);
  await messages.close();
});

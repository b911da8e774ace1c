/**
 * Owners who write to each other, and senders of whatever bytes, for tests.
 *
 * @module swarm/messages/testing/owners
 */
import { createManualClock, createSeededRandom, type ManualClock } from '../../../base/index.ts';
import type { Identity } from '../../../identity/index.ts';
import type { Tier } from '../../../trust/index.ts';
import { type Bus, createBus } from '../../discovery/testing/bus.ts';
import { encodeEnvelope } from '../../records/envelope.ts';
import { identityOf, NOW } from '../../records/testing/samples.ts';
import type { InboxMessage } from '../inbox.ts';
import { encodeMessage, MESSAGE_METHOD, type Message, parseMessageReply, signMessage } from '../message.ts';
import { type MessagesOptions, openMessages } from '../messages.ts';

export const alice = identityOf(1);
export const bob = identityOf(2);
export const mallory = identityOf(3);

export interface World {
  readonly bus: Bus;
  readonly clock: ManualClock;
  readonly tiers: Map<string, Tier>;
}

export function world(): World {
  return { bus: createBus(), clock: createManualClock(NOW), tiers: new Map() };
}

export function ownerOn({ bus, clock, tiers }: World, who: Identity, options: Partial<MessagesOptions> = {}) {
  const messages = openMessages({
    network: bus.join(who.peerId),
    signer: who,
    clock,
    random: createSeededRandom(1),
    path: ':memory:',
    tierOf: (peer) => tiers.get(peer) ?? 'unknown',
    ...options,
  });
  const news: InboxMessage[] = [];
  messages.onMessage((message) => news.push(message));
  return { messages, news };
}

/** A peer that sends bytes of its choice; the code of the answer. */
export function senderOn({ bus, clock }: World, who: Identity) {
  const network = bus.join(who.peerId);
  let count = 0;
  return async (changes: Partial<Message> = {}, forged?: Uint8Array): Promise<string> => {
    const nonce = new Uint8Array(16);
    new DataView(nonce.buffer).setUint32(0, ++count);
    const sent = clock.now();
    const made = {
      from: who.peerId,
      to: bob.peerId,
      nonce,
      sent,
      exp: sent + 60_000,
      text: `Text ${count}`,
      ...changes,
    };
    const bytes = forged ?? (made.from === who.peerId ? signMessage(made, who).bytes : signedBy(who, made));
    const { metadata } = await network.call(bob.peerId, MESSAGE_METHOD, {}, bytes);
    const reply = parseMessageReply(metadata);
    return reply.state === 'refused' ? reply.code : reply.state;
  };
}

export function signedBy(who: Identity, message: Message): Uint8Array {
  const body = encodeMessage(message);
  return encodeEnvelope({ body, signature: who.sign('message', body) }, 24_576);
}

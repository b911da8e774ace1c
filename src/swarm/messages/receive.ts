/**
 * Whether a message that a peer delivers is taken.
 *
 * @module swarm/messages/receive
 */
import { type Clock, isKithError, reaches, TIERS, type Tier } from '../../base/index.ts';
import { publicKeyOfPeerId, verify } from '../../identity/index.ts';
import { Allowance } from '../records/allowance.ts';
import { type Envelope, parseEnvelope } from '../records/envelope.ts';
import { MAX_SKEW_MS } from '../records/verify.ts';
import type { Inbox } from './inbox.ts';
import {
  MESSAGE_MAX_BYTES,
  type Message,
  type MessageRefusal,
  type MessageReply,
  messageId,
  parseMessage,
} from './message.ts';

export interface ReceiverOptions {
  /** This node's PeerId. */
  readonly self: string;
  readonly clock: Clock;
  readonly inbox: Inbox;
  readonly tierOf: (peer: string) => Tier | Promise<Tier>;
  /** From lower tiers nothing is taken. @default 'unknown' */
  readonly minTier?: Tier;
}

export interface Received {
  readonly reply: MessageReply;
  /** Set when the message is new and kept. */
  readonly kept: { readonly id: string; readonly message: Message } | null;
}

/** Messages an hour and at once, of one sender by its tier; strangers also share those of one `known` sender. */
const RATES: Readonly<Record<Tier, { readonly hour: number; readonly burst: number }>> = {
  unknown: { hour: 10, burst: 5 },
  known: { hour: 60, burst: 20 },
  verified: { hour: 300, burst: 60 },
  trusted: { hour: 1200, burst: 200 },
};
/** Where a later attempt may succeed, seconds. */
const RETRY_AFTER: Partial<Readonly<Record<MessageRefusal, number>>> = { rate: 600, inbox_full: 3600 };

export type Receive = (bytes: Uint8Array, caller: string) => Promise<Received>;

export function createReceiver(options: ReceiverOptions): Receive {
  const { self, clock, inbox } = options;
  const { minTier = 'unknown' } = options;
  const allowances = Object.fromEntries(
    TIERS.map((tier) => [
      tier,
      new Allowance({ clock, perMinute: RATES[tier].hour / 60, burst: RATES[tier].burst }),
    ]),
  ) as Record<Tier, Allowance>;
  const strangers = new Allowance({
    clock,
    perMinute: RATES.known.hour / 60,
    burst: RATES.known.burst,
    names: 1,
  });

  return async function receive(bytes, caller) {
    if (bytes.length > MESSAGE_MAX_BYTES) return refused('oversized');
    let envelope: Envelope;
    let message: Message;
    try {
      envelope = parseEnvelope(bytes, MESSAGE_MAX_BYTES);
      message = parseMessage(envelope.body);
    } catch (error) {
      if (isKithError(error)) return refused('malformed');
      throw error;
    }
    // Only its author delivers a message: a replay by others ends here.
    if (message.from !== caller) return refused('wrong_peer');
    if (message.to !== self) return refused('wrong_recipient');
    const now = clock.now();
    if (message.exp <= now) return refused('expired');
    if (message.sent > now + MAX_SKEW_MS) return refused('too_far_ahead');
    const id = messageId(envelope.body);
    // The sender did not hear that it had come: it is told again.
    if (inbox.hasMet(id)) return { reply: { state: 'duplicate' }, kept: null };
    const tier = await options.tierOf(caller);
    if (!reaches(tier, minTier)) return refused('tier');
    if (!allowances[tier].take(caller)) return refused('rate');
    if (!verify(publicKeyOfPeerId(caller), 'message', envelope.body, envelope.signature))
      return refused('bad_signature');
    const stranger = tier === 'unknown';
    if (stranger && !strangers.take('')) return refused('rate');
    // It may have come on another stream while the tier was looked up.
    if (inbox.hasMet(id)) return { reply: { state: 'duplicate' }, kept: null };
    if (!inbox.add(id, message, stranger, now)) return refused('inbox_full');
    return { reply: { state: 'stored' }, kept: { id, message } };
  };
}

function refused(code: MessageRefusal): Received {
  return { reply: { state: 'refused', code, retryAfter: RETRY_AFTER[code] ?? null }, kept: null };
}

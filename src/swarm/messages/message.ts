/**
 * The message record, version 1: a text of one owner for another, method `/kith/message/1.0.0`.
 *
 * Deterministic CBOR, a map of these fields and no others, in an envelope (records/envelope) that is signed for the
 * purpose `message` by the key in `from`, at most 24,576 bytes together:
 *
 * | Field   | Type                   | Bounds                                                  |
 * | ------- | ---------------------- | ------------------------------------------------------- |
 * | `v`     | integer                | 1                                                       |
 * | `from`  | bytes                  | 32: Ed25519 public key of the sender                    |
 * | `to`    | bytes                  | 32: Ed25519 public key of the receiver                  |
 * | `nonce` | bytes                  | 16, random: two equal texts are two messages            |
 * | `sent`  | integer, ms since 1970 |                                                         |
 * | `exp`   | integer, ms since 1970 | above `sent`, at most seven days above                  |
 * | `text`  | text                   | 1 to 8,000 UTF-16 units                                 |
 *
 * The id of a message, at both ends, is `msg-` and the first 32 hex digits of the SHA-256 of the signed bytes.
 *
 * A call carries the envelope as payload. Its reply is metadata: `v` 1, `state` (`stored`, `duplicate`, `refused`), and
 * for `refused` `code` and, where a later attempt may succeed, `retryAfter` in seconds.
 *
 * @module swarm/messages/message
 */
import { createHash } from 'node:crypto';
import { type CborMap, encodeCbor, InputError } from '../../base/index.ts';
import { encodeEnvelope } from '../records/envelope.ts';
import { Fields, keyOfPeer, malformed } from '../records/fields.ts';
import type { Signer } from '../records/types.ts';

export const MESSAGE_METHOD = '/kith/message/1.0.0';
export const MESSAGE_VERSION = 1;
/** Of the whole envelope: 8,000 UTF-16 units take 24,000 bytes at most. */
export const MESSAGE_MAX_BYTES = 24_576;
export const MESSAGE_MAX_CHARS = 8000;
export const MESSAGE_MAX_LIFE_MS = 7 * 86_400_000;

const MAX_MS = 2 ** 48;
const TEXT = new RegExp(`^[^]{1,${MESSAGE_MAX_CHARS}}$`);
const LIMITS = { maxBytes: MESSAGE_MAX_BYTES, maxDepth: 1, maxItems: 32 };

export interface Message {
  /** PeerIds. */
  readonly from: string;
  readonly to: string;
  /** 16 bytes. */
  readonly nonce: Uint8Array;
  /** By the sender's clock. */
  readonly sent: number;
  readonly exp: number;
  readonly text: string;
}

/** @throws {InputError} `record_malformed` */
export function encodeMessage(message: Message): Uint8Array {
  const { from, to, nonce, sent, exp, text } = message;
  const record = { v: MESSAGE_VERSION, from: keyOfPeer(from), to: keyOfPeer(to), nonce, sent, exp, text };
  const bytes = encodeCbor(record, LIMITS);
  parseMessage(bytes);
  return bytes;
}

/** @throws {InputError} `record_malformed` */
export function parseMessage(bytes: Uint8Array): Message {
  const fields = Fields.decode(bytes, LIMITS);
  fields.int('v', MESSAGE_VERSION, MESSAGE_VERSION);
  const sent = fields.int('sent', 1, MAX_MS);
  const message = {
    from: fields.peer('from'),
    to: fields.peer('to'),
    nonce: fields.bytes('nonce', 16),
    sent,
    exp: fields.int('exp', sent + 1, sent + MESSAGE_MAX_LIFE_MS),
    text: fields.text('text', TEXT),
  };
  fields.end();
  return message;
}

/** Signed envelope and id. @throws {InputError} `record_malformed`, `message_text_invalid` */
export function signMessage(
  message: Message,
  signer: Signer,
): { readonly id: string; readonly bytes: Uint8Array } {
  const { text } = message;
  if (text.length === 0 || text.length > MESSAGE_MAX_CHARS || !text.isWellFormed()) {
    throw new InputError(
      'message_text_invalid',
      `A message has 1 to ${MESSAGE_MAX_CHARS} characters of well-formed text, not ${text.length}.`,
      { param: 'text' },
    );
  }
  if (message.from !== signer.peerId) malformed('it names another sender than the one who signs');
  const body = encodeMessage(message);
  const bytes = encodeEnvelope({ body, signature: signer.sign('message', body) }, MESSAGE_MAX_BYTES);
  return { id: messageId(body), bytes };
}

export function messageId(body: Uint8Array): string {
  return `msg-${createHash('sha256').update(body).digest('hex').slice(0, 32)}`;
}

/** Why a message is refused. */
export const MESSAGE_REFUSALS = [
  'oversized',
  'malformed',
  'wrong_peer',
  'wrong_recipient',
  'expired',
  'too_far_ahead',
  'tier',
  'rate',
  'bad_signature',
  'inbox_full',
] as const;
export type MessageRefusal = (typeof MESSAGE_REFUSALS)[number];

export type MessageReply =
  | { readonly state: 'stored' | 'duplicate' }
  | {
      readonly state: 'refused';
      readonly code: string /** Seconds; null: never. */;
      readonly retryAfter: number | null;
    };

export function encodeMessageReply(reply: MessageReply): CborMap {
  if (reply.state !== 'refused') return { v: MESSAGE_VERSION, state: reply.state };
  const { state, code, retryAfter } = reply;
  return { v: MESSAGE_VERSION, state, code, ...(retryAfter === null ? {} : { retryAfter }) };
}

/** @throws {InputError} `record_malformed` */
export function parseMessageReply(metadata: CborMap): MessageReply {
  const fields = new Fields(metadata);
  fields.int('v', MESSAGE_VERSION, MESSAGE_VERSION);
  const state = fields.text('state', /^(stored|duplicate|refused)$/) as MessageReply['state'];
  if (state !== 'refused') {
    fields.end();
    return { state };
  }
  const reply = {
    state,
    code: fields.text('code', /^[a-z_]{1,32}$/),
    retryAfter: fields.optional('retryAfter', (of) => of.int('retryAfter', 1, 86_400)),
  };
  fields.end();
  return reply;
}

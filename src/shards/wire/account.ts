/**
 * What an owner and a shard say to each other about the work of a session. Each is one CBOR map, without a payload.
 *
 * | k          | from  | further fields |
 * |------------|-------|----------------|
 * | `account`  | shard | `r`: a receipt (`work/receipt.ts`), at most 1,024 bytes; `g`: the shard's signature, 64 bytes |
 * | `signed`   | owner | `h`: SHA-256 of the receipt; `g`: the owner's signature |
 * | `disputed` | owner | `h`; `what`: why the owner does not sign, at most 200 characters |
 * | `settle`   | owner | the session is about to end: an account of what has none yet is asked for |
 * | `settled`  | shard | there is nothing more to account for |
 *
 * None has to be answered for the session to go on. A shard that sends no accounts and an owner that signs none are within
 * the protocol; what has one signature then counts as what one side says.
 *
 * @module shards/wire/account
 */
import { type CborMap, Fields } from '../../base/index.ts';
import { kindOf, malformed } from './messages.ts';

const RECEIPT_BYTES = 1024;
const SIGNATURE_BYTES = 64;
const NAME_BYTES = 32;
export const MAX_REASON = 200;

export type Accounting =
  | { readonly k: 'account'; readonly receipt: Uint8Array; readonly signature: Uint8Array }
  | { readonly k: 'signed'; readonly name: Uint8Array; readonly signature: Uint8Array }
  | { readonly k: 'disputed'; readonly name: Uint8Array; readonly what: string }
  | { readonly k: 'settle' }
  | { readonly k: 'settled' };

const KINDS: ReadonlySet<string> = new Set(['account', 'signed', 'disputed', 'settle', 'settled']);

export const isAccounting = (metadata: CborMap): boolean =>
  typeof metadata.k === 'string' && KINDS.has(metadata.k);

export function encodeAccounting(message: Accounting): CborMap {
  switch (message.k) {
    case 'account':
      return { k: 'account', r: message.receipt, g: message.signature };
    case 'signed':
      return { k: 'signed', h: message.name, g: message.signature };
    case 'disputed':
      return { k: 'disputed', h: message.name, what: message.what.slice(0, MAX_REASON) };
    default:
      return { k: message.k };
  }
}

/** @throws InputError `shard_malformed` */
export function decodeAccounting(metadata: CborMap): Accounting {
  const k = kindOf(metadata);
  const fields = new Fields(metadata, `the message ${JSON.stringify(k.slice(0, 20))}`, malformed);
  fields.text('k', 16);
  const message = ((): Accounting => {
    switch (k) {
      case 'account':
        return {
          k,
          receipt: fields.bytesUpTo('r', RECEIPT_BYTES),
          signature: fields.bytes('g', SIGNATURE_BYTES),
        };
      case 'signed':
        return { k, name: fields.bytes('h', NAME_BYTES), signature: fields.bytes('g', SIGNATURE_BYTES) };
      case 'disputed':
        return { k, name: fields.bytes('h', NAME_BYTES), what: fields.text('what', MAX_REASON) };
      case 'settle':
      case 'settled':
        return { k };
      default:
        throw malformed(`'${k.slice(0, 20)}' is not about work`);
    }
  })();
  fields.end();
  return message;
}

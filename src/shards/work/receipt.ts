/**
 * The receipt of work that a shard did for the owner of a path: a part of one session, each row in one receipt. Both sign the
 * same bytes (purpose `work-receipt`) and keep them. It holds no text and no rows.
 *
 * Deterministic CBOR, one map:
 *
 * | field | type              | meaning                                                                    |
 * | ----- | ----------------- | -------------------------------------------------------------------------- |
 * | `v`   | 1                 | version                                                                    |
 * | `s`   | text              | PeerId of the shard, which computed                                         |
 * | `c`   | text              | PeerId of the owner of the path, for whom                                   |
 * | `m`   | bytes, 32         | content hash of the model                                                  |
 * | `f`   | integer           | first block                                                                |
 * | `t`   | integer           | block after the last one                                                   |
 * | `d`   | bytes, 32         | SHA-256 of the session's number                                             |
 * | `k`   | integer           | which receipt of the session it is, from 1                                  |
 * | `l`   | bytes, 16         | book: drawn anew by the shard whenever it begins to count for an owner       |
 * | `q`   | integer           | number among the receipts of this shard for this owner, rising             |
 * | `h`   | bytes, 32, or null | SHA-256 of the receipt before it; null: the first that the shard knows of   |
 * | `p`   | integer           | rows of prompts                                                            |
 * | `o`   | integer           | rows of answers                                                            |
 * | `r`   | integer           | rows computed again for the place of another shard                          |
 * | `n`   | integer           | steps                                                                      |
 * | `x`   | integer           | ms in which the shard had a step of the session under way                   |
 * | `b`   | integer           | begin, ms since 1970, by the shard's clock                                  |
 * | `e`   | integer           | end: `b` and the ms that passed                                             |
 * | `i`   | bytes, 32         | hash chain over the payloads of steps, from the session's beginning          |
 * | `u`   | bytes, 32         | hash chain over the payloads that went on, from the session's beginning      |
 *
 * A session lives in one process, and so does a book: a shard that signs two receipts of one part of a session, or two of one
 * number in one book, contradicts itself, whatever it lost.
 *
 * @module shards/work/receipt
 */
import { decodeCbor, encodeCbor, Fields, fromHex, InputError, toHex } from '../../base/index.ts';
import { type Identity, publicKeyOfPeerId, verify } from '../../identity/index.ts';
import type { BlockSpan } from '../types.ts';
import { DIGEST_BYTES, digestOf } from './chain.ts';
import type { Work } from './types.ts';

export const BOOK_BYTES = 16;
export const SIGNATURE_BYTES = 64;
export const RECEIPT_BOUNDS = {
  bytes: 1024,
  blocks: 4096,
  /** Rows and steps of one receipt. */
  work: 2 ** 32,
  ms: 2 ** 40,
  part: 2 ** 32,
  sequence: 2 ** 48,
} as const;

/** The last moment that a date can be of (ECMA-262, time values): one beyond could not be shown. */
const LAST_MOMENT = 8.64e15;

export interface WorkFacts extends Work, BlockSpan {
  /** PeerId of who computed. */
  readonly shard: string;
  /** PeerId of who asked. */
  readonly owner: string;
  /** Content hash, 64 hex digits. */
  readonly model: string;
  /** SHA-256 of the session's number. */
  readonly session: Uint8Array;
  readonly part: number;
  readonly book: Uint8Array;
  readonly sequence: number;
  /** SHA-256 of the receipt before it. */
  readonly previous: Uint8Array | null;
  readonly ms: number;
  /** ms since 1970. */
  readonly begun: number;
  readonly ended: number;
  readonly received: Uint8Array;
  readonly sent: Uint8Array;
}

export type WorkSigner = Pick<Identity, 'peerId' | 'sign'>;

const malformed = (what: string) =>
  new InputError('work_receipt_malformed', `This is no receipt of work: ${what}.`);

/** @throws InputError `work_receipt_malformed` when the facts pass a bound: what is written can be read */
export function encodeWork(facts: WorkFacts): Uint8Array {
  const bytes = encodeCbor({
    v: 1,
    ...{ s: facts.shard, c: facts.owner, m: fromHex(facts.model), f: facts.from, t: facts.to },
    ...{ d: facts.session, k: facts.part, l: facts.book, q: facts.sequence, h: facts.previous },
    ...{ p: facts.prompt, o: facts.decode, r: facts.replayed, n: facts.steps, x: facts.ms },
    ...{ b: facts.begun, e: facts.ended, i: facts.received, u: facts.sent },
  });
  readWork(bytes);
  return bytes;
}

/** Does not look at signatures. @throws InputError `work_receipt_malformed`, `cbor_invalid` */
export function readWork(bytes: Uint8Array): WorkFacts {
  const { bytes: maxBytes, blocks, work, ms, part, sequence } = RECEIPT_BOUNDS;
  const fields = new Fields(decodeCbor(bytes, { maxBytes, maxDepth: 1, maxItems: 64 }), 'it', malformed);
  if (fields.count('v', 255) !== 1) throw malformed('it is of another version');
  const facts: WorkFacts = {
    shard: fields.text('s', 128, 1),
    owner: fields.text('c', 128, 1),
    model: toHex(fields.bytes('m', 32)),
    from: fields.count('f', blocks),
    to: fields.count('t', blocks),
    session: fields.bytes('d', DIGEST_BYTES),
    part: fields.count('k', part),
    book: fields.bytes('l', BOOK_BYTES),
    sequence: fields.count('q', sequence),
    previous: fields.bytesOrNull('h', DIGEST_BYTES),
    prompt: fields.count('p', work),
    decode: fields.count('o', work),
    replayed: fields.count('r', work),
    steps: fields.count('n', work),
    ms: fields.count('x', ms),
    begun: fields.count('b', LAST_MOMENT),
    ended: fields.count('e', LAST_MOMENT),
    received: fields.bytes('i', DIGEST_BYTES),
    sent: fields.bytes('u', DIGEST_BYTES),
  };
  fields.end();
  if (facts.to <= facts.from) throw malformed(`blocks [${facts.from}, ${facts.to}) are no range`);
  if (facts.shard === facts.owner) throw malformed('nobody computes for himself');
  if (facts.part === 0 || facts.sequence === 0) throw malformed('numbers begin with 1');
  if (facts.steps === 0) throw malformed('it is of no step');
  if (facts.ended < facts.begun) throw malformed('it ends before it begins');
  return facts;
}

/** What names a receipt: SHA-256 of its bytes. */
export const nameOf = digestOf;

export function signWork(receipt: Uint8Array, signer: WorkSigner): Uint8Array {
  return signer.sign('work-receipt', receipt);
}

/** Whether `peer` signed it. Never throws. */
export function isSignedBy(peer: string, receipt: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verify(publicKeyOfPeerId(peer), 'work-receipt', receipt, signature);
  } catch {
    return false;
  }
}

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** Whether whoever signed both receipts of the shard for the owner contradicts himself. */
export function contradict(a: WorkFacts, b: WorkFacts): boolean {
  if (a.shard !== b.shard || a.owner !== b.owner) return false;
  const isOnePlace =
    (same(a.session, b.session) && a.part === b.part) || (same(a.book, b.book) && a.sequence === b.sequence);
  return isOnePlace && !same(encodeWork(a), encodeWork(b));
}

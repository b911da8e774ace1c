/**
 * The receipt of an answer that one node gave another: what was asked, by whom, what it took. The node that answered signs
 * it (purpose `receipt`); both keep it. It holds no text: the request is in it as a hash that only its two sides can name.
 *
 * Deterministic CBOR, one map:
 *
 * | field | type             | meaning                                                |
 * | ----- | ---------------- | ------------------------------------------------------ |
 * | `v`   | 1                | version                                                |
 * | `s`   | text             | PeerId of the node that answered                       |
 * | `c`   | text             | PeerId of the one that asked                           |
 * | `i`   | bytes, 16        | the asking node's name for the request                 |
 * | `h`   | bytes, 32        | SHA-256 of the request's payload                       |
 * | `k`   | text             | task: `chat`, `embedding`                              |
 * | `m`   | text             | model                                                  |
 * | `p`   | integer or null  | tokens of the prompt                                   |
 * | `o`   | integer or null  | tokens of the answer                                   |
 * | `u`   | text             | outcome: `answered`, `failed`, `left`                  |
 * | `a`   | integer          | when it was over, ms since 1970, by the signer's clock |
 *
 * @module gateway/peers/receipt
 */
import { createHash } from 'node:crypto';
import { decodeCbor, encodeCbor } from '../../base/index.ts';
import { type Identity, publicKeyOfPeerId, verify } from '../../identity/index.ts';
import { Fields, malformed } from './fields.ts';
import { ID_BYTES, PEER_BOUNDS, type PeerTask, type SignedReceipt } from './protocol.ts';

export interface ReceiptFacts {
  readonly server: string;
  readonly client: string;
  /** 16 bytes. */
  readonly request: Uint8Array;
  /** SHA-256 of the request's payload. */
  readonly hash: Uint8Array;
  readonly task: PeerTask;
  readonly model: string;
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  readonly outcome: 'answered' | 'failed' | 'left';
  /** ms since 1970. */
  readonly at: number;
}

/** The last moment that a date can be of (ECMA-262, time values): one beyond could not be shown. */
const LAST_MOMENT = 8.64e15;

/** What signs receipts: the node's key. */
export type ReceiptSigner = Pick<Identity, 'peerId' | 'sign'>;

export function hashOf(payload: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(payload).digest());
}

export function signReceipt(facts: ReceiptFacts, signer: ReceiptSigner): SignedReceipt {
  const { server: s, client: c, request: i, hash: h, task: k, model: m } = facts;
  const { promptTokens: p, completionTokens: o, outcome: u, at: a } = facts;
  const receipt = encodeCbor({ v: 1, s, c, i, h, k, m, p, o, u, a }, { maxBytes: PEER_BOUNDS.receiptBytes });
  return { receipt, signature: signer.sign('receipt', receipt) };
}

/** Throws InputError for what is no receipt. Does not look at the signature. */
export function readReceipt(bytes: Uint8Array): ReceiptFacts {
  const limits = { maxBytes: PEER_BOUNDS.receiptBytes, maxDepth: 1, maxItems: 64 };
  const fields = new Fields(decodeCbor(bytes, limits), 'the receipt');
  if (fields.count('v', 255) !== 1) throw malformed('the receipt is of another version');
  const facts: ReceiptFacts = {
    server: fields.text('s', 128, 1),
    client: fields.text('c', 128, 1),
    request: fields.bytes('i', ID_BYTES),
    hash: fields.bytes('h', 32),
    task: fields.oneOf('k', ['chat', 'embedding']),
    model: fields.text('m', 200, 1),
    promptTokens: fields.countOrNull('p', PEER_BOUNDS.tokens),
    completionTokens: fields.countOrNull('o', PEER_BOUNDS.tokens),
    outcome: fields.oneOf('u', ['answered', 'failed', 'left']),
    at: fields.count('a', LAST_MOMENT),
  };
  fields.end();
  return facts;
}

/** What an asking node knows of its own request. */
export type Expected = Pick<ReceiptFacts, 'server' | 'client' | 'request' | 'hash' | 'task' | 'model'> &
  Partial<Pick<ReceiptFacts, 'promptTokens' | 'completionTokens'>>;

/** Why the receipt does not count, or null when it is signed by the node that answered and says what was asked. */
export function receiptFault({ receipt, signature }: SignedReceipt, expected: Expected): string | null {
  let facts: ReceiptFacts;
  try {
    facts = readReceipt(receipt);
    if (!verify(publicKeyOfPeerId(expected.server), 'receipt', receipt, signature))
      return 'its signature is not that of the peer';
  } catch {
    return 'it is no receipt';
  }
  const same = (one: Uint8Array, other: Uint8Array) => Buffer.compare(one, other) === 0;
  if (facts.server !== expected.server || facts.client !== expected.client)
    return 'it names other nodes than the two';
  if (!same(facts.request, expected.request) || !same(facts.hash, expected.hash))
    return 'it is of another request';
  if (facts.task !== expected.task || facts.model !== expected.model) return 'it is of another model';
  for (const key of ['promptTokens', 'completionTokens'] as const)
    if (expected[key] !== undefined && expected[key] !== facts[key])
      return 'its tokens are not those of the answer';
  return null;
}

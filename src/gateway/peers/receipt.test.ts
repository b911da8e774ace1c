import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createIdentity } from '../../identity/index.ts';
import { hashOf, type ReceiptFacts, readReceipt, receiptFault, signReceipt } from './receipt.ts';

const server = createIdentity(new Uint8Array(32).fill(1));
const client = createIdentity(new Uint8Array(32).fill(2));

const facts: ReceiptFacts = {
  ...{ server: server.peerId, client: client.peerId, request: new Uint8Array(16).fill(3) },
  ...{ hash: hashOf(Uint8Array.of(1, 2, 3)), task: 'chat', model: 'm', promptTokens: 5, completionTokens: 2 },
  ...{ outcome: 'answered', at: 1_700_000_000_000 },
};

test('a receipt reads as it was signed, by the bytes that were signed', () => {
  const signed = signReceipt(facts, server);
  assert.deepEqual(readReceipt(signed.receipt), facts);
  assert.equal(receiptFault(signed, facts), null);
  // Ed25519 and the encoding are deterministic: the same facts are the same bytes on every machine.
  assert.equal(Buffer.from(hashOf(signed.receipt)).toString('hex'), GOLDEN);
});

test('a receipt that says anything else, or is signed by another, does not count', () => {
  const signed = signReceipt(facts, server);
  const other: Partial<ReceiptFacts>[] = [
    { server: client.peerId },
    { client: server.peerId },
    { request: new Uint8Array(16) },
    { hash: new Uint8Array(32) },
    { model: 'n' },
    { task: 'embedding' },
    { promptTokens: 6 },
    { completionTokens: 1 },
  ];
  for (const change of other)
    assert.ok(receiptFault(signed, { ...facts, ...change }), JSON.stringify(change));
  assert.match(receiptFault(signReceipt(facts, client), facts)!, /signature/);
  const damaged = Uint8Array.from(signed.receipt);
  damaged[10]! ^= 1;
  assert.ok(receiptFault({ ...signed, receipt: damaged }, facts));
  assert.match(receiptFault({ ...signed, receipt: new Uint8Array(0) }, facts)!, /no receipt/);
});

test('a receipt of a moment that is no date does not count, so that the list of receipts can always be shown', () => {
  const last = signReceipt({ ...facts, at: 8.64e15 }, server);
  assert.equal(receiptFault(last, facts), null);
  assert.ok(new Date(readReceipt(last.receipt).at).toISOString());
  assert.match(receiptFault(signReceipt({ ...facts, at: 8.64e15 + 1 }, server), facts)!, /no receipt/);
});

const GOLDEN = 'fad27398e731108f5ea6afaf42e9abd65a453bff656edd550c8e2b5c2ea3c09d';

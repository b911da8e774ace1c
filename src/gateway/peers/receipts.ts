/**
 * The receipts of what this node did for peers: the newest of each. The owner sees all of them, a peer its own.
 *
 * @module gateway/peers/receipts
 */
import { PEER_BOUNDS, type SignedReceipt } from './protocol.ts';
import type { ReceiptFacts } from './receipt.ts';

export interface KeptReceipt extends SignedReceipt {
  readonly facts: ReceiptFacts;
}

export interface Receipts {
  add(receipt: KeptReceipt): void;
  /** Of one peer, oldest first: the newest 64 at most. */
  of(peer: string): readonly KeptReceipt[];
  /** By peer, then oldest first. */
  all(): readonly KeptReceipt[];
}

/** Peers whose receipts are kept; the one not served for longest makes room. */
const maxPeers = 256;

export function createReceipts(most = maxPeers): Receipts {
  const kept = new Map<string, KeptReceipt[]>();
  return {
    add(receipt) {
      const { client } = receipt.facts;
      const own = kept.get(client) ?? [];
      kept.delete(client);
      own.push(receipt);
      if (own.length > PEER_BOUNDS.receipts) own.shift();
      kept.set(client, own);
      const [oldest] = kept.keys();
      if (kept.size > most && oldest !== undefined) kept.delete(oldest);
    },
    of: (peer) => [...(kept.get(peer) ?? [])],
    all: () => [...kept.values()].flat(),
  };
}

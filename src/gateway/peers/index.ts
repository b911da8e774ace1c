/**
 * Nodes that answer for each other: what they say (protocol), whom this node serves (policy), and how (service). The other
 * side, asking a peer, is the backend in `gateway/backends/peer`.
 *
 * @module gateway/peers
 */
export { decodeEvent, encodeEvent, type PeerEvent, type PeerFailure, type PeerUsage } from './events.ts';
export type { ServingPolicy } from './policy.ts';
export { isOpen, SERVE_NOBODY } from './policy.ts';
export * from './protocol.ts';
export { hashOf, type ReceiptFacts, type ReceiptSigner, readReceipt, receiptFault } from './receipt.ts';
export {
  type KeptReceipt,
  openReceipts,
  type ReceiptQuery,
  type Receipts,
  type ReceiptWay,
} from './receipts.ts';
export {
  decodeChat,
  decodeEmbedding,
  encodeChat,
  encodeEmbedding,
  type PeerChat,
  type PeerEmbedding,
} from './requests.ts';
export {
  type LeaseReport,
  type PeerService,
  type PeerServiceOptions,
  type ServedEngine,
  servePeers,
} from './service.ts';

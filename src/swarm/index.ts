/**
 * The swarm room: the network of peers. Calls and sessions between nodes, gossip, provider records; libp2p runs in a
 * thread of its own and none of its types leave.
 *
 * In: bytes and metadata for a peer, named by its PeerId. Out: its answer, or a typed error. It never decides how far a
 * peer is to be trusted; it asks, and keeps to the answer.
 *
 * @module swarm
 */
export { type Discoverer, startDiscovery } from './discovery/discovery.ts';
export { createSwarm } from './host.ts';
export * from './records/types.ts';
export {
  type Found,
  findPeers,
  LEFT_OUT,
  type LeftOutReason,
  type PeerQuery,
  type PeerStanding,
  type Views,
} from './registry/find.ts';
export { Registry } from './registry/registry.ts';
export { openRegistryStore } from './registry/store.ts';
export { PeerError } from './rpc/errors.ts';
export * from './types.ts';

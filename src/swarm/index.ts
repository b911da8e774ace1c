/**
 * The swarm room: the network of peers. Calls and sessions between nodes, gossip, provider records; libp2p runs in a
 * thread of its own and none of its types leave.
 *
 * @module swarm
 */

export {
  type Announcement,
  type BlockRange,
  type ModelName,
  PEER_STATES,
  type PeerState,
  REFUSALS,
  type Refusal,
  SERVES,
  type Serves,
} from './records/types.ts';
export { type Coverage, coverageOf } from './registry/coverage.ts';
export {
  type Candidate,
  type Found,
  findCoverage,
  findPeers,
  type Latency,
  LEFT_OUT,
  type LeftOut,
  type LeftOutReason,
  type PeerQuery,
  type PeerStanding,
  type Views,
} from './registry/find.ts';
export { type Offered, Registry, type RegistryOptions } from './registry/registry.ts';
export { openRegistryStore, type RegistryStore, type RegistryStoreOptions } from './registry/store.ts';
export * from './types.ts';

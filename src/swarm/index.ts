/**
 * The swarm room: the network of peers. Calls and sessions between nodes, gossip, provider records; libp2p runs in a
 * thread of its own and none of its types leave.
 *
 * In: bytes and metadata for a peer, named by its PeerId. Out: its answer, or a typed error. It never decides how far a
 * peer is to be trusted; it asks, and keeps to the answer.
 *
 * @module swarm
 */
export type { Offer } from './discovery/announcer.ts';
export { type Discoverer, type DiscoveryOptions, startDiscovery } from './discovery/discovery.ts';
export type { FillReport } from './discovery/fill.ts';
export type { Network } from './discovery/network.ts';
export { openHivemind } from './hivemind/dht.ts';
export { fromJson, type Json, toJson } from './hivemind/json.ts';
export { Float, type MsgValue, Tuple } from './hivemind/msgpack.ts';
export type {
  Hivemind,
  HivemindClaim,
  HivemindEntry,
  HivemindFound,
  HivemindOptions,
  HivemindState,
  HivemindStored,
} from './hivemind/types.ts';
export { createSwarm } from './host.ts';
export type { InboxLimits, InboxMessage } from './messages/inbox.ts';
export { MESSAGE_MAX_CHARS } from './messages/message.ts';
export { type Messages, type MessagesOptions, openMessages } from './messages/messages.ts';
export type { OutboxMessage, OutboxState } from './messages/outbox.ts';
export { readSpace, type SpaceTerms, spaceWords, withoutTerms } from './records/space.ts';
export * from './records/types.ts';
export { type Coverage, coverageOf } from './registry/coverage.ts';
export {
  type Candidate,
  type Found,
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
export { openRegistryStore, type RegistryStore } from './registry/store.ts';
export { PeerError } from './rpc/errors.ts';
export * from './types.ts';

/**
 * The swarm room: the network of peers. Calls and sessions between nodes, gossip, provider records; libp2p runs in a
 * thread of its own and none of its types leave.
 *
 * @module swarm
 */
export * from './types.ts';

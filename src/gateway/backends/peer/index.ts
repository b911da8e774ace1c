/**
 * Asking a peer: the backend over another node of the swarm, and its place among the gateway's backends.
 *
 * @module gateway/backends/peer
 */
export { createPeerBackend, type PeerBackend, type PeerBackendOptions, type PeerReceipt } from './backend.ts';
export { type PeerProviderOptions, type PeerStanding, peerProvider } from './provider.ts';

/**
 * The trust room: how far this node trusts a peer, from credentials, observations and endorsements.
 *
 * @module trust
 */
export * from './types.ts';

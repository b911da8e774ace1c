/**
 * The identity room: the node's key and its names, credentials, wallet and status lists.
 *
 * @module identity
 */
export * from './types.ts';

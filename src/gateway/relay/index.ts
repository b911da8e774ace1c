/**
 * Requests whose bytes are passed on as they are.
 *
 * @module gateway/relay
 */
export { createRelay, type Relay, type RelayRequest } from './relay.ts';
export { type ChatShape, scanChat } from './scan.ts';
export type { Relaying, RelayPort, RelayReader } from './types.ts';

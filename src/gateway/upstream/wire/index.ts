/**
 * HTTP/1.1 to one origin, over kept connections: what the gateway asks other servers by.
 *
 * It does what a gateway needs and no more: one request at a time on a connection, bodies in memory, no redirects, no
 * compression. A general client costs several times the processor time for each request.
 *
 * @module gateway/upstream/wire
 */
export { requestHead } from './head.ts';
export { Pool, type PoolOptions } from './pool.ts';
export { type AnswerHandler, type Control, type Headers, type Outgoing, WireError } from './types.ts';

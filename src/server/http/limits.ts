/**
 * Bounds of the HTTP edge. Every one is named in the error a client gets when it is reached.
 *
 * @module server/http/limits
 */
export interface ServerLimits {
  /** Bytes of a request body. @default 4 MiB */
  readonly bodyBytes: number;
  /** Nesting of objects and arrays in a JSON body. @default 32 */
  readonly jsonDepth: number;
  /** Open client connections. @default 512 */
  readonly connections: number;
  /** Open connections of one other machine. @default 64 */
  readonly connectionsPerPeer: number;
  /** Requests on one connection before it is closed; the client opens another. @default 10000 */
  readonly requestsPerConnection: number;
  /** Requests that may wait on one connection for the answer before theirs. @default 16 */
  readonly pipelined: number;
  /** Bytes of request bodies being received, all together. @default 64 MiB */
  readonly bodiesBytes: number;
  /** ms until the request headers must be complete. @default 15000 */
  readonly headersMs: number;
  /** ms until the whole request must have arrived. @default 60000 */
  readonly bodyMs: number;
  /** ms an idle keep-alive connection stays open. @default 75000 */
  readonly idleMs: number;
  /** ms a client may leave a full send buffer unread before it is cut off. @default 30000 */
  readonly slowReaderMs: number;
  /** ms without output after which a stream gets a comment, so that proxies keep it open. @default 15000 */
  readonly pingMs: number;
  /** ms after which a stream's 200 is sent although no event came yet; until then errors have their status. @default 45000 */
  readonly commitMs: number;
  /** Bytes of all request headers together. @default 16 KiB */
  readonly headerBytes: number;
  /** Request headers. @default 128 */
  readonly headerCount: number;
}

export const defaultServerLimits: ServerLimits = {
  bodyBytes: 4 * 1024 * 1024,
  jsonDepth: 32,
  connections: 512,
  connectionsPerPeer: 64,
  requestsPerConnection: 10_000,
  pipelined: 16,
  bodiesBytes: 64 * 1024 * 1024,
  headersMs: 15_000,
  bodyMs: 60_000,
  idleMs: 75_000,
  slowReaderMs: 30_000,
  pingMs: 15_000,
  commitMs: 45_000,
  headerBytes: 16 * 1024,
  headerCount: 128,
};

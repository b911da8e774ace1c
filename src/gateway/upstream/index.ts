/**
 * Connections to other servers: what `backends/` is built on.
 *
 * @module gateway/upstream
 */
export { parseJson } from './body.ts';
export { classify } from './classify.ts';
export {
  createUpstream,
  type EventStream,
  type JsonAnswer,
  type Upstream,
  type UpstreamOptions,
  type UpstreamRequest,
} from './client.ts';
export {
  badResponse,
  type FailureClass,
  failureOf,
  UpstreamError,
  type UpstreamErrorOptions,
} from './errors.ts';
export type { Timings } from './exchange.ts';
export { UPSTREAM_LIMITS, type UpstreamLimits } from './limits.ts';
export { type SseFrame, SseReader } from './sse.ts';
export type { AnswerHandler, Control, Headers } from './wire/index.ts';

/**
 * What one request to another server may take: time in each phase, bytes, events.
 *
 * @module gateway/upstream/limits
 */

/** Times in ms, null = no limit. Time in which the answer lies here unread counts for `totalMs` only. */
export interface UpstreamLimits {
  /** Until there is a connection to write the request to. @default 5000 */
  readonly connectMs: number | null;
  /** From the written request to the status line and headers. @default 60000 */
  readonly headersMs: number | null;
  /** From the call to the first token. Pings and empty deltas are no tokens. @default 60000 */
  readonly firstTokenMs: number | null;
  /** Between two tokens. @default 30000 */
  readonly interTokenMs: number | null;
  /** The whole request. @default 600000 */
  readonly totalMs: number | null;
  /** Bytes of an answer's body. @default 64 MiB */
  readonly maxResponseBytes: number;
  /** Bytes of one line of an event stream, and of the lines of one event together. @default 1 MiB */
  readonly maxLineBytes: number;
  /** Events of one stream. @default 1000000 */
  readonly maxEvents: number;
}

export const UPSTREAM_LIMITS: UpstreamLimits = {
  connectMs: 5000,
  headersMs: 60_000,
  firstTokenMs: 60_000,
  interTokenMs: 30_000,
  totalMs: 600_000,
  maxResponseBytes: 64 * 2 ** 20,
  maxLineBytes: 2 ** 20,
  maxEvents: 1_000_000,
};

/** The lower of each two limits. */
export function tighter(limits: UpstreamLimits, other: Partial<UpstreamLimits>): UpstreamLimits {
  const own: { -readonly [K in keyof UpstreamLimits]: UpstreamLimits[K] } = { ...limits };
  for (const key of Object.keys(limits) as (keyof UpstreamLimits)[])
    (own as Record<string, number | null>)[key] = least(limits[key], other[key] ?? null);
  return own;
}

const least = (one: number | null, other: number | null): number | null =>
  one === null ? other : other === null ? one : Math.min(one, other);

/**
 * How much is asked of peers that could not earn trust yet, and how often results are recomputed.
 *
 * A new name costs nothing, so whoever was caught can come back under one. It gains nothing by it: a new peer is Unknown,
 * all Unknown peers together get a twentieth of what is not sensitive, and the first 20 results of each are recomputed.
 *
 * @module trust/score/audits
 */

/** The first results of a peer, all of which are recomputed. */
export const PROBATION = 20;
/** How many of the later ones are. */
export const AUDIT_SHARE = 0.05;
/** What all Unknown peers together may get of the requests that are not sensitive. */
export const UNKNOWN_TRAFFIC_SHARE = 0.05;

/** The share of a peer's next results that is to be recomputed, after `audits` of them were. */
export function auditShare(audits: number, later: number = AUDIT_SHARE): number {
  return audits < PROBATION ? 1 : later;
}

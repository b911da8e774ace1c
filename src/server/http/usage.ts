/**
 * Token counts that are not known, in APIs that have no way to leave them out.
 *
 * @module server/http/usage
 */

/** Headers of an answer in which 0 may stand for a count that nobody knows. */
export function usageHeaders(known: boolean): Record<string, string> {
  return known ? {} : { 'x-kith-usage': 'unknown' };
}

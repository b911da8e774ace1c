/**
 * What a peer is told of an error of this node.
 *
 * @module gateway/peers/failure
 */
import { AbortedError, isKithError, type KithError } from '../../base/index.ts';
import type { PeerFailure } from './events.ts';

/** What the peer is told. Words of errors of this node's own making may hold paths and names: they stay here. */
export function failureOf(error: unknown): PeerFailure {
  const known = isKithError(error) && error.status < 500 && !(error instanceof AbortedError);
  const own = isKithError(error) && /^(peer_|model_|stopping$)/.test(error.code);
  const code = isKithError(error) && /^[a-z][a-z0-9_]{0,63}$/.test(error.code) ? error.code : 'peer_failed';
  return {
    type: 'error',
    code: known || own ? code : 'peer_failed',
    message: (known || own ? (error as Error).message : 'The peer failed while it answered.')
      .slice(0, 500)
      .toWellFormed(),
    status: known || own ? (error as KithError).status : 500,
    retryMs:
      isKithError(error) && error.retryAfter !== undefined ? Math.max(0, error.retryAfter * 1000) : null,
  };
}

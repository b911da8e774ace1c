/**
 * What failures on the way to a peer, and a peer's own words, mean to the gateway. A peer is a stranger's machine: nothing
 * that it says of a request keeps other backends from being asked.
 *
 * @module gateway/backends/peer/errors
 */
import { AbortedError, isKithError, type KithError, LimitError } from '../../../base/index.ts';
import type { PeerFailure } from '../../peers/index.ts';
import { type FailureClass, UpstreamError, type UpstreamErrorOptions } from '../../upstream/index.ts';

/** Codes of the swarm, and what became of the ask. */
const WAY: Readonly<Record<string, readonly [FailureClass, string]>> = {
  swarm_unreachable: ['connect_failed', 'peer_unreachable'],
  swarm_reset: ['cut', 'peer_cut'],
  swarm_timeout: ['timeout_headers', 'peer_silent'],
  swarm_denied: ['auth', 'peer_denied'],
  swarm_off: ['connect_failed', 'peer_unreachable'],
  swarm_down: ['connect_failed', 'peer_unreachable'],
  swarm_lost: ['connect_failed', 'peer_unreachable'],
  swarm_breaker: ['connect_failed', 'peer_unreachable'],
  swarm_rate: ['rate_limited', 'peer_busy'],
  swarm_busy: ['rate_limited', 'peer_busy'],
  swarm_unknown_method: ['not_supported', 'peer_denied'],
  peer_not_served: ['auth', 'peer_denied'],
  peer_allowance: ['rate_limited', 'peer_busy'],
  peer_lease_lost: ['rate_limited', 'peer_busy'],
};

export interface PeerName {
  /** As receipts call the backend. */
  readonly name: string;
  readonly peer: string;
}

export function peerError(
  failure: FailureClass,
  code: string,
  { name, peer }: PeerName,
  what: string,
  options: UpstreamErrorOptions = {},
): UpstreamError {
  const { details, ...rest } = options;
  return new UpstreamError(failure, code, `The peer '${name}' ${what}`, {
    ...rest,
    details: { peer, ...details },
  });
}

/** It answered what the protocol does not have, or what was not asked. */
export const badAnswer = (who: PeerName, what: string, cause?: unknown): UpstreamError =>
  peerError('bad_response', 'peer_bad_answer', who, what, cause === undefined ? {} : { cause });

/** Reads what a call of the swarm threw. */
export function wayFailure(error: unknown, who: PeerName, signal?: AbortSignal): KithError {
  if (signal?.aborted)
    return isKithError(signal.reason) ? signal.reason : new AbortedError(undefined, { cause: signal.reason });
  // A limit of this node says nothing of the peer.
  if (error instanceof UpstreamError || error instanceof LimitError) return error;
  if (!isKithError(error)) throw error;
  if (error.code === 'peer_malformed' || error.code === 'cbor_invalid')
    return badAnswer(who, `sent what the protocol does not have: ${error.message}`, error);
  const [failure, code] = WAY[error.code] ?? ['server_error', 'peer_failed'];
  const { retryAfter } = error;
  return peerError(failure, code, who, `did not answer: ${error.message}`, {
    logged: `The peer '${who.name}' did not answer (${error.code}).`,
    ...(retryAfter === undefined ? {} : { retryAfterMs: retryAfter * 1000 }),
    cause: error,
  });
}

/** Reads an `error` event. `mayBeTooLong`: the prompt could have more tokens than the model's window. */
export function saidFailure(said: PeerFailure, who: PeerName, mayBeTooLong: boolean): UpstreamError {
  const { code, message, status, retryMs } = said;
  const options = {
    logged: `The peer '${who.name}' answered with the error ${code}.`,
    ...(retryMs === null ? {} : { retryAfterMs: retryMs }),
    details: { said: code },
  };
  const words = `answered with an error: ${message} (${code})`;
  if (code === 'context_length_exceeded' && mayBeTooLong)
    return peerError('context_length', code, who, words, options);
  const known = WAY[code];
  if (known !== undefined) return peerError(known[0], known[1], who, words, options);
  if (status === 429 || status === 503) return peerError('rate_limited', 'peer_busy', who, words, options);
  // What it refuses another may answer.
  if (status >= 400 && status < 500) return peerError('not_supported', 'peer_refused', who, words, options);
  return peerError('server_error', 'peer_failed', who, words, options);
}

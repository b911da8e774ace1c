/**
 * Why no backend answered, as few reasons as people need to know what to do.
 *
 * @module gateway/ladder/explain/reason
 */
import { isKithError, type KithError } from '../../../base/index.ts';

export const REASONS = [
  'unreachable',
  'late',
  'busy',
  'privacy',
  'region',
  'budget',
  'access',
  'capability',
  'length',
  'filtered',
  'model',
  'failed',
] as const;
export type Reason = (typeof REASONS)[number];

const BY_CODE: Readonly<Record<string, Reason>> = {
  backends_unavailable: 'unreachable',
  upstream_connect_failed: 'unreachable',
  upstream_reset: 'unreachable',
  upstream_closed: 'unreachable',
  upstream_cut: 'unreachable',
  stream_cut: 'unreachable',
  engine_lost: 'unreachable',
  engine_unavailable: 'unreachable',
  ECONNREFUSED: 'unreachable',
  ENOTFOUND: 'unreachable',
  request_timeout: 'late',
  connect_timeout: 'late',
  headers_timeout: 'late',
  first_token_timeout: 'late',
  answer_timeout: 'late',
  stream_stalled: 'late',
  limit_reached: 'busy',
  rate_limit_exceeded: 'busy',
  upstream_rate_limited: 'busy',
  upstream_overloaded: 'busy',
  model_loading: 'busy',
  model_unloading: 'busy',
  stopping: 'busy',
  privacy_unmet: 'privacy',
  region_unmet: 'region',
  budget_exceeded: 'budget',
  upstream_quota: 'access',
  insufficient_quota: 'access',
  upstream_auth: 'access',
  capability_missing: 'capability',
  context_length_exceeded: 'length',
  content_filter: 'filtered',
  content_policy_violation: 'filtered',
  no_backend: 'model',
  model_not_found: 'model',
  model_not_installed: 'model',
};

const BY_STATUS: Readonly<Record<number, Reason>> = {
  401: 'access',
  402: 'access',
  404: 'model',
  408: 'late',
  429: 'busy',
  504: 'late',
};

export function reasonOf(error: KithError): Reason {
  // Several backends failed: when all failed alike, the first one's error says how.
  if (error.code === 'no_backend_answered') {
    const { cause } = error;
    return isKithError(cause) && cause.status === error.status ? reasonOf(cause) : 'failed';
  }
  if (Object.hasOwn(BY_CODE, error.code)) return BY_CODE[error.code]!;
  if (error.code.startsWith('upstream_timeout_')) return 'late';
  return BY_STATUS[error.status] ?? 'failed';
}

/**
 * What an error of a backend means: whether the same backend may be asked again, whether another may be asked, and
 * whether it says anything about the backend's health.
 *
 * @module gateway/resilience/failure
 */

import { isKithError, KithError, LimitError, loggedMessageOf, messageOf } from '../../base/index.ts';
import type { FailureClass } from '../upstream/errors.ts';

export type FailureKind =
  | 'aborted'
  | 'deadline'
  | 'stale'
  | 'unreachable'
  | 'reset'
  | 'silent'
  | 'timeout'
  | 'rate_limited'
  | 'overloaded'
  | 'server'
  | 'malformed'
  | 'busy'
  | 'context'
  | 'filtered'
  | 'access'
  | 'refused'
  | 'unexpected';

interface FailureRule {
  /** The same backend may be asked again, after a wait. */
  readonly again: boolean;
  /** Another backend may be asked. */
  readonly elsewhere: boolean;
  /** Counts towards opening the backend's breaker. */
  readonly counts: boolean;
}

const retry: FailureRule = { again: true, elsewhere: true, counts: true };
const final: FailureRule = { again: false, elsewhere: false, counts: false };

export const FAILURES: Readonly<Record<FailureKind, FailureRule>> = {
  /** The caller left. It says nothing about the backend. */
  aborted: final,
  /** The caller's own time limit: a short one must not open breakers. */
  deadline: final,
  /** A kept-alive connection that the other side had closed already: the request never reached it. */
  stale: { again: true, elsewhere: true, counts: false },
  unreachable: retry,
  reset: retry,
  /** Nothing came within a limit. It would be silent again: one attempt, then another backend. */
  silent: { again: false, elsewhere: true, counts: true },
  /** It answered that it (or something behind it) took too long. */
  timeout: retry,
  rate_limited: retry,
  overloaded: retry,
  server: retry,
  malformed: retry,
  /** A limit of this node itself (its queue is full, its model is still loading): load, not a fault. */
  busy: { again: true, elsewhere: true, counts: false },
  /** The prompt is too long for this model: once to a larger one. */
  context: { again: false, elsewhere: false, counts: false },
  /** What the model's owner does not answer is not asked of others behind the caller's back. */
  filtered: final,
  /** Key, credit or model are missing there. The request is sound: others may answer it. */
  access: { again: false, elsewhere: true, counts: false },
  /** The request is at fault; every backend would say so. 403 is here because providers refuse content with it. */
  refused: final,
  /** A mistake in a backend's code. */
  unexpected: { again: false, elsewhere: true, counts: true },
};

export interface Failure extends FailureRule {
  readonly kind: FailureKind;
  /** The error, as a `KithError`. */
  readonly error: KithError;
  /** ms to wait before this backend is asked again, as it said itself; null when it did not say. */
  readonly retryAfterMs: number | null;
}

const byCode: Readonly<Record<string, FailureKind>> = {
  aborted: 'aborted',
  request_timeout: 'deadline',
  connection_stale: 'stale',
  context_length_exceeded: 'context',
  content_filter: 'filtered',
  content_policy_violation: 'filtered',
  // Every node would send it round again.
  loop_detected: 'refused',
  insufficient_quota: 'access',
  // What may not leave the owner's machines may still be answered on them.
  privacy_unmet: 'access',
  privacy_search_failed: 'access',
  upstream_quota: 'access',
  answer_malformed: 'malformed',
  first_token_timeout: 'silent',
  connect_timeout: 'silent',
  headers_timeout: 'silent',
  answer_timeout: 'silent',
  model_loading: 'busy',
  model_unloading: 'busy',
  stopping: 'busy',
  // Paths through peers: of one model, so that they say nothing of others.
  path_gap: 'access',
  path_none: 'access',
  circuits_full: 'busy',
  // Others may have room; who asks these again comes after the time they named.
  path_busy: 'access',
  path_closed: 'busy',
  path_lost: 'reset',
  stream_cut: 'reset',
  stream_stalled: 'silent',
  ECONNREFUSED: 'unreachable',
  ENOTFOUND: 'unreachable',
  EAI_AGAIN: 'unreachable',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  ETIMEDOUT: 'silent',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
};

/** What the connections to other servers call their failures. */
const byClass: Readonly<Record<FailureClass, FailureKind>> = {
  connect_failed: 'unreachable',
  timeout_connect: 'silent',
  timeout_headers: 'silent',
  timeout_first_token: 'silent',
  timeout_inter_token: 'silent',
  timeout_total: 'silent',
  rate_limited: 'rate_limited',
  server_error: 'server',
  bad_response: 'malformed',
  cut: 'reset',
  auth: 'access',
  bad_request: 'refused',
  context_length: 'context',
  content_filter: 'filtered',
  not_supported: 'access',
  aborted: 'aborted',
};

const byStatus: Readonly<Record<string, FailureKind>> = {
  401: 'access',
  402: 'access',
  404: 'access',
  407: 'access',
  408: 'timeout',
  409: 'busy',
  425: 'busy',
  429: 'rate_limited',
  499: 'server',
  503: 'overloaded',
  504: 'timeout',
  529: 'overloaded',
};

/** Reads anything a backend threw. `reused: true` in an error's details marks a connection that was kept alive. */
export function failureOf(thrown: unknown): Failure {
  const code = codeOf(thrown);
  const error = isKithError(thrown)
    ? thrown
    : new KithError(code ?? 'backend_failed', `The backend failed: ${messageOf(thrown)}`, {
        status: 502,
        logged: `The backend failed: ${loggedMessageOf(thrown)}`,
        cause: thrown,
      });
  const kind = isKithError(thrown)
    ? kindOf(thrown)
    : ((code === null ? null : lookUp(byCode, code)) ?? 'unexpected');
  return { kind, error, retryAfterMs: retryAfterOf(error), ...FAILURES[kind] };
}

/** True for a limit of the whole answer: what is left of it would come too late from anywhere. */
export function isTotal({ error }: Failure): boolean {
  return error.code === 'answer_timeout' || error.details.failure === 'timeout_total';
}

function lookUp(table: Readonly<Record<string, FailureKind>>, key: string): FailureKind | null {
  return Object.hasOwn(table, key) ? table[key]! : null;
}

function codeOf(thrown: unknown): string | null {
  const code = (thrown as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : null;
}

function retryAfterOf(error: KithError): number | null {
  const { retryAfterMs } = error as { retryAfterMs?: unknown };
  if (typeof retryAfterMs === 'number' && retryAfterMs >= 0) return retryAfterMs;
  return error.retryAfter === undefined ? null : Math.max(0, error.retryAfter * 1000);
}

function kindOf(error: KithError): FailureKind {
  const { failure, upstreamStatus, reused } = error.details;
  const known = lookUp(byCode, error.code) ?? (typeof failure === 'string' ? lookUp(byClass, failure) : null);
  if (known === 'reset' || known === 'unreachable') return reused === true ? 'stale' : known;
  // 'The model is not here' is one of the refusals that says nothing of the request.
  if (known === 'refused') return error.status === 404 ? 'access' : known;
  if (known === 'server')
    return typeof upstreamStatus === 'number' ? (lookUp(byStatus, String(upstreamStatus)) ?? known) : known;
  if (known !== null) return known;
  if (error instanceof LimitError) return 'busy';
  const named = lookUp(byStatus, String(error.status));
  return named ?? (error.status >= 400 && error.status < 500 ? 'refused' : 'server');
}

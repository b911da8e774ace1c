/**
 * The error for a request that no candidate may answer.
 *
 * @module gateway/policy/refusal
 */
import { KithError } from '../../base/index.ts';
import type { Conditions } from '../resilience/index.ts';
import type { Candidate, Exclusion, FilterName } from './types.ts';

const errors: Readonly<Record<FilterName, { readonly code: string; readonly status: number }>> = {
  privacy: { code: 'privacy_unmet', status: 403 },
  peer: { code: 'peer_unmet', status: 403 },
  region: { code: 'region_unmet', status: 403 },
  tools: { code: 'capability_missing', status: 400 },
  json: { code: 'capability_missing', status: 400 },
  vision: { code: 'capability_missing', status: 400 },
  context: { code: 'context_length_exceeded', status: 400 },
  budget: { code: 'budget_exceeded', status: 429 },
  breaker: { code: 'backends_unavailable', status: 503 },
  cooling: { code: 'backends_unavailable', status: 503 },
};

const order = Object.keys(errors) as FilterName[];

/** The nearest miss names the error: the candidate that came furthest through the filters. */
export function refusal(
  candidates: readonly Candidate[],
  exclusions: readonly (Exclusion | null)[],
  conditions: Conditions,
): KithError {
  const reasons = candidates.map(
    ({ backend }, index) => `'${backend.name}': ${exclusions[index]?.reason ?? 'it may'}`,
  );
  const depth = exclusions.map((one) => (one === null ? -1 : order.indexOf(one.filter)));
  const nearest = order[Math.max(...depth)];
  if (nearest === undefined)
    return new KithError('no_backend', 'No backend has this model.', {
      status: 404,
      details: { refusal: true },
    });
  const { code, status } = errors[nearest];
  const spent = exclusions.flatMap((one) => (one?.spent === undefined ? [] : [one.spent]));
  const soonest = spent.sort((a, b) => (a.until ?? Number.MAX_VALUE) - (b.until ?? Number.MAX_VALUE))[0];
  const budget = nearest === 'budget' ? soonest : undefined;
  const shown = reasons.length > 8 ? [...reasons.slice(0, 8), `and ${reasons.length - 8} more`] : reasons;
  const waits =
    status === 503
      ? candidates
          .map(({ backend }) => conditions.of(backend.name))
          .map(({ coolMs, breaker }) => Math.max(coolMs, breaker.waitMs))
          .filter((ms) => ms > 0)
      : [];
  return new KithError(code, `No backend may answer this request. ${shown.join('; ')}.`, {
    status,
    details: { refusal: true, filter: nearest, ...(budget === undefined ? {} : { budget: budget.name }) },
    ...(budget === undefined || budget.retryAfter === null ? {} : { retryAfter: budget.retryAfter }),
    ...(waits.length === 0 ? {} : { retryAfter: Math.ceil(Math.min(...waits) / 1000) }),
  });
}

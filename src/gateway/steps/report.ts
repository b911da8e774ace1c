/**
 * The receipt's `route`: which step answered, who was asked, and the evidence of privacy.
 *
 * @module gateway/steps/report
 */
import { costOf } from '../accounting/index.ts';
import type { GatewayProvider } from '../options.ts';
import type { FoundClass, PrivacyLevel } from '../privacy/index.ts';
import type { AttemptRecord } from '../resilience/index.ts';
import type { ComplexityNote, PrivacyEvidence, RouteReport } from '../types.ts';
import type { Plan } from './plan.ts';

/** Evidence for an answer that no machine computed. */
export function nowhere(level: PrivacyLevel): PrivacyEvidence {
  return { level, where: null, link: null, replaced: null };
}

export function evidenceOf(
  level: PrivacyLevel,
  destination: GatewayProvider['destination'],
  replaced: readonly FoundClass[] | null,
): PrivacyEvidence {
  const here = destination.kind === 'this_machine';
  return { level, where: destination.kind, link: here ? null : destination.link, replaced };
}

/** Attempts that came to nothing, by the error they ended in: what stands in for the answer tells them. */
const failed = new WeakMap<object, readonly AttemptRecord[]>();

export function failedWith(error: unknown, attempts: readonly AttemptRecord[]): void {
  if (typeof error === 'object' && error !== null) failed.set(error, attempts);
}

/** Attempts that led to the error of a request; none where it was never sent. */
export function attemptsBefore(error: object): readonly AttemptRecord[] {
  return failed.get(error) ?? [];
}

/** Tokens as the backend counted them; null = it did not. */
export interface Counts {
  readonly promptTokens: number | null;
  readonly cachedTokens: number | null;
  readonly completionTokens: number | null;
}

/** Money for the tokens at the plan's candidate; null where price or tokens are unknown. */
export function spent(plan: Plan, backend: string, counts: Counts): number | null {
  const candidate = plan.candidates.find((one) => one.backend.name === backend);
  if (candidate === undefined) return null;
  if (plan.providerOf(backend).step === 'local') return 0;
  return costOf(counts, candidate.price);
}

/** A peer that the request kept from itself. */
function passedOver({ candidate: { backend, model } }: Plan['unmet'][number]): AttemptRecord {
  const none = { kind: null, waitMs: 0, firstTokenMs: null, ms: 0 };
  return {
    backend: backend.name,
    model,
    reason: 'first choice',
    outcome: 'skipped',
    code: 'peer_unmet',
    ...none,
  };
}

export function routeReport(
  plan: Plan,
  backend: string,
  attempts: readonly AttemptRecord[],
  replaced: readonly FoundClass[] | null,
  cost: number | null,
  complexity: ComplexityNote | null = plan.complexity,
): RouteReport {
  const provider = plan.providerOf(backend);
  return {
    step: provider.step,
    // The records go on changing while the answer is made.
    attempts: [...plan.unmet.map(passedOver), ...attempts.map((attempt) => ({ ...attempt }))],
    privacy: evidenceOf(plan.wishes.privacy, provider.destination, plan.redacts(backend) ? replaced : null),
    cache: null,
    cost,
    complexity,
  };
}

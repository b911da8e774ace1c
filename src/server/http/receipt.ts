/**
 * The receipt of an answer as headers and as a body field, the same in every API.
 *
 * @module server/http/receipt
 */
import type { PathReport, Receipt, RouteReport } from '../../gateway/index.ts';

/** Headers known before the answer. */
export function startHeaders(start: {
  readonly backend: string;
  readonly model: string;
  readonly route?: RouteReport;
}): Record<string, string> {
  const { backend, model, route } = start;
  const headers: Record<string, string> = {
    'x-kith-backend': headerText(backend),
    'x-kith-model': headerText(model),
  };
  if (route === undefined) return headers;
  headers['x-kith-step'] = route.step;
  headers['x-kith-privacy'] = route.privacy.level;
  headers['x-kith-attempts'] = String(route.attempts.length);
  if (route.cache !== null) headers['x-kith-cache'] = route.cache.status;
  return headers;
}

/** Headers known when the answer is complete. Unknown values are left out. */
export function receiptHeaders(receipt: Receipt): Record<string, string> {
  const headers = startHeaders(receipt);
  const put = (name: string, value: number | null) => {
    if (value !== null) headers[name] = String(Math.round(value));
  };
  put('x-kith-queue-ms', receipt.queueMs);
  put('x-kith-prefill-ms', receipt.prefillMs);
  put('x-kith-decode-ms', receipt.decodeMs);
  const cost = receipt.route?.cost ?? null;
  if (cost !== null) headers['x-kith-cost'] = String(cost);
  return headers;
}

/** The receipt as a body field, times in tenths of a millisecond: what is beyond is noise. Unknown values are null. */
export function receiptBody(receipt: Receipt) {
  const { backend, model, queueMs, prefillMs, decodeMs, notes, draftedTokens, acceptedTokens } = receipt;
  return {
    backend,
    model,
    queue_ms: tenths(queueMs),
    prefill_ms: tenths(prefillMs),
    decode_ms: tenths(decodeMs),
    ...(draftedTokens === undefined
      ? {}
      : { drafted_tokens: draftedTokens, accepted_tokens: acceptedTokens ?? 0 }),
    notes,
    ...(receipt.route === undefined ? {} : { route: routeBody(receipt.route) }),
    ...(receipt.path === undefined ? {} : { path: pathBody(receipt.path) }),
  };
}

/** Which nodes computed which blocks. */
function pathBody({ pausedMs, stepMs, ...path }: PathReport) {
  return { ...path, paused_ms: tenths(pausedMs), step_ms: tenths(stepMs) };
}

/** How the answer was come by. */
function routeBody({ step, attempts, privacy, cache, cost, complexity }: RouteReport) {
  return {
    step,
    attempts: attempts.map(({ backend, model, reason, outcome, code, waitMs, firstTokenMs, ms }) => ({
      backend,
      model,
      reason,
      outcome,
      code,
      wait_ms: tenths(waitMs),
      first_token_ms: tenths(firstTokenMs),
      ms: tenths(ms),
    })),
    privacy,
    cache:
      cache === null
        ? null
        : {
            ...{ status: cache.status, age_ms: cache.ageMs, saved_tokens: cache.savedTokens },
            ...(cache.similarity === undefined ? {} : { similarity: cache.similarity }),
          },
    cost,
    complexity,
  };
}

function tenths(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms * 10) / 10;
}

function headerText(value: string): string {
  return value.replace(/[^\x20-\x7e]/g, '?');
}

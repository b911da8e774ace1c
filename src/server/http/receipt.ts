/**
 * The receipt of an answer as headers and as a body field, the same in every API.
 *
 * @module server/http/receipt
 */
import type { Receipt } from '../../gateway/index.ts';

/** Headers known before the answer. */
export function startHeaders(start: {
  readonly backend: string;
  readonly model: string;
}): Record<string, string> {
  return { 'x-kith-backend': headerText(start.backend), 'x-kith-model': headerText(start.model) };
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
  return headers;
}

/** The receipt as a body field, times in tenths of a millisecond: what is beyond is noise. Unknown values are null. */
export function receiptBody(receipt: Receipt) {
  const { backend, model, queueMs, prefillMs, decodeMs, notes } = receipt;
  return {
    backend,
    model,
    queue_ms: tenths(queueMs),
    prefill_ms: tenths(prefillMs),
    decode_ms: tenths(decodeMs),
    notes,
  };
}

function tenths(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms * 10) / 10;
}

function headerText(value: string): string {
  return value.replace(/[^\x20-\x7e]/g, '?');
}

/**
 * Usage, receipt headers and the names of finish reasons in the OpenAI shapes.
 *
 * @module server/openai/usage
 */
import type { ChatEvent, Receipt } from '../../gateway/index.ts';

type UsageEvent = Extract<ChatEvent, { type: 'usage' }>;

export function usageBody(usage: UsageEvent) {
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedTokens },
  };
}

/** An answer cut by a time limit or by its caller is incomplete, which OpenAI's API calls `length`. */
export function finishReason(reason: 'stop' | 'length' | 'aborted'): 'stop' | 'length' {
  return reason === 'stop' ? 'stop' : 'length';
}

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

/** The receipt as a body field. Unknown values are null. */
export function receiptBody(receipt: Receipt) {
  const { backend, model, queueMs, prefillMs, decodeMs } = receipt;
  return { backend, model, queue_ms: queueMs, prefill_ms: prefillMs, decode_ms: decodeMs };
}

function headerText(value: string): string {
  return value.replace(/[^\x20-\x7e]/g, '?');
}

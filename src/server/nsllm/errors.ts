/**
 * Errors in NS-LLM's shape: the message as a text under `error`, and what Kith knows beside it.
 *
 * @module server/nsllm/errors
 */
import type { Fault } from '../http/errors.ts';

export interface NsLlmError {
  readonly error: string;
  readonly code: string;
  /** Field of the body that is to blame; null when none is. */
  readonly param: string | null;
  readonly request_id: string;
}

export function nsLlmError({ message, code, param }: Fault, requestId: string): NsLlmError {
  return { error: message, code, param, request_id: requestId };
}

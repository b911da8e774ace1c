/**
 * What surrounds the choices of an answer, the same for chat and completions, whole and streamed.
 *
 * @module server/openai/envelope
 */
import type { ServerResponse } from 'node:http';
import type { ChatEvent } from '../../gateway/index.ts';
import { sendJson } from '../http/exchange.ts';
import { receiptBody, receiptHeaders } from '../http/receipt.ts';
import { usageBody } from './usage.ts';

export interface Head {
  readonly id: string;
  readonly created: number;
  readonly system_fingerprint: string;
}

type UsageEvent = Extract<ChatEvent, { type: 'usage' }>;

/** One chunk of a stream. `usage` stands in every chunk when it was asked for, null until the last. */
export function chunkOf(
  head: Head,
  object: string,
  model: string,
  choices: readonly unknown[],
  usage: unknown,
): object {
  const { id, created, system_fingerprint } = head;
  return {
    id,
    object,
    created,
    model,
    system_fingerprint,
    choices,
    ...(usage === undefined ? {} : { usage }),
  };
}

/** Sends the whole answer with its receipt in the headers and, when asked for, in the body. */
export function sendAnswer(
  response: ServerResponse,
  head: Head,
  object: string,
  choices: readonly unknown[],
  event: UsageEvent,
  receipt: boolean,
): void {
  const { id, created, system_fingerprint } = head;
  const usage = usageBody(event);
  const body = {
    id,
    object,
    created,
    model: event.receipt.model,
    choices,
    ...(usage === null ? {} : { usage }),
    system_fingerprint,
    ...(receipt ? { kith: receiptBody(event.receipt) } : {}),
  };
  sendJson(response, 200, body, receiptHeaders(event.receipt));
}

/**
 * The question that a request asks.
 *
 * @module gateway/ladder/question
 */
import type { ChatRequest } from '../types.ts';

/** The text of the newest message of the user, without blanks around it; null when there is none. */
export function questionOf({ messages }: Pick<ChatRequest, 'messages'>): string | null {
  const newest = messages.findLast(({ role }) => role === 'user')?.content;
  const text = typeof newest === 'string' ? newest.trim() : '';
  return text === '' ? null : text;
}

/** The caller counts on a form of the answer that no text of ours has, or goes on from a beginning of an answer. */
export function needsForm({ grammar, toolChoice, prefill }: ChatRequest): boolean {
  const calls = toolChoice === 'required' || typeof toolChoice === 'object';
  return (grammar !== undefined && grammar.kind !== 'text') || calls || (prefill ?? '') !== '';
}

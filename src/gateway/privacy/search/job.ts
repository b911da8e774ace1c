/**
 * One piece of work on a conversation: the texts of a request in, the same with placeholders out. Plain data both ways,
 * so that it can be done in another thread.
 *
 * @module gateway/privacy/search/job
 */
import { type ChatTexts, hideChat, type PrivacyReport } from '../chat.ts';
import type { Conversation, ConversationState } from '../conversation.ts';
import type { PatternSource } from '../pattern/index.ts';
import { Tally } from '../tally.ts';

/** The texts of a chat request, or texts that stand for themselves. */
export type HideJob =
  | { readonly kind: 'chat'; readonly texts: ChatTexts }
  | { readonly kind: 'list'; readonly texts: readonly string[] };

export type HideResult<J extends HideJob = HideJob> = {
  readonly texts: J['texts'];
  readonly report: PrivacyReport;
};

/** @throws LimitError (413) when it holds more than is replaced; nothing may be sent then */
export function runHide<J extends HideJob>(job: J, conversation: Conversation): HideResult<J> {
  if (job.kind === 'chat') {
    const { request, report } = hideChat(job.texts, conversation);
    return { texts: request, report };
  }
  const tally = new Tally();
  const learned = job.texts.map((text) => conversation.learn(text));
  const texts = job.texts.map((text, i) => conversation.hide(text, { tally, learned: learned[i]! }));
  return { texts, report: { found: tally.found(), unchecked: [] } };
}

/** UTF-16 units of every string in a value. It stops counting where there are more than `limit`. */
export function unitsOf(value: unknown, limit = Number.POSITIVE_INFINITY): number {
  let units = 0;
  const left: unknown[] = [value];
  while (left.length > 0 && units <= limit) {
    const one = left.pop();
    if (typeof one === 'string') units += one.length;
    else if (ArrayBuffer.isView(one)) units += one.byteLength;
    else if (Array.isArray(one)) for (const item of one) left.push(item);
    else if (typeof one === 'object' && one !== null)
      for (const [key, item] of Object.entries(one)) {
        units += key.length;
        left.push(item);
      }
  }
  return units;
}

/** What a search thread is given when it starts. */
export interface SearchSetup {
  /** The owner's patterns, besides what is built in. */
  readonly patterns: readonly PatternSource[];
  /** One number: 1 as soon as nobody wants the work any more. */
  readonly stop: SharedArrayBuffer;
}

export interface SearchRequest {
  readonly id: number;
  readonly job: HideJob;
  readonly state: ConversationState;
}

export type SearchReply =
  | {
      readonly id: number;
      readonly type: 'done';
      readonly result: HideResult;
      readonly state: ConversationState;
    }
  | { readonly id: number; readonly type: 'stopped' }
  | {
      readonly id: number;
      readonly type: 'error';
      readonly code: string;
      readonly message: string;
      readonly status: number;
    };

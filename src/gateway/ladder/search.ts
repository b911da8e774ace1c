/**
 * Search adapters in the owner's order: each within its limits, each failing softly, none told more than the privacy of
 * the request allows.
 *
 * @module gateway/ladder/search
 */
import { AbortedError, type Clock, isKithError, type Logger, throwIfAborted } from '../../base/index.ts';
import {
  BUILT_IN_DETECTORS,
  Conversation,
  type Detector,
  type FoundClass,
  mayGoTo,
  Tally,
} from '../privacy/index.ts';
import type { ChatRequest } from '../types.ts';
import { type Found, readFinding } from './finding.ts';
import { questionOf } from './question.ts';
import type { Distress, SearchAdapter } from './types.ts';

export interface SearchRun {
  readonly adapters: readonly SearchAdapter[];
  readonly clock: Clock;
  readonly log: Logger;
  /** ms for each adapter. */
  readonly timeLimitMs: number;
  /** What is personal data, besides what is built in. */
  readonly detectors?: readonly Detector[];
}

export interface SearchOutcome {
  readonly adapter: SearchAdapter;
  readonly found: Found;
  /** One sentence for each adapter before it that was not asked or failed. */
  readonly notes: readonly string[];
  /** What of the question was replaced before it left; null when nothing had to be. */
  readonly replaced: readonly FoundClass[] | null;
}

/** UTF-16 units of the longest text that counts as a question. */
export const MAX_QUESTION = 2000;

/** The first finding; null when no adapter has one. Throws `AbortedError` only. */
export async function searchAll(
  run: SearchRun,
  request: ChatRequest,
  { privacy, locale, signal }: Distress,
): Promise<SearchOutcome | null> {
  throwIfAborted(signal);
  const question = questionOf(request);
  if (question === null || question.length > MAX_QUESTION) return null;
  const notes: string[] = [];
  let hidden: Hidden | null = null;
  for (const adapter of run.adapters) {
    const permission = mayGoTo(privacy, adapter.destination);
    if (!permission.allowed) {
      notes.push(`Search adapter '${adapter.name}' was not asked: ${permission.reason}.`);
      continue;
    }
    try {
      if (permission.redact) hidden ??= hide(request, question, run.detectors);
      const sent = permission.redact ? hidden : null;
      const answer = await within(run, signal, (inner) =>
        adapter.search(sent?.question ?? question, { locale, signal: inner }),
      );
      const found = readFinding(answer, sent?.conversation ?? null);
      if (found !== null) return { adapter, found, notes, replaced: sent?.replaced ?? null };
    } catch (error) {
      throwIfAborted(signal);
      const why = error === TIMED_OUT ? `it took longer than ${run.timeLimitMs} ms` : codeOf(error);
      notes.push(`Search adapter '${adapter.name}' failed: ${why}.`);
      // Messages of other people's code may hold the question: the log is not told them.
      run.log.warn('a search adapter failed', { adapter: adapter.name, why });
    }
  }
  return null;
}

interface Hidden {
  readonly question: string;
  readonly conversation: Conversation;
  readonly replaced: readonly FoundClass[];
}

/** UTF-16 units of the conversation that are searched for names, the newest: more would hold up other requests. */
const MAX_LEARNED = 20_000;

/** The question with placeholders; names that stand in the messages before it are known in it. */
function hide({ messages }: ChatRequest, question: string, detectors?: readonly Detector[]): Hidden {
  const conversation = new Conversation({ detectors: [...BUILT_IN_DETECTORS, ...(detectors ?? [])] });
  let left = MAX_LEARNED;
  for (const { content } of messages.toReversed()) {
    if (typeof content !== 'string') continue;
    if (left <= 0) break;
    conversation.learn(content.slice(-left));
    left -= content.length;
  }
  const tally = new Tally();
  return { question: conversation.hide(question, { tally }), conversation, replaced: tally.found() };
}

const TIMED_OUT = Symbol('the time limit passed');

/** Rejects with `TIMED_OUT`, or with the caller's abort, whether `work` heeds its signal or not. */
async function within<T>(
  { clock, timeLimitMs }: SearchRun,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const inner = AbortSignal.any([signal, over.signal]);
  const gone = Promise.withResolvers<never>();
  const leave = () => gone.reject(new AbortedError(undefined, { cause: signal.reason }));
  signal.addEventListener('abort', leave, { once: true });
  const late = clock.sleep(timeLimitMs, inner).then(() => {
    over.abort(TIMED_OUT);
    throw TIMED_OUT;
  });
  // Whoever loses the race must not end as an unhandled rejection.
  late.catch(() => {});
  gone.promise.catch(() => {});
  const working = (async () => work(inner))();
  working.catch(() => {});
  try {
    return await Promise.race([working, late, gone.promise]);
  } finally {
    signal.removeEventListener('abort', leave);
    over.abort();
  }
}

function codeOf(error: unknown): string {
  if (isKithError(error)) return error.code;
  return error instanceof Error ? error.constructor.name.slice(0, 60) : 'it threw what is no error';
}

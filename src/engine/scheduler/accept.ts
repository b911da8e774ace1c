/**
 * What a job must satisfy before it is queued, and how the `slide` policy makes room.
 *
 * @module engine/scheduler/accept
 */
import { InputError, LimitError } from '../../base/index.ts';
import type { SchedulerJob } from './types.ts';

export interface Room {
  readonly vocab: number;
  /** Tokens of one sequence, prompt and answer together. */
  readonly context: number;
  readonly kvCells: number;
}

const MAX_STOPS = 64;

/** @throws InputError, LimitError as `Scheduler.submit` says */
export function checkJob(job: SchedulerJob, { vocab, context, kvCells }: Room): void {
  const param = job.promptParam ?? 'prompt';
  const promptTokens = job.tokens.length;
  if (promptTokens === 0) {
    throw new InputError('prompt_empty', 'The prompt has no tokens; give at least one character.', { param });
  }
  for (const token of job.tokens) {
    if (token >= 0 && token < vocab) continue;
    throw new InputError('token_invalid', `Token ${token} is not in the model's vocabulary of ${vocab}.`, {
      param,
    });
  }
  whole(job.maxTokens, 'maxTokens', 0);
  whole(job.timeoutMs ?? null, 'timeoutMs', 1);
  whole(job.keepTokens ?? null, 'keepTokens', 0);
  if (!Number.isFinite(job.priority ?? 0)) {
    throw new InputError('option_invalid', `priority must be a number; got ${job.priority}.`, {
      param: 'priority',
    });
  }
  if (job.stop.length > MAX_STOPS) {
    throw new InputError('option_invalid', `At most ${MAX_STOPS} stop strings; got ${job.stop.length}.`, {
      param: 'stop',
    });
  }
  const limit = Math.min(context, kvCells);
  if (job.overflow === 'slide') {
    const keep = Math.min(job.keepTokens ?? 0, promptTokens);
    if (keep <= limit - 2) return;
    throw new InputError(
      'option_invalid',
      `keepTokens is ${keep}; with a context of ${limit} tokens at most ${limit - 2} can be kept.`,
      { param: 'keepTokens', details: { keepTokens: keep, context: limit } },
    );
  }
  if (promptTokens >= context) {
    throw new InputError(
      'context_length_exceeded',
      `The prompt has ${promptTokens} tokens and the model's context holds ${context}, answer included. Shorten the prompt, raise \`engine.context\` or ask for overflow 'slide'.`,
      { param, details: { promptTokens, context } },
    );
  }
  if (promptTokens >= kvCells) {
    throw new LimitError(
      'engine.kvCells',
      kvCells,
      `The prompt has ${promptTokens} tokens and all sequences together may hold ${kvCells} (\`engine.kvCells\`), so it can never run. Raise the limit or shorten the prompt.`,
      { status: 400, param, details: { promptTokens } },
    );
  }
}

function whole(value: number | null, param: string, least: number): void {
  if (value === null || (Number.isSafeInteger(value) && value >= least)) return;
  throw new InputError('option_invalid', `${param} must be an integer of at least ${least}; got ${value}.`, {
    param,
  });
}

/**
 * Tokens to drop after the first `keep` so that `count` tokens leave room in `limit`: whole steps of half of what
 * is not kept. 0 when there is room.
 */
export function slideBy(count: number, keep: number, limit: number): number {
  if (count < limit) return 0;
  const step = Math.max(1, Math.floor((limit - keep) / 2));
  return Math.ceil((count - limit + 1) / step) * step;
}

/** Over `engine.maxQueue`: 429. */
export function queueFull(waiting: number, limit: number, retryAfter: number): LimitError {
  return new LimitError(
    'engine.maxQueue',
    limit,
    `${waiting} ${waiting === 1 ? 'request waits' : 'requests wait'} already (\`engine.maxQueue\` is ${limit}). Try again in ${retryAfter} s.`,
    { retryAfter },
  );
}

/** Over `engine.maxWaitMs`, or the request's own `timeoutMs` where that is shorter: 503. */
export function waitedTooLong(
  waitedMs: number,
  timeoutMs: number,
  maxWaitMs: number,
  retryAfter: number,
): LimitError {
  const own = timeoutMs < maxWaitMs;
  const name = own ? 'timeoutMs' : 'engine.maxWaitMs';
  const value = own ? timeoutMs : maxWaitMs;
  return new LimitError(
    name,
    value,
    `The request waited ${Math.round(waitedMs)} ms for its turn; \`${name}\` is ${value}. Try again in ${retryAfter} s.`,
    { status: 503, retryAfter, ...(own ? { param: 'timeoutMs' } : {}) },
  );
}

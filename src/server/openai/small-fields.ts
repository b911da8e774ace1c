/**
 * Fields of chat completions that ask for little: labels that are only checked, and how much a model is to think.
 *
 * @module server/openai/small-fields
 */
import { z } from 'zod';

const maxPairs = 16;

/** Checked as OpenAI does, then dropped: nothing is stored here that it could label. */
export const metadata = z
  .custom<object>((value) => typeof value === 'object' && value !== null && !Array.isArray(value), {
    message: 'must be an object: key -> text',
    abort: true,
  })
  .refine((value) => Object.keys(value).length <= maxPairs, {
    message: `at most ${maxPairs} pairs`,
    abort: true,
  })
  .pipe(z.record(z.string().max(64), z.string().max(512)));

export const efforts = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;

/** Variables that the templates of models that think look at; others ignore them. */
export function thinking(effort: (typeof efforts)[number]): Readonly<Record<string, unknown>> {
  return { enable_thinking: effort !== 'none', reasoning_effort: effort };
}

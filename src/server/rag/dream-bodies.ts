/**
 * What the routes of dreams take.
 *
 * @module server/rag/dream-bodies
 */
import { z } from 'zod';
import { InputError } from '../../base/index.ts';
import { whole } from './bodies.ts';

export const scoreQuery = z.strictObject({ limit: whole(1000, 'limit').default(20) });
export const runsQuery = z.strictObject({ limit: whole(1000, 'limit').default(20) });
export const journalQuery = z.strictObject({
  after: z
    .string()
    .regex(/^\d{1,12}$/, 'must be a whole number')
    .transform(Number)
    .default(0),
  limit: whole(1000, 'limit').default(100),
});
export const dreamBody = z.strictObject({
  /** A day at most. */
  ms: z.int().min(1).max(86_400_000).default(60_000),
  calls: z.int().min(0).max(100_000).default(50),
  model: z
    .string()
    .regex(/^[^\s\p{Cc}]{1,200}$/u, 'must be a model id')
    .nullable()
    .exactOptional(),
  mergeAt: z.number().min(0).max(2).default(0.8),
});

/** @throws InputError `run_invalid` */
export function runId(value: string): number {
  if (/^[1-9]\d{0,14}$/.test(value)) return Number(value);
  throw new InputError('run_invalid', `'${value.slice(0, 40)}' is no run: it must be a number.`, {
    param: 'run',
  });
}

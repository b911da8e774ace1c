/**
 * What the routes of the graph take.
 *
 * @module server/rag/graph-bodies
 */
import { z } from 'zod';
import { InputError } from '../../base/index.ts';
import { flag, whole } from './bodies.ts';

const name = z
  .string()
  .min(1)
  .max(500)
  .refine((value) => !value.includes('\0') && value.isWellFormed(), 'must be a name');
const date = z.string().regex(/^\d{4}(?:-\d{2}){0,2}$/, 'must be YYYY, YYYY-MM or YYYY-MM-DD');

export const entitiesQuery = z.strictObject({
  prefix: name.exactOptional(),
  type: z.string().min(1).max(64).exactOptional(),
  after: name.exactOptional(),
  limit: whole(1000, 'limit').default(100),
});
export const networkQuery = z.strictObject({
  around: name.exactOptional(),
  limit: whole(5000, 'limit').default(500),
  documents: flag.default(false),
});
export const timelineQuery = z.strictObject({
  from: date.exactOptional(),
  to: date.exactOptional(),
  entity: name.exactOptional(),
  offset: whole(10_000_000, 'offset', 0).default(0),
  limit: whole(1000, 'limit').default(100),
});
export const mergeBody = z.strictObject({
  alias: name,
  entity: name,
  reason: z.string().max(500).default('their owner said so'),
});

/** @throws InputError `merge_unknown` */
export function mergeId(value: string): number {
  if (/^[1-9]\d{0,14}$/.test(value)) return Number(value);
  throw new InputError('merge_unknown', `'${value.slice(0, 40)}' is no merge: it must be a number.`, {
    status: 404,
    param: 'merge',
  });
}

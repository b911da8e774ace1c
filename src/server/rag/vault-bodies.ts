/**
 * What the routes of knowledge bases on peers' disks take.
 *
 * @module server/rag/vault-bodies
 */
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { isPeerId } from '../../base/index.ts';
import { filterBody } from './bodies.ts';
import { grantLine } from './vault-grant-bodies.ts';

const MOST_EVES = 64;
const peer = z.string().refine(isPeerId, 'must be a PeerId such as 12D3KooW...');
const eve = z
  .string()
  .max(400)
  .refine(
    (text) => isPeerId(text.slice(text.lastIndexOf('=') + 1)) && !text.startsWith('='),
    'must be a PeerId, or Name=PeerId to say who runs it',
  );
const replicas = z.int().min(1).max(8);
const quotaBytes = z
  .int()
  .min(32 << 20)
  .max(2 ** 50);
const days = z.int().min(1).max(3660);

export const discoverBody = z.strictObject({
  peers: z.array(peer).max(MOST_EVES).default([]),
  ask: z.boolean().default(true),
});
export const findBody = z.strictObject({ peers: z.array(peer).max(MOST_EVES).default([]) });
export const placeBody = z.strictObject({
  mode: z.enum(['sealed', 'split', 'perturbed']).exactOptional(),
  eves: z.array(eve).min(1).max(MOST_EVES),
  replicas: replicas.exactOptional(),
  quotaBytes: quotaBytes.exactOptional(),
  days: days.exactOptional(),
});
export const changeBody = z.strictObject({
  add: z.array(eve).max(MOST_EVES).default([]),
  drop: z.array(peer).max(MOST_EVES).default([]),
  mode: z.enum(['sealed', 'split', 'perturbed']).exactOptional(),
  operators: z
    .array(eve.refine((text) => text.includes('='), 'must be Name=PeerId, to say who runs it'))
    .max(MOST_EVES)
    .exactOptional(),
  quotaBytes: quotaBytes.exactOptional(),
  replicas: replicas.exactOptional(),
  days: days.exactOptional(),
});
export const checkBody = z.strictObject({ questions: z.int().min(1).max(1000).default(20) });
/** Of as many as are always computed exactly, by far the most are among the true best of so few. */
const MOST_HITS = 50;
export const placedSearchBody = z.strictObject({
  query: z.string().min(1).max(20_000),
  k: z.int().min(1).max(MOST_HITS).default(10),
  filter: filterBody
    .pick({ paths: true, globs: true, modifiedFrom: true, modifiedTo: true })
    .exactOptional(),
  eves: z.array(peer).max(MOST_EVES).default([]),
});
export const restoreFromBody = z.strictObject({
  eves: z.array(peer).max(MOST_EVES).default([]),
  source: z.string().min(1).max(200),
  grant: grantLine.exactOptional(),
  folder: z
    .string()
    .min(1)
    .max(4096)
    .refine((path) => isAbsolute(path) && !path.includes('\0'), 'must be an absolute path')
    .exactOptional(),
});

/**
 * What the routes of grants take.
 *
 * @module server/rag/vault-grant-bodies
 */
import { z } from 'zod';
import { isPeerId } from '../../base/index.ts';
import { filterBody } from './bodies.ts';

/** The line of a grant, as its owner sent it. */
export const grantLine = z.string().min(1).max(65_600);
export const vaultGrantBody = z.strictObject({
  to: z.string().refine(isPeerId, 'must be a PeerId such as 12D3KooW...'),
  days: z.int().min(1).max(365),
});
export const grantedBody = z.strictObject({ grant: grantLine });
export const grantedSearchBody = z.strictObject({
  grant: grantLine,
  query: z.string().min(1).max(20_000),
  k: z.int().min(1).max(50).default(10),
  filter: filterBody.pick({ paths: true, globs: true, modifiedFrom: true, modifiedTo: true }).exactOptional(),
});

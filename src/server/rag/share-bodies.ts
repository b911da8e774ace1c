/**
 * What the routes of shared knowledge bases take.
 *
 * @module server/rag/share-bodies
 */
import { z } from 'zod';
import { PRIVACY_LEVELS } from '../../base/index.ts';
import { GRANT_BOUNDS, GRANT_RIGHTS, RAG_BOUNDS, RAG_MODES } from '../../knowledge/index.ts';
import { place } from './bodies.ts';

const MINUTE_MS = 60_000;
const peer = z.string().min(1).max(128);
const several = (value: z.ZodString) => z.array(value).min(1).max(GRANT_BOUNDS.filters);
const filter = z.strictObject({
  paths: several(place.max(GRANT_BOUNDS.filterChars)).exactOptional(),
  tags: several(place.max(GRANT_BOUNDS.filterChars)).exactOptional(),
});
const moment = z.int().min(0).max(8_640_000_000_000_000);

export const giveBody = z.strictObject({
  with: peer,
  rights: z.array(z.enum(GRANT_RIGHTS)).min(1).max(GRANT_RIGHTS.length).default(['search']),
  filter: filter
    .refine(({ paths, tags }) => paths !== undefined || tags !== undefined, 'must have `paths` or `tags`')
    .exactOptional(),
  from: moment.exactOptional(),
  forMs: z
    .int()
    .min(MINUTE_MS)
    .max(GRANT_BOUNDS.lifeMs)
    .default(30 * 24 * 60 * MINUTE_MS),
});

/** What is accepted: the line of a grant, or whatever a peer shares with this node. */
export const acceptBody = z
  .strictObject({
    grant: z
      .string()
      .min(1)
      .max(2 * GRANT_BOUNDS.bytes)
      .exactOptional(),
    peer: peer.exactOptional(),
  })
  .refine(
    ({ grant, peer: from }) => (grant === undefined) !== (from === undefined),
    'must have `grant` or `peer`',
  );

const source = z.string().min(1).max(200);
const question = {
  query: z.string().min(1).max(RAG_BOUNDS.questionChars),
  k: z.int().min(1).max(RAG_BOUNDS.hits).default(10),
  mode: z.enum(RAG_MODES).default('auto'),
  filter: filter.exactOptional(),
  deadlineMs: z.int().min(100).max(MINUTE_MS).default(10_000),
  privacy: z.enum(['local', ...PRIVACY_LEVELS]).default('minimum'),
};
export const federatedBody = z.strictObject({ ...question, kbs: z.array(source).min(1).max(16) });
export const sharedAnswerBody = z.strictObject({ ...question, kb: source });

/**
 * What the routes of knowledge bases on peers' disks take.
 *
 * @module server/rag/vault-bodies
 */
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { filterBody } from './bodies.ts';
import { eve, listOf, oneOf, peer, whole, words, wrong } from './vault-body-parts.ts';
import { grantLine } from './vault-grant-bodies.ts';

const replicas = whole(1, 8);
const quotaBytes = whole(32 << 20, 2 ** 50, 'bytes');
const days = whole(1, 3660);
const mode = oneOf(['sealed', 'split', 'perturbed']);
/** What was sent is not shown in what is said of it. */
const PASSPHRASE = { error: 'must be a passphrase of 12 to 1024 characters' };
const passphrase = z.string(PASSPHRASE).min(12, PASSPHRASE).max(1024, PASSPHRASE);

export const discoverBody = z.strictObject({
  peers: listOf(peer).default([]),
  ask: z.boolean().default(true),
});
export const findBody = z.strictObject({ peers: listOf(peer).default([]) });
export const placeBody = z.strictObject({
  mode: mode.exactOptional(),
  eves: listOf(eve, 1),
  replicas: replicas.exactOptional(),
  quotaBytes: quotaBytes.exactOptional(),
  days: days.exactOptional(),
  passphrase: passphrase.exactOptional(),
});
export const changeBody = z.strictObject({
  add: listOf(eve).default([]),
  drop: listOf(peer).default([]),
  mode: mode.exactOptional(),
  operators: listOf(
    eve.refine((text) => text.includes('='), 'must be Name=PeerId, to say who runs it'),
  ).exactOptional(),
  quotaBytes: quotaBytes.exactOptional(),
  replicas: replicas.exactOptional(),
  days: days.exactOptional(),
});
export const checkBody = z.strictObject({ questions: whole(1, 1000).default(20) });
/** Of as many as are always computed exactly, by far the most are among the true best of so few. */
const MOST_HITS = 50;
export const placedSearchBody = z.strictObject({
  query: words(20_000, 'a question'),
  k: whole(1, MOST_HITS).default(10),
  filter: filterBody.pick({ paths: true, globs: true, modifiedFrom: true, modifiedTo: true }).exactOptional(),
  eves: listOf(peer).default([]),
  passphrase: passphrase.exactOptional(),
});
export const restoreFromBody = z.strictObject({
  eves: listOf(peer).default([]),
  source: words(200, 'the name or the id of a knowledge base'),
  grant: grantLine.exactOptional(),
  passphrase: passphrase.exactOptional(),
  folder: words(4096, 'an absolute path')
    .refine((path) => isAbsolute(path) && !path.includes('\0'), { error: wrong('an absolute path') })
    .exactOptional(),
});

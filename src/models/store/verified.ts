/**
 * The note `verified.json` beside a model: of exactly which file its sha256 was last seen to be right.
 *
 * @module models/store/verified
 */
import { z } from 'zod';

export const MAX_NOTE_BYTES = 4096;

const verifiedSchema = z.strictObject({
  schema: z.literal(1),
  sha256: z.string(),
  bytes: z.number().int(),
  /** ns since the epoch, as text: it does not fit a double. */
  modified: z.string().max(40),
  /** Absent in notes of older versions: those files are hashed once more. */
  changed: z.string().max(40).optional(),
  inode: z.string().max(40),
  /** ms since the epoch. */
  verifiedAt: z.number(),
});

export type VerifiedNote = z.infer<typeof verifiedSchema>;

/** @throws when the text is no such note */
export const parseVerified = (text: string): VerifiedNote => verifiedSchema.parse(JSON.parse(text));

/**
 * The note `blocks.json` beside `blocks.gguf`: which sections of the model's tensor list are in the file and were verified
 * after they had reached the disk. `underWay` names those that were being fetched: after a kill they are hashed again from
 * the disk, and count when they are right.
 *
 * @module models/blocks/note
 */
import { z } from 'zod';

export const MAX_BLOCKS_NOTE_BYTES = 4 << 20;

/** `[first, count]` of consecutive sections. */
const runs = z.array(z.tuple([z.number().int().min(0), z.number().int().min(1)])).max(200_000);

const schema = z.strictObject({
  schema: z.literal(1),
  /** sha256 of the whole model. */
  model: z.string().regex(/^[0-9a-f]{64}$/),
  /** Root of the tensor list. */
  list: z.string().regex(/^[0-9a-f]{64}$/),
  sections: runs,
  underWay: runs,
  /** Of the file as it was when the note was written; ns as text. */
  file: z.strictObject({
    inode: z.string().max(40),
    modified: z.string().max(40),
    changed: z.string().max(40),
  }),
});

export type BlocksNote = z.infer<typeof schema>;
export type Runs = BlocksNote['sections'];

/** @throws when the text is no such note */
export const parseBlocksNote = (text: string): BlocksNote => schema.parse(JSON.parse(text));

export function runsOf(flags: readonly boolean[]): Runs {
  const found: [number, number][] = [];
  for (const [i, set] of flags.entries()) {
    if (!set) continue;
    const last = found.at(-1);
    if (last !== undefined && last[0] + last[1] === i) last[1] += 1;
    else found.push([i, 1]);
  }
  return found;
}

/** What lies past `length` is left out. */
export function flagsOf(found: Runs, length: number): boolean[] {
  const flags = new Array<boolean>(length).fill(false);
  for (const [first, count] of found) flags.fill(true, first, first + count);
  return flags.length > length ? flags.slice(0, length) : flags;
}

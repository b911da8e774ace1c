/**
 * Where this node lends space, remembered in the home: a disk that is not connected is not taken for an empty one, and every owner told
 * that what they kept is gone.
 *
 * @module node/storage-place
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { isKithError, readFileBounded, writeFileAtomic } from '../base/index.ts';

const MAX_BYTES = 16_384;
const schema = z.object({ folder: z.string() });

const pathOf = (home: string): string => join(home, 'vault', 'lent.json');

/** The folder in which space was lent last; null: none was, or it is to begin anew. */
export async function lentPlace(home: string): Promise<string | null> {
  try {
    const text = Buffer.from(await readFileBounded(pathOf(home), MAX_BYTES)).toString('utf8');
    return schema.parse(JSON.parse(text)).folder;
  } catch (error) {
    // A damaged note keeps nobody from lending.
    const isNone = isKithError(error) && error.code === 'file_not_found';
    if (isNone || error instanceof SyntaxError || error instanceof z.ZodError) return null;
    throw error;
  }
}

export async function noteLentPlace(home: string, folder: string): Promise<void> {
  if ((await lentPlace(home)) === folder) return;
  await writeFileAtomic(pathOf(home), `${JSON.stringify({ folder })}\n`, { mode: 0o600 });
}

export const forgetLentPlace = (home: string): Promise<void> => rm(pathOf(home), { force: true });

/**
 * Files on their way into a knowledge base, kept on the disk as they come.
 *
 * @module node/knowledge/uploads
 */
import { chmod, open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  InputError,
  makeFolder,
  type Random,
  requireDiskSpace,
  syncFolder,
  toHex,
  writeError,
} from '../../base/index.ts';
import type { UploadBody } from '../../server/index.ts';

export interface UploadOptions {
  readonly folder: string;
  /** Bytes of a file (`knowledge.fileBytes`). */
  readonly most: number;
  readonly random: Random;
}

/**
 * Its name in the folder. Nothing is left of one that does not come whole.
 *
 * @throws InputError `parse_too_large`; KithError `disk_full`, `write_failed`; what the pieces throw
 */
export async function receiveUpload(
  { bytes, pieces }: UploadBody,
  { folder, most, random }: UploadOptions,
): Promise<string> {
  if (bytes !== null && bytes > most) throw tooLarge(bytes, most);
  const name = toHex(random.bytes(16));
  const file = join(folder, name);
  const part = `${file}.part`;
  await makePrivate(folder);
  await requireDiskSpace(folder, bytes ?? 0);
  try {
    const handle = await open(part, 'wx', 0o600).catch((error: unknown) => {
      throw writeError(part, error);
    });
    try {
      let written = 0;
      for await (const piece of pieces) {
        written += piece.length;
        if (written > most) throw tooLarge(written, most);
        await handle.writeFile(piece).catch((error: unknown) => {
          throw writeError(part, error);
        });
      }
      await handle.sync().catch((error: unknown) => {
        throw writeError(part, error);
      });
    } finally {
      await handle.close();
    }
    await rename(part, file);
    await syncFolder(folder);
    return name;
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

/**
 * Makes the folder, or narrows the one that is there, since nobody but Kith made it: what is in it is its owner's alone.
 *
 * @throws KithError `write_failed`, `disk_full`
 */
export async function makePrivate(folder: string): Promise<void> {
  try {
    await makeFolder(folder, 0o700);
    if (process.platform !== 'win32' && ((await stat(folder)).mode & 0o077) !== 0) await chmod(folder, 0o700);
  } catch (error) {
    throw writeError(folder, error);
  }
}

function tooLarge(bytes: number, most: number): InputError {
  return new InputError(
    'parse_too_large',
    `The file has ${bytes} bytes or more, and ${most} are allowed (knowledge.fileBytes).`,
    { status: 413 },
  );
}

export async function* piecesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

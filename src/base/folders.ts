/**
 * Makes folders with those above them. Node's own `recursive` never ends where the system says of a folder whose parent is there that it
 * is not (`/proc/x` on Linux), and holds the process up with it.
 *
 * @module base/folders
 */
import { mkdirSync, statSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

const isMissing = (error: unknown): boolean =>
  ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
const isThereNow = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'EEXIST';

/** Does nothing when it is there. Throws the system's error, such as EACCES; EEXIST where a file of that name is, ENOTDIR where one is above. */
export async function makeFolder(path: string, mode?: number): Promise<void> {
  const missing: string[] = [];
  for (let at = resolve(path); ; at = dirname(at)) {
    const there = await stat(at).catch((error: unknown) => {
      if (isMissing(error)) return null;
      throw error;
    });
    if (there !== null || dirname(at) === at) break;
    missing.unshift(at);
  }
  for (const folder of missing)
    await mkdir(folder, mode).catch((error: unknown) => {
      // Another process was before.
      if (!isThereNow(error)) throw error;
    });
  if (!(await stat(path)).isDirectory()) throw notAFolder(path);
}

/** As `makeFolder`. */
export function makeFolderSync(path: string, mode?: number): void {
  const missing: string[] = [];
  for (let at = resolve(path); ; at = dirname(at)) {
    if (statSync(at, { throwIfNoEntry: false }) !== undefined || dirname(at) === at) break;
    missing.unshift(at);
  }
  for (const folder of missing)
    try {
      mkdirSync(folder, mode);
    } catch (error) {
      if (!isThereNow(error)) throw error;
    }
  if (!statSync(path).isDirectory()) throw notAFolder(path);
}

const notAFolder = (path: string): Error =>
  Object.assign(new Error(`EEXIST: file already exists, mkdir '${path}'`), { code: 'EEXIST', path });

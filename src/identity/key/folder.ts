/**
 * `<home>/identity`: the folder of the key, and how a secret file comes into it.
 *
 * Mode 0700, its files 0600; looser ones are refused rather than put right, because who could read a key may have it.
 *
 * @module identity/key/folder
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, link, mkdir, open, readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import {
  acquireLock,
  isErrno,
  isLink,
  KithError,
  type Lock,
  makeFolder,
  messageOf,
  readFileBounded,
  syncFolder,
  writeError,
} from '../../base/index.ts';

export const identityFolder = (home: string): string => join(home, 'identity');
export const keyFilePath = (home: string): string => join(identityFolder(home), 'key.json');

/**
 * The folder, made if it is not there. Throws KithError `key_file_exposed` when others may look into it,
 * `home_not_writable`.
 */
export async function openIdentityFolder(home: string): Promise<string> {
  const folder = identityFolder(home);
  try {
    await makeFolder(home, 0o700);
    await mkdir(folder, { mode: 0o700 }).catch((error: unknown) => {
      if (!isErrno(error, 'EEXIST')) throw error;
    });
  } catch (error) {
    throw new KithError('home_not_writable', `The folder ${folder} could not be made: ${messageOf(error)}.`, {
      param: 'home',
      cause: error,
    });
  }
  requireClosed(folder, (await stat(folder)).mode, '700');
  return folder;
}

/** Throws KithError `key_file_exposed` when the mode lets others in. Windows has no such bits. */
function requireClosed(path: string, mode: number, wanted: '600' | '700'): void {
  if (process.platform === 'win32' || (mode & 0o077) === 0) return;
  throw new KithError(
    'key_file_exposed',
    `${path} is open to other users of this machine (mode ${(mode & 0o777).toString(8)}). Close it: ` +
      `chmod ${wanted} ${path} - and if somebody may have read the key, replace it: kith identity rotate`,
    { details: { mode: mode & 0o777 } },
  );
}

/**
 * A secret file of at most `maxBytes`, or null when there is none.
 * Throws KithError `key_file_exposed`, `key_file_unreadable`.
 */
export async function readSecretFile(path: string, maxBytes: number): Promise<Uint8Array | null> {
  try {
    const { mode } = await stat(path);
    requireClosed(path, mode, '600');
    return await readFileBounded(path, maxBytes);
  } catch (error) {
    if (isErrno(error, 'ENOENT') && !(await isLink(path))) return null;
    if (error instanceof KithError && ['key_file_exposed', 'limit_reached'].includes(error.code)) throw error;
    throw new KithError(
      'key_file_unreadable',
      `The key file ${path} could not be read: ${messageOf(error)}. No new key was made. Put its owner and rights right.`,
      { cause: error },
    );
  }
}

/**
 * Writes a file that must not be there yet, whole or not at all. False when it is there already (nothing was written).
 * A crash can leave a `.name.<random>.tmp`, which `sweep` removes, never a file that is cut off.
 */
export async function writeNewSecret(folder: string, name: string, bytes: Uint8Array): Promise<boolean> {
  const path = join(folder, name);
  const temporary = join(folder, `.${name}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    // Unlike rename, link refuses a name that is taken.
    return await linkNew(temporary, path);
  } catch (error) {
    throw writeError(path, error);
  } finally {
    await unlink(temporary).catch(() => undefined);
    await syncFolder(folder).catch(() => undefined);
  }
}

/** Gives a file a second name that must be free; false when it is taken. */
export async function linkNew(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    // Some file systems (FAT, some mounts) have no links: there a copy must do, which a crash can cut off.
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].some((code) => isErrno(error, code)))
      throw error;
  }
  try {
    await copyFile(from, to, constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    throw error;
  }
}

/** Removes what writes left behind that were killed. Only for the holder of the lock. */
export async function sweep(folder: string): Promise<void> {
  for (const name of await readdir(folder))
    if (/^\.key[a-z0-9.-]*\.json\.[0-9a-f]{12}\.tmp$/.test(name)) await unlink(join(folder, name));
}

/** How long a command waits for another one that is changing the key: a passphrase takes a second to compute. */
const LOCK_PATIENCE_MS = 15_000;

/** Held while the key is made or changed, so that two programs never do so at once. */
export async function lockKey(folder: string, purpose: string): Promise<Lock> {
  return acquireLock(join(folder, 'key.lock'), { purpose, waitMs: LOCK_PATIENCE_MS });
}

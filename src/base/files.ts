/**
 * Files that are whole or absent: atomic writes, bounded reads, disk-space checks, paths that stay inside a folder.
 *
 * @module base/files
 */
import { randomBytes } from 'node:crypto';
import { lstat, open, realpath, rename, stat, statfs, unlink } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { InputError, KithError, LimitError, messageOf } from './errors.ts';
import { makeFolder } from './folders.ts';
import { formatBytes } from './format.ts';

export interface WriteFileAtomicOptions {
  /** Permission bits. @default those of the file that is replaced, else 0o600 */
  readonly mode?: number;
}

/**
 * Replaces the file at `path` in one step: readers see the old content or the new, also after a power cut.
 *
 * Writes a temporary file in the same folder, fsyncs it, renames it over `path` and fsyncs the folder. A crash
 * before the rename can leave `.<name>.<random>.tmp` behind, never a damaged file. Missing folders are made.
 * Throws KithError `write_failed` (disk full: `disk_full`).
 */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array,
  options: WriteFileAtomicOptions = {},
): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    await makeFolder(folder);
    const mode = options.mode ?? (await modeOf(path)) ?? 0o600;
    const file = await open(temporary, 'wx', mode);
    try {
      // The mode given to open is cut by the umask.
      if (process.platform !== 'win32') await file.chmod(mode);
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(folder);
  } catch (error) {
    // The temporary file may not exist; the first error is the one that counts.
    await unlink(temporary).catch(() => undefined);
    throw writeError(path, error);
  }
}

/** Makes a rename or unlink in `folder` durable. Windows cannot open folders and needs no such step. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The typed error for a failed write: `disk_full` (507) or `write_failed` (500). */
export function writeError(path: string, cause: unknown): KithError {
  if (cause instanceof KithError) return cause;
  const full = isErrno(cause, 'ENOSPC') || isErrno(cause, 'EDQUOT');
  return full
    ? new KithError(
        'disk_full',
        `The disk is full: ${path} was not written. Free some space and try again.`,
        {
          status: 507,
          cause,
        },
      )
    : new KithError('write_failed', `${path} was not written: ${messageOf(cause)}.`, { cause });
}

/** What is wrong with a path by itself, its status, and the remedy. */
const UNUSABLE: Readonly<Record<string, readonly [status: number, what: string]>> = {
  ENAMETOOLONG: [400, 'a name in it is longer than its disk takes. Choose a shorter one'],
  ENOTDIR: [400, 'a part of it is a file where a folder is to be. Choose another place, or move that file'],
  EISDIR: [400, 'it is a folder where a file is to be. Name a file in it'],
  EINVAL: [400, 'its disk takes no such name. Choose another'],
  EILSEQ: [400, 'its disk takes no such name. Choose another'],
  ELOOP: [400, 'links in it lead in a circle. Name the place itself'],
  EEXIST: [409, 'a file stands in its way. Choose another place, or move that file'],
  ENOENT: [404, 'its folder is not there. Make it, or connect its drive'],
  EACCES: [403, 'this user may not write there. Change its permissions, or choose another place'],
  EPERM: [403, 'this user may not write there. Change its permissions, or choose another place'],
  EROFS: [403, 'its disk can only be read. Choose another place'],
};

/** As `writeError`, for a path that a caller named: what is wrong with the path itself is `path_unusable` (4xx), and the caller's to mend. */
export function pathError(path: string, error: unknown): KithError {
  const isWrite = error instanceof KithError && error.code === 'write_failed';
  const cause = isWrite ? error.cause : error;
  const [status, what] = UNUSABLE[(cause as NodeJS.ErrnoException | null)?.code ?? ''] ?? [];
  if (status === undefined || cause instanceof KithError) return writeError(path, error);
  // The system takes no longer one, so that nobody needs all of it.
  const shown = path.length > 500 ? `${path.slice(0, 500).toWellFormed()}...` : path;
  return new KithError('path_unusable', `${shown} cannot be written: ${what}.`, {
    ...{ status, cause },
    details: { path: shown },
  });
}

export function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === code;
}

async function modeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mode & 0o777;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/**
 * Reads a whole file of at most `maxBytes`, also when it grows while it is read.
 * Throws InputError `file_not_found`, `file_unreadable`; LimitError when it is larger.
 */
export async function readFileBounded(path: string, maxBytes: number): Promise<Uint8Array> {
  try {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      if (size > maxBytes) throw tooLarge(path, maxBytes);
      // One byte more than allowed tells a file that grew (or has no size, such as a pipe) from one that fits.
      const buffer = new Uint8Array(Math.min(maxBytes, Math.max(size, 65_536)) + 1);
      let length = 0;
      for (;;) {
        const { bytesRead } = await file.read(buffer, length, buffer.length - length);
        if (bytesRead === 0) return buffer.subarray(0, length);
        length += bytesRead;
        if (length === buffer.length) throw tooLarge(path, buffer.length - 1);
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof KithError) throw error;
    if (isErrno(error, 'ENOENT')) {
      throw new InputError('file_not_found', `There is no file at ${path}.`, { cause: error });
    }
    throw new InputError('file_unreadable', `${path} could not be read: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}

function tooLarge(path: string, maxBytes: number): LimitError {
  return new LimitError(
    'file.bytes',
    maxBytes,
    `${path} is larger than the ${formatBytes(maxBytes)} allowed.`,
    {
      status: 413,
    },
  );
}

/** Bytes this user can still write on the disk that holds `path`, which need not exist yet. */
export async function freeBytes(path: string): Promise<number> {
  let folder = resolve(path);
  for (;;) {
    try {
      const { bavail, bsize } = await statfs(folder);
      return bavail * bsize;
    } catch (error) {
      const parent = dirname(folder);
      if (!isErrno(error, 'ENOENT') || parent === folder) {
        throw new KithError('disk_unreadable', `The free space of ${path} is unknown: ${messageOf(error)}.`, {
          cause: error,
        });
      }
      folder = parent;
    }
  }
}

/** Left free beside what is asked for, so that logs and databases keep working. */
export const DISK_RESERVE_BYTES = 64_000_000;

/** Throws KithError `disk_full` (507) unless `bytes` and a reserve fit on the disk that holds `path`. */
export async function requireDiskSpace(
  path: string,
  bytes: number,
  reserve: number = DISK_RESERVE_BYTES,
): Promise<void> {
  const free = await freeBytes(path);
  if (free >= bytes + reserve) return;
  throw new KithError(
    'disk_full',
    `${formatBytes(bytes)} are needed at ${path} (and ${formatBytes(reserve)} kept free), but only ` +
      `${formatBytes(free)} are free. Free some space, or move the node with --home.`,
    { status: 507, details: { needed: bytes, reserve, free } },
  );
}

/**
 * `root` joined with relative parts that came from outside; the result is inside `root` or it is refused.
 *
 * Refused (InputError `path_outside`): absolute paths, `..`, empty parts, NUL, backslashes, drive letters and
 * streams (`:`): the same answer on every system. Looks at the text only; use `resolveInside` where the folder
 * may hold links that others placed.
 */
export function joinInside(root: string, ...parts: readonly string[]): string {
  const steps = parts.flatMap((part) => part.split('/'));
  const bad =
    steps.length === 0 || steps.some((step) => step === '' || step === '..' || /[\0\\:]/.test(step));
  if (bad) throw outside(parts);
  const path = join(root, ...steps);
  if (path !== resolve(root) && !resolve(path).startsWith(withSeparator(resolve(root)))) throw outside(parts);
  return path;
}

/** As `joinInside`, and links on the way are followed: the real place must be inside the real `root`. */
export async function resolveInside(root: string, ...parts: readonly string[]): Promise<string> {
  const path = joinInside(root, ...parts);
  const realRoot = await realpath(root);
  let existing = resolve(path);
  for (;;) {
    try {
      const real = await realpath(existing);
      if (real !== realRoot && !real.startsWith(withSeparator(realRoot))) throw outside(parts);
      return path;
    } catch (error) {
      // The last steps may not exist yet; a dangling link is ENOENT too, so a link that exists is looked at.
      if (!isErrno(error, 'ENOENT')) throw error;
      if (await isLink(existing)) throw outside(parts);
      existing = dirname(existing);
    }
  }
}

/** Whether the path itself is a symbolic link, which may lead nowhere; false when there is nothing. */
export async function isLink(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isSymbolicLink();
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}

function withSeparator(folder: string): string {
  return folder.endsWith(sep) ? folder : folder + sep;
}

function outside(parts: readonly string[]): InputError {
  const shown = JSON.stringify(parts.join('/').slice(0, 200));
  return new InputError(
    'path_outside',
    `The path ${shown} leaves its folder or is not a plain relative path.`,
  );
}

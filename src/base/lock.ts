/**
 * One holder at a time, across processes.
 *
 * The lock is the operating system's own file lock (fcntl, LockFileEx), taken through SQLite because Node offers
 * no other door to it: an exclusive transaction on an empty database file, held open. The kernel drops it when the
 * process ends in any way, kill -9 included, so there are no stale locks to guess about and never two holders.
 *
 * The lock file is never deleted (deleting it would let two processes lock two files of one name) and nothing else
 * may open it: POSIX drops a process's locks on a file when any of its descriptors for it closes. Who holds the
 * lock is therefore written to `<path>.holder`, for messages only. Network file systems without working locks are
 * not supported.
 *
 * @module base/lock
 */
import { statfsSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Clock, systemClock } from './clock.ts';
import { isKithError, KithError, messageOf } from './errors.ts';
import { readFileBounded, writeFileAtomic } from './files.ts';
import { makeFolder } from './folders.ts';

export interface LockHolder {
  readonly pid: number;
  /** When the lock was taken, ms since the epoch. */
  readonly since: number;
  /** What for, in words: "the running node", "pull of tinyllama-1.1b-chat". */
  readonly purpose: string;
}

export interface Lock extends AsyncDisposable {
  readonly path: string;
  readonly holder: LockHolder;
  /** Lets the next one in. Safe to call twice. */
  release(): Promise<void>;
}

export interface AcquireLockOptions {
  /** Shown to others who want the lock. */
  readonly purpose: string;
  /** How long to wait for the current holder, ms. @default 0 */
  readonly waitMs?: number;
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
}

const POLL_MS = 25;
/** A lookup by `readLockHolder` takes the lock's shared side for an instant: a taker is this patient anyway. */
const GRACE_MS = 100;

/** Takes the lock at `path` (its folder is made), or throws KithError `locked` (409) that names the holder. */
export async function acquireLock(path: string, options: AcquireLockOptions): Promise<Lock> {
  const clock = options.clock ?? systemClock;
  const deadline = clock.monotonic() + Math.max(GRACE_MS, options.waitMs ?? 0);
  await makeFolder(dirname(path), 0o700).catch((error: unknown) => {
    throw unavailable(path, error);
  });
  let database = tryLock(path, 'BEGIN EXCLUSIVE');
  while (database === null) {
    if (clock.monotonic() >= deadline) throw await lockedError(path);
    await clock.sleep(POLL_MS, options.signal);
    database = tryLock(path, 'BEGIN EXCLUSIVE');
  }
  const held = database;
  const holder: LockHolder = { pid: process.pid, since: clock.now(), purpose: options.purpose };
  let released = false;
  const release = async () => {
    if (released) return;
    released = true;
    // The note goes first: once the lock is free, the next holder writes its own.
    await unlink(`${path}.holder`).catch(() => undefined);
    held.close();
  };
  try {
    await writeFileAtomic(`${path}.holder`, `${JSON.stringify(holder)}\n`, { mode: 0o600 });
  } catch (error) {
    await release();
    throw error;
  }
  return { path, holder, release, [Symbol.asyncDispose]: release };
}

/** Runs `work` while holding the lock. */
export async function withLock<T>(
  path: string,
  options: AcquireLockOptions,
  work: () => Promise<T>,
): Promise<T> {
  await using _lock = await acquireLock(path, options);
  return await work();
}

/** Who holds the lock, or null when nobody does. A holder killed without warning is seen as gone at once. */
export async function readLockHolder(path: string): Promise<LockHolder | null> {
  const noted = await readNote(path);
  // Without a note there is no reason to create the lock file just to look at it.
  if (noted === null) return null;
  const database = tryLock(path, 'BEGIN; SELECT count(*) FROM sqlite_schema');
  if (database === null) return noted;
  database.close();
  return null;
}

function tryLock(path: string, begin: string): DatabaseSync | null {
  let database: DatabaseSync;
  try {
    // No waiting inside SQLite: it would block this thread, which may be the one that is to release the lock.
    database = new DatabaseSync(path, { timeout: 0 });
  } catch (error) {
    throw unavailable(path, error);
  }
  try {
    database.exec(begin);
    return database;
  } catch (error) {
    database.close();
    // SQLITE_BUSY in the low byte; the rest are extended codes.
    if (((error as { errcode?: number }).errcode ?? 0) % 256 === 5) return null;
    throw unavailable(path, error);
  }
}

async function readNote(path: string): Promise<LockHolder | null> {
  try {
    const note: unknown = JSON.parse(new TextDecoder().decode(await readFileBounded(`${path}.holder`, 4096)));
    const { pid, since, purpose } = note as Partial<LockHolder>;
    if (typeof pid !== 'number' || typeof since !== 'number' || typeof purpose !== 'string') return null;
    return { pid, since, purpose };
  } catch (error) {
    // Absent, damaged or being written: the note is for messages only.
    if (isKithError(error) || error instanceof SyntaxError || error instanceof TypeError) return null;
    throw error;
  }
}

async function lockedError(path: string): Promise<KithError> {
  const holder = await readNote(path);
  const who = holder === null ? 'another process' : `process ${holder.pid} (${holder.purpose})`;
  return new KithError('locked', `${path} is held by ${who}. Wait until it ends, or stop it.`, {
    status: 409,
    ...(holder === null
      ? {}
      : { details: { pid: holder.pid, since: holder.since, purpose: holder.purpose } }),
  });
}

function unavailable(path: string, cause: unknown): KithError {
  // SQLite says only that it cannot open or write the file, whatever the reason.
  if (isFull(dirname(path)))
    return new KithError(
      'disk_full',
      `The disk is full: the lock ${path} could not be made. Free some space and try again.`,
      {
        status: 507,
        cause,
      },
    );
  return new KithError('lock_unavailable', `The lock ${path} could not be opened: ${messageOf(cause)}.`, {
    cause,
  });
}

function isFull(folder: string): boolean {
  try {
    const { bavail, ffree, files } = statfsSync(folder);
    return bavail === 0 || (files > 0 && ffree === 0);
  } catch {
    return false;
  }
}

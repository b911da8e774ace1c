/**
 * `<home>/run/node.json`: where the running node is and the token its control routes ask for. Mode 0600.
 *
 * The file may outlive a node that was killed; the lock beside it, which the system drops with the process, says
 * whether it is true.
 *
 * @module node/run-file
 */
import { chmod, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import {
  acquireLock,
  isKithError,
  KithError,
  makeFolder,
  readFileBounded,
  readLockHolder,
  writeFileAtomic,
} from '../base/index.ts';

export const runFileSchema = z.object({
  pid: z.int(),
  /** Base URL of the HTTP origin. */
  url: z.string(),
  port: z.int(),
  version: z.string(),
  /** ms since epoch. */
  startedAt: z.number(),
  token: z.string().min(16),
  /** SHA-256 of the node's certificate; absent without TLS. The command line talks to no other. */
  fingerprint: z.string().optional(),
});
export type RunFile = z.output<typeof runFileSchema>;

export const runFilePath = (home: string): string => join(home, 'run', 'node.json');
export const nodeLockPath = (home: string): string => join(home, 'run', 'node.lock');

export async function writeRunFile(home: string, run: RunFile): Promise<void> {
  await writeFileAtomic(runFilePath(home), `${JSON.stringify(run, null, 2)}\n`, { mode: 0o600 });
}

export async function removeRunFile(home: string): Promise<void> {
  await unlink(runFilePath(home)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

/** The file as it stands, or null when there is none or it is damaged. */
export async function readRunFile(home: string): Promise<RunFile | null> {
  try {
    const text = new TextDecoder().decode(await readFileBounded(runFilePath(home), 65_536));
    return runFileSchema.parse(JSON.parse(text));
  } catch (error) {
    if (isKithError(error) || error instanceof SyntaxError || error instanceof z.ZodError) return null;
    throw error;
  }
}

export type RunningNode =
  | { readonly state: 'running'; readonly run: RunFile }
  /** The lock is held, and the run file is not there yet (or no more). */
  | { readonly state: 'changing'; readonly pid: number }
  | { readonly state: 'down' };

/** Whether a node runs on this home, and where. Never believes a run file whose node is gone. */
export async function findNode(home: string): Promise<RunningNode> {
  const holder = await readLockHolder(nodeLockPath(home));
  if (holder === null) return { state: 'down' };
  const run = await readRunFile(home);
  return run !== null && run.pid === holder.pid
    ? { state: 'running', run }
    : { state: 'changing', pid: holder.pid };
}

/** `<home>/run`, the owner's alone, also when it was there before. */
export async function makeRunFolder(home: string): Promise<void> {
  const path = join(home, 'run');
  await makeFolder(path, 0o700);
  await chmod(path, 0o700);
}

/**
 * Runs `work` while no node runs on this home, nor can start. Throws KithError `node_running` (409).
 *
 * @param purpose shown to who wants to start one meanwhile
 */
export async function whileStopped<T>(home: string, purpose: string, work: () => Promise<T>): Promise<T> {
  await makeRunFolder(home);
  await using _lock = await acquireLock(nodeLockPath(home), { purpose }).catch((error: unknown) => {
    if (!isKithError(error) || error.code !== 'locked') throw error;
    throw new KithError(
      'node_running',
      `The node on ${home} runs, and its key cannot be changed under it. Stop it first: kith stop`,
      { status: 409, cause: error },
    );
  });
  return await work();
}

/** A lock between test processes that share the cache of test models. @module test/models/lock */

import { mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Milliseconds between two looks at a lock that another process holds. */
const POLL_MS = 50;

/** Runs `work` while no other process holds `path`. A lock whose process is gone is taken over. */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  for (;;) {
    const handle = await open(path, 'wx').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return null;
      throw error;
    });
    if (handle === null) {
      if (!(await takeOverDead(path))) await delay(POLL_MS);
      continue;
    }
    try {
      await handle.writeFile(String(process.pid));
      return await work();
    } finally {
      await handle.close();
      await rm(path, { force: true });
    }
  }
}

async function takeOverDead(path: string): Promise<boolean> {
  const text = await readFile(path, 'utf8').catch(() => null);
  if (text === null) return true;
  const pid = Number(text);
  // Empty for an instant after its creation; for longer only if its process died in that instant.
  const dead = text === '' ? await isOld(path) : !isAlive(pid);
  if (dead) await rm(path, { force: true });
  return dead;
}

async function isOld(path: string): Promise<boolean> {
  const info = await stat(path).catch(() => null);
  return info !== null && Date.now() - info.mtimeMs > 10_000;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

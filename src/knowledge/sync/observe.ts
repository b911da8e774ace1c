/**
 * When it is time to look at a folder: the system tells of changes, where it can.
 *
 * @module knowledge/sync/observe
 */
import { createHash } from 'node:crypto';
import { statfs } from 'node:fs/promises';
import { basename } from 'node:path';
import { watch } from 'chokidar';
import type { Clock } from '../../base/index.ts';
import { IGNORE_FILES, walk } from './walk.ts';

export interface FolderObserver extends AsyncDisposable {
  /** Resolves when changes from now on are told, or cannot be. Never rejects. */
  readonly ready: Promise<void>;
}

/** @param onTrouble the system watches no more of it: too many folders, or one that cannot be read */
export function observeFolder(
  folder: string,
  onChange: () => void,
  onTrouble: (error: unknown) => void,
): FolderObserver {
  const observer = watch(folder, {
    ignoreInitial: true,
    followSymlinks: false,
    // What walk() leaves out always; to watch it would cost most where it is largest.
    ignored: (path) => {
      const name = basename(path);
      if (path === folder || IGNORE_FILES.some((rules) => rules === name)) return false;
      return /^(?:\..*|node_modules|__pycache__)$/.test(name);
    },
  });
  observer.on('all', onChange);
  const ready = new Promise<void>((resolve) => {
    observer.once('ready', () => resolve());
    observer.on('error', (error) => {
      onTrouble(error);
      resolve();
    });
  });
  return { ready, [Symbol.asyncDispose]: () => observer.close() };
}

/** File systems that others may change without this machine being told, by what statfs(2) says of them on Linux. */
const REMOTE: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xfe534d42, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0x65735546, 'FUSE'],
  [0x01021997, '9P'],
  [0x00c36400, 'Ceph'],
  [0x5346414f, 'AFS'],
  [0x73757245, 'Coda'],
]);

/** What kind of network drive a folder lies on; null for a disk of this machine, and where nobody knows. */
export async function networkDrive(folder: string): Promise<string | null> {
  if (process.platform === 'win32') return /^(?:\\\\|\/\/)[^?.]/u.test(folder) ? 'a share' : null;
  if (process.platform !== 'linux') return null;
  const facts = await statfs(folder).catch(() => null);
  return facts === null ? null : (REMOTE.get(Number(facts.type) >>> 0) ?? null);
}

export interface FolderState {
  /** The same as long as no file was added, removed or changed. */
  readonly hash: string;
  readonly files: number;
}

/** @throws KithError `folder_missing`, `folder_unreadable`; LimitError `knowledge.files` */
export async function folderState(folder: string, signal?: AbortSignal): Promise<FolderState> {
  const hash = createHash('sha256');
  let files = 0;
  for await (const found of walk(folder, signal)) {
    if ('unread' in found) {
      hash.update(`unread\0${found.unread}\0`);
      continue;
    }
    files++;
    hash.update(`${found.path}\0${found.stamp}\0`);
  }
  return { hash: hash.digest('hex').slice(0, 32), files };
}

export interface Bell {
  readonly ring: () => void;
  reset(): void;
  /** True when it rang since the reset, within so many ms. */
  rung(ms: number, signal: AbortSignal | undefined): Promise<boolean>;
}

export function createBell(clock: Pick<Clock, 'sleep'>): Bell {
  let hasRung = false;
  let wake: (() => void) | null = null;
  return {
    ring: () => {
      hasRung = true;
      wake?.();
    },
    reset: () => {
      hasRung = false;
    },
    async rung(ms, signal) {
      if (hasRung) return true;
      const awake = new AbortController();
      wake = () => awake.abort();
      const either = signal === undefined ? awake.signal : AbortSignal.any([awake.signal, signal]);
      try {
        await clock.sleep(ms, either);
      } catch (error) {
        if (!awake.signal.aborted) throw error;
      } finally {
        wake = null;
      }
      return hasRung;
    },
  };
}

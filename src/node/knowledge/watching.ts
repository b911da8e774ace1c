/**
 * Folders that knowledge bases follow, watched while the node runs: what changed is taken in by a sync, as if its owner had asked.
 *
 * What the system tells only says that it is time to look. Where it tells nothing (network drives, more folders than it watches),
 * a folder is looked at every so often. No knowledge base is held open for it, and a folder whose drive is away is waited for.
 *
 * @module node/knowledge/watching
 */
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Clock, isKithError, type Logger, messageOf } from '../../base/index.ts';
import {
  createBell,
  type FolderObserver,
  type FolderState,
  folderState,
  networkDrive,
  observeFolder,
} from '../../knowledge/index.ts';
import type { FolderView, FolderWatch } from '../../server/index.ts';
import type { Jobs } from './jobs.ts';
import { foldersOf, type OpenKbs } from './kbs.ts';
import type { KbEntry, Registry } from './registry.ts';

export interface Watching extends AsyncDisposable {
  /** Begins with all folders there are. */
  start(): void;
  /** The folders of a KB are others now, or it is gone. */
  refresh(kb: string): void;
  /** Watches it no longer. */
  forget(kb: string, folder: FolderView): void;
  /** Null while it is not watched. */
  of(kb: string, folder: FolderView): FolderWatch | null;
}

export interface WatchingParts {
  readonly registry: Registry;
  readonly kbs: OpenKbs;
  readonly jobs: Pick<Jobs, 'add' | 'wait'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Where knowledge bases lie unless their owner put them elsewhere. */
  readonly home: string;
  /** ms without a change before it is looked. @default 2000 */
  readonly quietMs?: number;
  /** ms between looks where nothing is told. @default 60000 */
  readonly lookMs?: number;
}

const QUIET_MS = 2000;
const LOOK_MS = 60_000;
/** And while there is nothing to look at. */
const AWAY_MS = 5000;
/** Where changes are told it is looked all the same, in case one was not. */
const TOLD_LOOK_MS = 15 * 60_000;
/** A sync that failed is tried again, though nothing changed, after this. */
const AGAIN_MS = 60 * 60_000;
/** Changes that go on are looked at all the same, after so many times the quiet. */
const PATIENCE = 20;
/** Looking takes at most one part in so many of the time. */
const SHARE = 20;
/** Each file that is watched takes some of what the system has for all programs. */
const MOST_OBSERVED = 20_000;

interface Watched {
  readonly stop: AbortController;
  readonly over: Promise<void>;
  readonly ring: () => void;
  watch: FolderWatch;
}

const idOf = (kb: string, { folder, under }: FolderView): string => JSON.stringify([kb, folder, under]);

export function createWatching(parts: WatchingParts): Watching {
  const { registry, kbs, jobs, clock, log, home, quietMs = QUIET_MS, lookMs = LOOK_MS } = parts;
  const watched = new Map<string, Watched>();
  /** Of the file of each KB whose folders were read. */
  const read = new Map<string, string>();
  const warned = new Set<string>();
  const all = new AbortController();
  const bell = createBell(clock);
  let looking: Promise<void> | null = null;

  /** Reads which folders there are to watch, of KBs that came (back) since it last did. */
  async function look(): Promise<void> {
    const entries = registry.all();
    const names = new Set(entries.map(({ name }) => name));
    for (const [id, { stop }] of watched) if (!names.has(kbOf(id))) stop.abort();
    for (const name of read.keys()) if (!names.has(name)) read.delete(name);
    for (const entry of entries) {
      const file = await placeOf(entry.path);
      if (file === null) {
        read.delete(entry.name);
        continue;
      }
      if (read.get(entry.name) === file) continue;
      try {
        const folders = await kbs.use(entry, ({ store }) => foldersOf(store));
        await letGo(entry);
        read.set(entry.name, file);
        take(entry, folders);
        warned.delete(entry.name);
      } catch (error) {
        // Tried again each time, and said once.
        if (warned.has(entry.name)) continue;
        warned.add(entry.name);
        log.warn('the folders of a knowledge base are not watched', {
          kb: entry.name,
          err: messageOf(error),
        });
      }
    }
  }

  /** A file on another drive is not kept open, so that the drive can be taken away. */
  async function letGo({ name, path }: KbEntry): Promise<void> {
    if (dirname(path) !== home) await kbs.closeIdle(name);
  }

  function take(entry: KbEntry, folders: readonly FolderView[]): void {
    const wanted = new Set(folders.map((folder) => idOf(entry.name, folder)));
    for (const [id, { stop }] of watched) if (kbOf(id) === entry.name && !wanted.has(id)) stop.abort();
    for (const folder of folders) {
      const id = idOf(entry.name, folder);
      if (!watched.has(id)) begin(id, entry, folder);
    }
  }

  function begin(id: string, entry: KbEntry, folder: FolderView): void {
    const stop = new AbortController();
    const mine = createBell(clock);
    const signal = AbortSignal.any([stop.signal, all.signal]);
    const held: Watched = {
      ...{ stop, ring: mine.ring, watch: { by: 'looking', everyMs: lookMs, why: null } },
      over: Promise.resolve()
        .then(() =>
          follow(entry, folder, mine, signal, (watch) => {
            held.watch = watch;
          }),
        )
        .catch((error: unknown) => {
          if (!signal.aborted)
            log.error('a folder is watched no more', {
              kb: entry.name,
              folder: folder.folder,
              err: messageOf(error),
            });
        })
        .finally(() => {
          if (watched.get(id) === held) watched.delete(id);
        }),
    };
    watched.set(id, held);
  }

  async function follow(
    entry: KbEntry,
    { folder, under }: FolderView,
    mine: ReturnType<typeof createBell>,
    signal: AbortSignal,
    tell: (watch: FolderWatch) => void,
  ): Promise<void> {
    const told = { kb: entry.name, folder };
    let observer: FolderObserver | null = null;
    let place: string | null = null;
    /** Why the system does not tell of changes; null while it does. */
    let trouble: string | null = null;
    let known = registry.watched(entry.name, folder);
    let failed = null as { readonly hash: string; readonly at: number } | null;
    const leave = async (): Promise<void> => {
      await observer?.[Symbol.asyncDispose]();
      observer = null;
    };
    /** False when the time is over, or the folder is another: a drive that was taken away tells nothing, nor when it is back. */
    const rung = async (ms: number): Promise<boolean> => {
      for (let left = ms; left > 0; left -= lookMs) {
        if (await mine.rung(Math.min(left, lookMs), signal)) return true;
        if (observer === null || (await placeOf(folder)) === place) continue;
        await leave();
        return false;
      }
      return false;
    };
    const looks = (why: string): void => {
      if (trouble !== why) log.info('a folder is looked at every so often', { ...told, why });
      trouble = why;
    };
    try {
      for (;;) {
        mine.reset();
        const began = clock.monotonic();
        const state: FolderState | null = await folderState(folder, signal).catch((error: unknown) => {
          if (signal.aborted || !isKithError(error)) throw error;
          return null;
        });
        const took = clock.monotonic() - began;
        // A folder without files may be where a drive is when it is there.
        const isHere = state !== null && state.files > 0;
        if (!isHere) {
          await leave();
          tell({ by: 'looking', everyMs: AWAY_MS, why: state === null ? 'it is away' : 'it has no files' });
        } else if (observer === null) {
          const drive = await networkDrive(folder);
          if (drive !== null) looks(`it is on a network drive (${drive})`);
          else if (state.files > MOST_OBSERVED) looks(`it has more than ${MOST_OBSERVED} files`);
          else {
            trouble = null;
            place = await placeOf(folder);
            observer = observeFolder(folder, mine.ring, (error) => {
              looks(`the system watches no more of it: ${messageOf(error)}`);
              mine.ring();
            });
            await observer.ready;
            // What changed before it was told is seen by looking again.
            mine.ring();
          }
        }
        if (isHere) {
          const everyMs = trouble === null ? TOLD_LOOK_MS : Math.max(lookMs, SHARE * took);
          tell({ by: trouble === null ? 'events' : 'looking', everyMs, why: trouble });
          const isOld = failed?.hash === state.hash && clock.monotonic() - failed.at < AGAIN_MS;
          if (state.hash !== known && !isOld && (await stat(entry.path).catch(() => null)) !== null) {
            if (await synced(entry, folder, under, signal)) {
              known = state.hash;
              failed = null;
              registry.noteWatched(entry.name, folder, state.hash);
            } else failed = { hash: state.hash, at: clock.monotonic() };
          }
        }
        const patience = !isHere ? AWAY_MS : trouble === null ? TOLD_LOOK_MS : Math.max(lookMs, SHARE * took);
        if (!(await rung(patience))) continue;
        for (let left = PATIENCE; left > 0; left--) {
          mine.reset();
          if (!(await mine.rung(quietMs, signal))) break;
        }
      }
    } finally {
      await leave();
    }
  }

  /** True when the folder's sync ended well. */
  async function synced(
    entry: KbEntry,
    folder: string,
    under: string,
    signal: AbortSignal,
  ): Promise<boolean> {
    try {
      let job = jobs.add(entry.name, { kind: 'sync', folder, under, allowEmpty: false });
      while (job.state === 'waiting' || job.state === 'running') {
        job = await jobs.wait(entry.name, job.id, job.step, signal);
        signal.throwIfAborted();
      }
      await letGo(entry);
      return job.state === 'done';
    } catch (error) {
      if (signal.aborted || !isKithError(error)) throw error;
      log.warn('a folder that changed was not taken in', { kb: entry.name, folder, err: messageOf(error) });
      return false;
    }
  }

  return {
    start() {
      looking ??= (async () => {
        for (;;) {
          bell.reset();
          await look();
          await bell.rung(lookMs, all.signal);
        }
      })().catch((error: unknown) => {
        if (!all.signal.aborted) log.error('folders are watched no more', { err: messageOf(error) });
      });
    },
    refresh(kb) {
      read.delete(kb);
      bell.ring();
    },
    forget: (kb, folder) => watched.get(idOf(kb, folder))?.stop.abort(),
    of: (kb, folder) => watched.get(idOf(kb, folder))?.watch ?? null,
    async [Symbol.asyncDispose]() {
      all.abort();
      await looking;
      await Promise.all([...watched.values()].map(({ over }) => over));
    },
  };
}

const kbOf = (id: string): string => (JSON.parse(id) as [string])[0];

async function placeOf(path: string): Promise<string | null> {
  const facts = await stat(path, { bigint: true }).catch(() => null);
  return facts === null ? null : `${facts.dev} ${facts.ino}`;
}

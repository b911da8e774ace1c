/**
 * What of a model's partial file is right, by its note and by hashing again what the note leaves in doubt.
 *
 * @module models/blocks/recover
 */
import { open } from 'node:fs/promises';
import { readFileBounded, throwIfAborted } from '../../base/index.ts';
import { digestRegions } from '../disk/regions.ts';
import { fingerprint } from '../store/on-disk.ts';
import type { Section, TensorList } from './list.ts';
import { type BlocksNote, flagsOf, MAX_BLOCKS_NOTE_BYTES, parseBlocksNote } from './note.ts';

export interface Checking {
  readonly signal: AbortSignal;
  /** Bytes are hashed from the disk because nothing says that they are as they were. */
  readonly onHash?: (bytes: number) => void;
}

/** Whether the file is the one that the note was written about, and nobody wrote into it since. */
export function isUntouched(
  { file }: BlocksNote,
  now: { readonly inode: string; readonly modified: string; readonly changed: string },
): boolean {
  return now.inode === file.inode && now.modified === file.modified && now.changed === file.changed;
}

export interface Found {
  readonly has: readonly boolean[];
  readonly forgotten: readonly Section[];
}

/** The note, or null when there is none that can be read. */
export async function readBlocksNote(path: string): Promise<BlocksNote | null> {
  const bytes = await readFileBounded(path, MAX_BLOCKS_NOTE_BYTES).catch(() => null);
  if (bytes === null) return null;
  try {
    return parseBlocksNote(new TextDecoder().decode(bytes));
  } catch {
    // Not a note: what is in the file counts as not verified.
    return null;
  }
}

/** Which sections are there, by what the note says and by what is hashed again; null when there is no such file. */
export async function stillThere(
  path: string,
  list: TensorList,
  note: BlocksNote,
  io: Checking,
): Promise<Found | null> {
  const now = await fingerprint(path);
  if (now === null || Number(now.bytes) !== list.bytes) return null;
  const untouched = isUntouched(note, now);
  const { length } = list.sections;
  const noted = flagsOf(note.sections, length);
  const underWay = flagsOf(note.underWay, length);
  const doubtful = noted.flatMap((has, i) => ((has && !untouched) || underWay[i] ? [i] : []));
  const wrong = new Set(await wrongOf(path, list, doubtful, io));
  const has = noted.map((known, i) => (known || underWay[i] === true) && !wrong.has(i));
  // What was hashed may be in the system's memory alone: it counts when it is on the disk.
  if (doubtful.length > wrong.size) await flush(path);
  const forgotten = list.sections.filter((_, i) => noted[i] && wrong.has(i));
  return { has, forgotten };
}

export async function wrongOf(
  path: string,
  list: TensorList,
  indices: readonly number[],
  { signal, onHash }: Checking,
): Promise<number[]> {
  throwIfAborted(signal);
  const sections = indices.map((i) => list.sections[i]!);
  const digests = await digestRegions(path, sections, { signal, onBytes: onHash });
  return indices.filter((_, i) => digests[i] !== sections[i]!.sha256);
}

async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

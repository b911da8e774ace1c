/**
 * What the store finds on disk: manifests, model files, and the note that a file was verified. A note counts only
 * for exactly the file it was written about (size, inode, times of modification and of change: the latter cannot be set
 * back by a program that hides what it did).
 *
 * @module models/store/on-disk
 */

import { lstat, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError, isErrno, isKithError, KithError, writeFileAtomic } from '../../base/index.ts';
import { isModelId, serialiseManifest } from '../manifest/manifest.ts';
import type { ModelManifest } from '../types.ts';
import type { Layout } from './layout.ts';
import type { VerifiedNote } from './verified.ts';

export interface FileState {
  readonly bytes: number;
  /** When the file, as it is now, was verified against the manifest's sha256; null if it was not. */
  readonly verifiedAt: number | null;
}

/** Ids that have a folder in the store, sorted. */
export async function listFolders(layout: Layout): Promise<string[]> {
  try {
    const rows = await readdir(layout.root, { withFileTypes: true });
    return rows
      .filter((row) => row.isDirectory() && isModelId(row.name))
      .map((row) => row.name)
      .sort();
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw new KithError('store_unreadable', `The model store ${layout.root} cannot be read.`, {
      cause: error,
    });
  }
}

/** The manifest stored for an id, or null. @throws InputError `manifest_invalid` naming the file */
export async function readManifest(layout: Layout, id: string): Promise<ModelManifest | null> {
  const path = layout.manifest(id);
  let manifest: ModelManifest;
  try {
    manifest = await layout.manifests.read(path);
  } catch (error) {
    if (isKithError(error) && error.code === 'file_not_found') return null;
    throw error;
  }
  if (manifest.id === id) return manifest;
  throw new InputError(
    'manifest_invalid',
    `${path} is about "${manifest.id}", but lies in the folder of "${id}".`,
  );
}

export async function writeManifest(layout: Layout, manifest: ModelManifest): Promise<void> {
  await writeFileAtomic(layout.manifest(manifest.id), serialiseManifest(manifest));
}

/** The model file of an id as it is now, or null when there is none. */
export async function readFileState(layout: Layout, manifest: ModelManifest): Promise<FileState | null> {
  const now = await fingerprint(layout.model(manifest.id));
  if (now === null) return null;
  const bytes = Number(now.bytes);
  try {
    const note = await layout.notes.read(layout.verified(manifest.id));
    const same =
      note.sha256 === manifest.sha256 &&
      note.bytes === bytes &&
      note.modified === now.modified &&
      note.changed === now.changed &&
      note.inode === now.inode;
    return { bytes, verifiedAt: same ? note.verifiedAt : null };
  } catch {
    // No note, or one that cannot be read: the file counts as not verified and is hashed before it is used.
    return { bytes, verifiedAt: null };
  }
}

/** Notes that the file of `manifest` has its sha256. */
export async function writeVerified(
  layout: Layout,
  manifest: ModelManifest,
  verifiedAt: number,
): Promise<void> {
  const now = await fingerprint(layout.model(manifest.id));
  if (now === null) return;
  const note: VerifiedNote = {
    schema: 1,
    sha256: manifest.sha256,
    bytes: Number(now.bytes),
    modified: now.modified,
    changed: now.changed,
    inode: now.inode,
    verifiedAt,
  };
  await writeFileAtomic(layout.verified(manifest.id), `${JSON.stringify(note)}\n`);
}

/** What tells the file at `path` from what it was before; null when there is none. */
export async function fingerprint(
  path: string,
): Promise<{ bytes: bigint; modified: string; changed: string; inode: string } | null> {
  try {
    const info = await stat(path, { bigint: true });
    if (!info.isFile()) return null;
    return {
      bytes: info.size,
      modified: String(info.mtimeNs),
      changed: String(info.ctimeNs),
      inode: String(info.ino),
    };
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return null;
    throw new KithError('file_unreadable', `${path} cannot be read.`, { cause: error });
  }
}

/** Bytes in a file, or null when there is none. */
export async function bytesOf(path: string): Promise<number | null> {
  return (await stat(path).catch(() => null))?.size ?? null;
}

/** Bytes that deleting the file gives back: none for a link. */
export async function ownBytes(path: string): Promise<number> {
  const info = await lstat(path).catch(() => null);
  return info === null || info.isSymbolicLink() || info.nlink > 1 ? 0 : info.size;
}

/** Bytes of a file, or of the files that lie directly in a folder. */
export async function sizeOfInput(path: string): Promise<number> {
  const info = await stat(path).catch(() => null);
  if (info?.isDirectory() !== true) return info?.size ?? 0;
  let bytes = 0;
  for (const name of await readdir(path))
    bytes += (await stat(join(path, name)).catch(() => null))?.size ?? 0;
  return bytes;
}

/**
 * The files that documents were read from. The knowledge base keeps what they say, not the files: these are looked for in the folders
 * that it follows, and given only while they are what was taken in.
 *
 * @module node/knowledge/originals
 */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, lstat, open, realpath } from 'node:fs/promises';
import { basename, join, sep } from 'node:path';
import { fromHex, KithError, throwIfAborted, toHex } from '../../base/index.ts';
import type { KnowledgeStore, StoredDocument } from '../../knowledge/index.ts';
import type { HeldFile, OriginalView } from '../../server/index.ts';
import { foldersOf } from './kbs.ts';

const PIECE = 256 * 1024;
/** Files whose bytes are known to be those of their documents. */
const MOST_KNOWN = 100;

/** Where the file of a document would lie; null where no folder that is followed has it. */
function placeOf(
  store: KnowledgeStore,
  path: string,
): { readonly folder: string; readonly file: string } | null {
  const at = foldersOf(store).find(({ under }) => path.startsWith(under));
  if (at === undefined) return null;
  const parts = path.slice(at.under.length).split('/');
  // A knowledge base may have been made elsewhere, by whom ever.
  if (parts.some((part) => part === '' || part === '.' || part === '..' || part.includes(sep))) return null;
  return { folder: at.folder, file: join(at.folder, ...parts) };
}

/** The file that a document was read from: of a page of a dump the dump. */
function fileOf(
  store: KnowledgeStore,
  { path, hash, bytes }: StoredDocument,
): { readonly path: string; readonly bytes: number } {
  if (store.file(path) !== null) return { path, bytes };
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
    const file = store.file(path.slice(0, at));
    if (file?.hash != null && Buffer.compare(file.hash, hash) === 0) return file;
  }
  return { path, bytes };
}

export async function originalView(store: KnowledgeStore, document: StoredDocument): Promise<OriginalView> {
  const id = toHex(document.hash);
  const { path, bytes } = fileOf(store, document);
  const place = placeOf(store, path);
  if (place === null) return { id, state: 'not_kept' };
  const facts = await lstat(place.file).catch(() => null);
  if (facts === null || !facts.isFile()) return { id, state: 'away' };
  return { id, state: facts.size === bytes ? 'here' : 'changed' };
}

export function createOriginals() {
  /** What was read and found to be what was taken in: as long as the file system notes no change it is not read again. */
  const known = new Map<string, string>();

  async function isThat(handle: FileHandle, hash: Uint8Array, signal: AbortSignal): Promise<boolean> {
    const wanted = toHex(hash);
    const { dev, ino, size, mtimeNs, ctimeNs } = await handle.stat({ bigint: true });
    const stamp = `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
    if (known.get(stamp) === wanted) return true;
    const digest = createHash('sha256');
    for await (const piece of piecesOf(handle, 0, Number(size))) {
      throwIfAborted(signal);
      digest.update(piece);
    }
    if (digest.digest('hex') !== wanted) return false;
    known.set(stamp, wanted);
    if (known.size > MOST_KNOWN) known.delete(known.keys().next().value!);
    return true;
  }

  return {
    /** @throws KithError `document_unknown`, `original_not_kept`, `original_away`, `original_changed` */
    async open(store: KnowledgeStore, id: string, signal: AbortSignal): Promise<HeldFile> {
      const documents = store.documentsByHash(fromHex(id));
      if (documents.length === 0)
        throw new KithError('document_unknown', `The knowledge base has no document of the file ${id}.`, {
          status: 404,
          param: 'original',
        });
      let why = notKept(documents[0]!.path);
      const looked = new Set<string>();
      for (const document of documents) {
        const { type, hash } = document;
        const { path, bytes } = fileOf(store, document);
        if (looked.has(path)) continue;
        looked.add(path);
        const place = placeOf(store, path);
        if (place === null) continue;
        const handle = await openWithin(place.folder, place.file);
        if (handle === null) {
          why = away(path);
          continue;
        }
        try {
          const facts = await handle.stat();
          if (facts.isFile() && facts.size === bytes && (await isThat(handle, hash, signal)))
            return held(handle, { name: basename(path), type, bytes });
        } catch (error) {
          await handle.close();
          throw error;
        }
        await handle.close();
        why = changed(path);
      }
      throw why;
    },
  };
}

/** Null where it is not there, is a link, or lies outside by way of one: links are not followed when folders are taken in either. */
async function openWithin(folder: string, file: string): Promise<FileHandle | null> {
  try {
    const [outer, inner] = await Promise.all([realpath(folder), realpath(file)]);
    if (!inner.startsWith(outer.endsWith(sep) ? outer : outer + sep)) return null;
    // Not waiting: a pipe that lies there by now would never open.
    return await open(inner, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return null;
  }
}

function held(handle: FileHandle, facts: Pick<HeldFile, 'name' | 'type' | 'bytes'>): HeldFile {
  return {
    ...facts,
    read: (from, to) => piecesOf(handle, from, to),
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

/** @throws KithError `original_changed` when it ends before */
async function* piecesOf(handle: FileHandle, from: number, to: number): AsyncGenerator<Uint8Array> {
  for (let at = from; at < to; ) {
    // Each its own: who sends it may still hold it when the next is read.
    const piece = new Uint8Array(Math.min(PIECE, to - at));
    const { bytesRead } = await handle.read(piece, 0, piece.length, at);
    if (bytesRead === 0)
      throw new KithError('original_changed', 'The file became shorter while it was read.', { status: 409 });
    yield piece.subarray(0, bytesRead);
    at += bytesRead;
  }
}

const notKept = (path: string) =>
  new KithError(
    'original_not_kept',
    `The knowledge base keeps what ${path.slice(0, 500)} says, not the file: it was uploaded or taken in once. Follow the folder that it lies in to see the file here.`,
    { status: 404, param: 'original' },
  );
const away = (path: string) =>
  new KithError(
    'original_away',
    `The file of ${path.slice(0, 500)} is not where it was. Connect its drive, or sync its folder.`,
    { status: 404, param: 'original' },
  );
const changed = (path: string) =>
  new KithError(
    'original_changed',
    `The file of ${path.slice(0, 500)} is another one than was taken in: it changed since. Sync its folder.`,
    { status: 409, param: 'original' },
  );

/**
 * Where things stand in a knowledge base, and the folders that it follows there.
 *
 * @module node/knowledge/places
 */
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { KithError, throwIfAborted } from '../../base/index.ts';
import { checkPath, type KnowledgeStore } from '../../knowledge/index.ts';
import type { FolderView, SyncOrder } from '../../server/index.ts';
import { foldersOf, setFolders } from './kbs.ts';
import { noProgress, type Telling } from './telling.ts';

/** What is put below a folder that is followed would go with its next sync. */
export function checkFree(store: KnowledgeStore, path: string, folderItself: string | null): void {
  const other = foldersOf(store).find(
    ({ folder: followed, under }) =>
      (path.startsWith(under) || (path.endsWith('/') && under.startsWith(path))) &&
      !(followed === folderItself && under === path),
  );
  if (other === undefined) return;
  throw new KithError(
    'kb_path_taken',
    `${path.slice(0, 200)} lies where the knowledge base keeps the folder ${other.folder} (as ${other.under}): put the file into that folder, or choose another place.`,
    { status: 409, details: { folder: other.folder } },
  );
}

/** What there is to follow, as the KB knows it from now on unless that is not to be kept. */
export function followed(
  store: KnowledgeStore,
  { folder: wanted, under }: SyncOrder,
  { keep = true }: { readonly keep?: boolean } = {},
): FolderView[] {
  const known = foldersOf(store);
  if (wanted === undefined) {
    if (known.length > 0) return known;
    throw new KithError(
      'no_folder',
      'This knowledge base follows no folder yet: name one (`kith rag sync NAME FOLDER`).',
      { status: 409 },
    );
  }
  const mine = known.find((each) => each.folder === wanted && (under === undefined || each.under === under));
  if (mine !== undefined) return [mine];
  const next = { folder: wanted, under: under ?? `${basename(wanted)}/` };
  checkPath(next.under);
  checkFree(store, next.under, null);
  if (keep) setFolders(store, [...known, next]);
  return [next];
}

/** As the KB knows it, by its path or by where it stands. @throws KithError `folder_not_followed` */
export function followedAs(store: KnowledgeStore, wanted: string): FolderView {
  const known = foldersOf(store);
  const found = known.find(({ folder }) => folder === wanted);
  if (found !== undefined) return found;
  throw new KithError(
    'folder_not_followed',
    `This knowledge base does not follow ${wanted.slice(0, 500)}. ${known.length === 0 ? 'It follows none.' : `It follows ${known.map(({ folder }) => folder).join(', ')}.`}`,
    { status: 404, param: 'folder' },
  );
}

/** Documents first: what a kill leaves is still followed, and the job goes on. */
export async function forget(
  { folder, under, keep }: FolderView & { readonly keep: boolean },
  store: KnowledgeStore,
  { signal, tell }: Telling,
): Promise<void> {
  let removed = 0;
  for (let after = ''; !keep; ) {
    throwIfAborted(signal);
    const page = store.documents({ after, limit: 100 }, { paths: [under] });
    if (page.length === 0) break;
    for (const { path } of page) if (store.remove(path)) removed++;
    after = page.at(-1)!.path;
    tell({ ...noProgress, removed });
    await setImmediate();
  }
  for (let after = under; !keep; ) {
    const page = store.files({ after, limit: 1000 }).filter(({ path }) => path.startsWith(under));
    if (page.length === 0) break;
    for (const { path } of page) store.forgetFile(path);
    after = page.at(-1)!.path;
  }
  setFolders(
    store,
    foldersOf(store).filter((each) => each.folder !== folder || each.under !== under),
  );
}

/** @throws KithError `folder_missing` */
export async function checkFolder(path: string): Promise<void> {
  const facts = await stat(path).catch(() => null);
  if (facts?.isDirectory()) return;
  if (facts !== null)
    throw new KithError(
      'folder_missing',
      `${path.slice(0, 500)} is no folder. Single files are taken in with \`kith rag ingest\`; nothing was changed.`,
      { status: 404, details: { path } },
    );
  throw new KithError(
    'folder_missing',
    `There is no folder ${path.slice(0, 500)}. If it is on an external drive, connect it; nothing was changed.`,
    { status: 404, details: { path } },
  );
}

export function unknown(path: string): KithError {
  return new KithError(
    'document_unknown',
    `The knowledge base has no document ${path.slice(0, 500)}. \`kith rag docs\` lists those it has.`,
    { status: 404, param: 'path' },
  );
}

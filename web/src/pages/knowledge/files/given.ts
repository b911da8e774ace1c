/**
 * Files out of what was chosen or dropped, folders with all that is in them.
 *
 * @module web/pages/knowledge/files/given
 */
import { type Given, MOST_FILES } from './uploads.ts';

const givenOf = (file: File, path: string): Given<Blob> => ({ path, bytes: file.size, body: file });

export function chosen(files: FileList | null): Given<Blob>[] {
  return [...(files ?? [])].map((file) => givenOf(file, file.webkitRelativePath || file.name));
}

/** What lies in them is read at once: a drop forgets its items after the event. */
export async function dropped(data: DataTransfer): Promise<Given<Blob>[]> {
  const entries = [...data.items]
    .filter(({ kind }) => kind === 'file')
    .map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
  const found: Given<Blob>[] = [];
  for (const { entry, file } of entries) {
    if (entry !== null) await walk(entry, found);
    else if (file !== null) found.push(givenOf(file, file.name));
  }
  return found;
}

async function walk(entry: FileSystemEntry, found: Given<Blob>[]): Promise<void> {
  // One more than is sent, so that the rest is not passed over in silence.
  if (found.length > MOST_FILES || entry.name.startsWith('.') || entry.name === 'node_modules') return;
  if (entry.isFile) {
    const file = await new Promise<File | null>((resolve) =>
      (entry as FileSystemFileEntry).file(resolve, () => resolve(null)),
    );
    if (file !== null) found.push(givenOf(file, entry.fullPath));
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    const inside = await new Promise<FileSystemEntry[]>((resolve) =>
      reader.readEntries(resolve, () => resolve([])),
    );
    if (inside.length === 0) return;
    for (const each of inside) await walk(each, found);
  }
}

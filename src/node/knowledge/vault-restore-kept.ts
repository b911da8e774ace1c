/**
 * What restores have fetched so far, in a folder each below `vault/fetched` of the home: sealed blocks under their names, so that a restore
 * that was killed fetches none of them again, and the file that is being made. Blocks are held against their names when they are used.
 *
 * @module node/knowledge/vault-restore-kept
 */
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno, makeFolder, writeError } from '../../base/index.ts';
import type { KeptBlocks } from '../../vault/index.ts';

/** What a restore that failed has fetched is of use to the next one for so long, ms. */
const STALE_MS = 86_400_000;

export interface FetchedBlocks extends KeptBlocks {
  readonly folder: string;
  /** Where the file is made. */
  readonly file: string;
  remove(): Promise<void>;
}

const rootOf = (home: string): string => join(home, 'vault', 'fetched');

/** @param name of the knowledge base that is to be made: a name that was checked */
export async function openFetched(home: string, name: string): Promise<FetchedBlocks> {
  const folder = join(rootOf(home), name);
  await makeFolder(folder, 0o700).catch((error: unknown) => {
    throw writeError(folder, error);
  });
  const of = (id: string): string => join(folder, `${id}.block`);
  return {
    folder,
    file: join(folder, 'made.sqlite'),
    async get(id) {
      try {
        return await readFile(of(id));
      } catch (error) {
        if (isErrno(error, 'ENOENT')) return null;
        throw writeError(of(id), error);
      }
    },
    async put(id, block) {
      const beside = `${of(id)}.tmp`;
      try {
        await writeFile(beside, block, { mode: 0o600 });
        await rename(beside, of(id));
      } catch (error) {
        await rm(beside, { force: true });
        throw writeError(of(id), error);
      }
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Removes what restores left that nobody went on with for a day. @param wanted names of those that will be gone on with */
export async function sweepFetched(home: string, wanted: ReadonlySet<string>, now: number): Promise<void> {
  const root = rootOf(home);
  for (const name of await readdir(root).catch(() => [])) {
    const facts = wanted.has(name) ? null : await stat(join(root, name)).catch(() => null);
    if (facts !== null && now - facts.mtimeMs > STALE_MS)
      await rm(join(root, name), { recursive: true, force: true });
  }
}

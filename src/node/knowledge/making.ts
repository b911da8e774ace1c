/**
 * Makes a knowledge base, or takes a file of one as it is.
 *
 * @module node/knowledge/making
 */
import { join } from 'node:path';
import { type Clock, InputError, KithError, type Random } from '../../base/index.ts';
import { checkChunking, openKnowledgeStore } from '../../knowledge/index.ts';
import type { FolderView, NewKb } from '../../server/index.ts';
import { admitFile, checkWritableFolder } from './admitting.ts';
import { checkWindow, setChunking } from './chunking.ts';
import type { Embedders } from './embedders.ts';
import type { KbEntry, Registry } from './registry.ts';

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
/** Files of the node that lie beside those of its knowledge bases. */
const TAKEN: ReadonlySet<string> = new Set(['registry', 'shares']);

export interface MakingParts {
  readonly registry: Registry;
  /** Where knowledge bases lie that are not made elsewhere. */
  readonly folder: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly embedders: Pick<Embedders, 'configured'>;
}

export interface MadeKb {
  readonly entry: KbEntry;
  /** Folders that a file which was there followed, and follows no longer. */
  readonly unfollowed: readonly FolderView[];
}

/** @throws InputError `kb_name_invalid`; KithError `kb_exists` */
export function requireNew(name: string, path: string, registry: Pick<Registry, 'has' | 'all'>): void {
  if (!NAME.test(name))
    throw new InputError(
      'kb_name_invalid',
      `'${name.slice(0, 80)}' cannot name a knowledge base: 1 to 64 of a-z, 0-9, ".", "_" and "-", beginning with a letter or digit.`,
      { param: 'name' },
    );
  if (registry.has(name) || registry.all().some((entry) => entry.path === path) || TAKEN.has(name))
    throw new KithError(
      'kb_exists',
      `There is a knowledge base '${name}' already. Choose another name (kith rag list shows those there are).`,
      {
        status: 409,
        param: 'name',
      },
    );
}

/**
 * @param before puts a file where the knowledge base's own is to be
 * @throws InputError `kb_name_invalid`, `chunking_invalid`; KithError `kb_exists`, `folder_missing`, `path_unusable`, `backup_invalid`, `disk_full`
 */
export async function makeKb(
  { name, folder: wanted, chunking, keepFolders = false }: NewKb,
  { registry, folder, clock, random, embedders }: MakingParts,
  before: (path: string) => Promise<void> = async () => {},
): Promise<MadeKb> {
  const place = wanted ?? folder;
  const path = join(place, `${name}.sqlite`);
  requireNew(name, path, registry);
  if (place !== folder) await checkWritableFolder(place);
  if (chunking !== undefined) {
    checkChunking(chunking);
    if (chunking.size !== undefined) checkWindow(chunking.size, await embedders.configured());
  }
  const create = { name, clock, random };
  const unfollowed = await admitFile(path, { create, keepFolders, before });
  if (chunking !== undefined) {
    using store = openKnowledgeStore({ path });
    setChunking(store, chunking);
  }
  const entry = { name, path, made: Math.floor(clock.now()) };
  registry.add(entry);
  return { entry, unfollowed };
}
